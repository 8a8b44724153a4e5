//! Names one request in every log line, error page and header.

use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

/// The longest id that is taken over from a client, in bytes.
const LONGEST: usize = 128;

/// Names one request. Cheap to clone.
///
/// An id that Wharf makes is 16 hexadecimal digits of the process (random at each start) and 8 or more of a counter: unique,
/// easy to grep, and not a secret: whoever sees one can guess its neighbours.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RequestId(Arc<str>);

impl RequestId {
    /// Makes a new id, unique within this process and, but for a 64-bit coincidence, across processes.
    pub fn new() -> Self {
        static PROCESS: OnceLock<u64> = OnceLock::new();
        static COUNTER: AtomicU64 = AtomicU64::new(1);
        let process = *PROCESS.get_or_init(|| RandomState::new().hash_one(std::process::id()));
        let count = COUNTER.fetch_add(1, Ordering::Relaxed);
        Self(format!("{process:016x}-{count:08x}").into())
    }

    /// Takes over an id that a client or a proxy in front sent, if it is safe to print: 1 to 128 of `A-Z a-z 0-9 - _ . : / + =`.
    pub fn accept(text: &str) -> Option<Self> {
        let printable = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:/+=".contains(&byte);
        let accepted = !text.is_empty() && text.len() <= LONGEST && text.bytes().all(printable);
        accepted.then(|| Self(text.into()))
    }

    /// Returns the id as text: printable ASCII without spaces.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for RequestId {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_ids_differ_and_share_the_process_part() {
        let (a, b) = (RequestId::new(), RequestId::new());
        assert_ne!(a, b);
        assert_eq!(a.as_str().split('-').next(), b.as_str().split('-').next());
    }

    #[test]
    fn refuses_ids_that_could_forge_a_log_line() {
        for bad in ["", "a b", "a\nb", "a\"b", "é", &"x".repeat(129)] {
            assert_eq!(RequestId::accept(bad), None, "{bad:?}");
        }
        assert_eq!(RequestId::accept("4bf92f35-77b3").unwrap().as_str(), "4bf92f35-77b3");
    }
}
