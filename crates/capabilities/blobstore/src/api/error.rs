//! What can go wrong with blobs.

use wharf_kit::{Kind, Refused};

/// What a backend met. For the log: a guest never reads it.
pub type Cause = Box<dyn std::error::Error + Send + Sync>;

/// A call that failed. What it says may be shown to guests: no places, no passwords.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The container is not there.
    #[error("there is no such container")]
    NoContainer,
    /// The object is not there.
    #[error("there is no object {0:?}")]
    NoObject(String),
    /// The name of a container or an object is none.
    #[error("the name of the {what} {why}")]
    Name {
        /// What it names.
        what: &'static str,
        /// What is wrong with it, as the end of a sentence.
        why: &'static str,
    },
    /// A range that ends before it starts.
    #[error("the range ends at {end}, before its start at {start}")]
    Range {
        /// The first offset.
        start: u64,
        /// The last offset.
        end: u64,
    },
    /// The value failed before, or was given up half-way.
    #[error("the value is not whole: something failed before")]
    Broken,
    /// There is no room.
    #[error("the backend has no room for it")]
    Full(#[source] Cause),
    /// The backend does not let the node in.
    #[error("the backend does not accept the node's credentials")]
    Credentials(#[source] Cause),
    /// The backend does not answer. The same call may succeed later.
    #[error("the backend cannot be reached now")]
    Unavailable(#[source] Cause),
    /// There is no secure connection to the backend. The same call succeeds once that is mended, without a new start here.
    #[error("the backend cannot be reached now: {why}")]
    Insecure {
        /// What is wrong with it, such as with the certificate of the server.
        why: &'static str,
        /// What says so.
        source: Cause,
    },
    /// Anything else.
    #[error("the backend cannot {doing}")]
    Backend {
        /// What it should have done, as the end of a sentence.
        doing: &'static str,
        /// Why it did not.
        source: Cause,
    },
    /// A bound of the label.
    #[error(transparent)]
    Refused(#[from] Refused),
}

impl Error {
    /// Returns whose fault it is.
    pub fn kind(&self) -> Kind {
        match self {
            Self::NoContainer | Self::NoObject(_) => Kind::NotFound,
            Self::Name { .. } | Self::Range { .. } | Self::Broken => Kind::Invalid,
            Self::Unavailable(_) | Self::Insecure { .. } => Kind::Unavailable,
            Self::Full(_) | Self::Credentials(_) | Self::Backend { .. } => Kind::Backend,
            Self::Refused(refused) => refused.kind(),
        }
    }
}
