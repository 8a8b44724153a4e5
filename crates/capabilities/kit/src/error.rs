//! What went wrong with a call, as far as every capability tells it apart.

use std::time::Duration;

/// Whose fault a failed call is. Each capability's error says which of these it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// The component may not do this: no grant, or one that only reads.
    Denied,
    /// What was named is not there.
    NotFound,
    /// The component asked for what cannot be: a bad key, a bad query, a value over the limit.
    Invalid,
    /// Somebody else changed it meanwhile.
    Conflict,
    /// The backend is away, overloaded or too slow. The same call may succeed later.
    Unavailable,
    /// The backend answered what it should not, or is full.
    Backend,
}

impl Kind {
    /// Tells whether the same call may succeed later without anybody doing anything.
    pub fn is_retryable(self) -> bool {
        matches!(self, Self::Conflict | Self::Unavailable)
    }
}

/// Why the gate did not let a call through, or ended it. Each capability's error is made from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refused {
    /// The call took too long. What it began may have happened.
    #[error("no answer within {} ms", .0.as_millis())]
    Deadline(Duration),
    /// Too many calls of the component are under way, and none ended within the time of this one.
    #[error("{0} calls are under way and none of them ended in time")]
    Busy(usize),
    /// What the component sent, or would have got, is over its limit.
    #[error("{bytes} bytes, of which {limit_bytes} are allowed")]
    TooLarge {
        /// What it would have been.
        bytes: usize,
        /// What it may be.
        limit_bytes: usize,
    },
    /// A test of the app made it fail.
    #[error("{why}: a test made this call fail")]
    Fault {
        /// As whose fault.
        kind: Kind,
        /// What is said about it.
        why: &'static str,
    },
}

impl Refused {
    /// Returns whose fault it is.
    pub fn kind(self) -> Kind {
        match self {
            Self::Deadline(_) | Self::Busy(_) => Kind::Unavailable,
            Self::TooLarge { .. } => Kind::Invalid,
            Self::Fault { kind, .. } => kind,
        }
    }
}
