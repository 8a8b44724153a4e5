//! What every backend does for every interface version, in plain Rust.
//!
//! In: a call of an adapter in [`crate::wit`], whose grant and sizes are checked. Out: its answer. Next: a file of [`crate::backend`].

use async_trait::async_trait;
use bytes::Bytes;
use std::fmt;
use wharf_kit::{Kind, NoConnection, Payload, Refused};

/// Bytes of the longest key: written for NATS, where a byte may need three, it still fits into the 4 KiB that its server reads as a line.
pub const KEY_BYTES_MAX: usize = 512;

/// Keys of one page of a listing: at most 512 KiB of keys, few enough to be read while a request waits.
pub const PAGE_KEYS: usize = 1000;

/// Keys of one batch, as many as one page of a listing names.
pub const BATCH_KEYS_MAX: usize = PAGE_KEYS;

/// How many of the largest values may be in one batch: the host holds all of it in memory at a time.
pub const BATCH_VALUES_MAX: usize = 16;

/// A key: 1 to [`KEY_BYTES_MAX`] bytes of UTF-8, every character allowed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key(String);

impl Key {
    /// Returns a key.
    ///
    /// # Errors
    /// [`Error::KeyLength`].
    pub fn new(key: impl Into<String>) -> Result<Self, Error> {
        let key = key.into();
        if (1..=KEY_BYTES_MAX).contains(&key.len()) { Ok(Self(key)) } else { Err(Error::KeyLength(key.len())) }
    }

    /// Returns the key that a backend has under these bytes.
    ///
    /// # Errors
    /// [`Error::KeyLength`] and [`Error::KeyText`].
    pub fn from_utf8(bytes: &[u8]) -> Result<Self, Error> {
        Self::new(str::from_utf8(bytes).map_err(|_| Error::KeyText)?)
    }

    /// Returns the text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the text.
    pub fn into_string(self) -> String {
        self.0
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Where the next page of a listing begins. It stays good between calls, instances and nodes, whatever happens to the keys meanwhile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cursor(pub u64);

/// Some of the keys, in no order that means anything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// About [`PAGE_KEYS`] of them, or none at all although there are more.
    pub keys: Vec<Key>,
    /// Absent on the last page.
    pub next: Option<Cursor>,
}

/// What a key had at one time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// Absent when there was no such key.
    pub value: Option<Bytes>,
    /// What tells later whether it is still the same.
    pub version: Version,
}

/// What tells whether a value is still the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Version {
    /// There was no such key.
    Absent,
    /// The backend numbers its changes: a value that was replaced by its equal counts as changed.
    Revision(u64),
    /// SHA-1 of the value, in hexadecimal, for backends that number nothing: a value that was replaced by its equal counts as the same.
    Digest([u8; 40]),
}

/// One namespace of keys and values. Its calls may be dropped at any time; a change may then happen or not, but never half.
///
/// Two namespaces never share a key, whatever is in it. A read sees every change that was acknowledged before it began, unless an operator
/// has chosen a backend whose reads are answered by several servers, such as a bucket of NATS with replicas; changes that compare never act
/// on what is out of date.
#[async_trait]
pub trait Store: Send + Sync {
    /// Returns the value of a key.
    ///
    /// # Errors
    /// Of all methods that read: [`Refused::TooLarge`] when the answer has more than `limit_bytes`. Of all methods:
    /// [`Error::Unavailable`] and [`Error::Backend`].
    async fn get(&self, key: &Key, limit_bytes: usize) -> Result<Option<Bytes>, Error>;

    /// Sets the value of a key.
    async fn set(&self, key: &Key, value: Bytes) -> Result<(), Error>;

    /// Removes a key; one that is not there is none the less.
    async fn delete(&self, key: &Key) -> Result<(), Error>;

    /// Tells whether there is such a key.
    async fn exists(&self, key: &Key) -> Result<bool, Error>;

    /// Returns a page of keys. Keys that are there during the whole listing are named once; others may be named or not.
    async fn keys(&self, after: Option<Cursor>) -> Result<Page, Error>;

    /// Returns the values of many keys, in their order, in one round trip.
    async fn get_many(&self, keys: &[Key], limit_bytes: usize) -> Result<Vec<Option<Bytes>>, Error>;

    /// Sets many keys in one round trip. Of a key that is named twice the last value stays.
    async fn set_many(&self, pairs: Vec<(Key, Bytes)>) -> Result<(), Error>;

    /// Removes many keys in one round trip.
    async fn delete_many(&self, keys: &[Key]) -> Result<(), Error>;

    /// Adds to the number that a key has, in one step that nothing comes between, and returns the sum. Numbers are decimal text, as
    /// [`parse_number`] reads it, on every backend; a key that is not there has 0.
    ///
    /// # Errors
    /// [`Error::NotANumber`], [`Error::Overflow`], and [`Error::Contended`] where there is no such step.
    async fn increment(&self, key: &Key, delta: i64) -> Result<i64, Error>;

    /// Returns what a later [`swap`](Self::swap) compares with.
    async fn snapshot(&self, key: &Key, limit_bytes: usize) -> Result<Snapshot, Error>;

    /// Sets the value if the key still has what it had at `expected`, in one step, and tells whether it did. Of several callers who
    /// expect the same, one wins.
    async fn swap(&self, key: &Key, expected: Version, value: Bytes) -> Result<bool, Error>;
}

/// Reads a number as [`Store::increment`] keeps it: what `i64` writes, so no sign `+`, no zeros in front, no spaces.
///
/// # Errors
/// [`Error::NotANumber`].
pub(crate) fn parse_number(value: &[u8]) -> Result<i64, Error> {
    let number: Option<i64> = str::from_utf8(value).ok().and_then(|text| text.parse().ok());
    number.filter(|number| number.to_string().as_bytes() == value).ok_or(Error::NotANumber)
}

/// Adds to the number that `value` is, which is 0 when absent.
///
/// # Errors
/// [`Error::NotANumber`] and [`Error::Overflow`].
pub(crate) fn add(value: Option<&[u8]>, delta: i64) -> Result<i64, Error> {
    value.map_or(Ok(0), parse_number)?.checked_add(delta).ok_or(Error::Overflow)
}

/// What went wrong with a call. What it says may be shown to a guest: it never has a password, a path or an address; its source may.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The key is too short or too long.
    #[error("a key has 1 to {KEY_BYTES_MAX} bytes, this one has {0}")]
    KeyLength(usize),
    /// The key is not UTF-8.
    #[error("a key is text in UTF-8")]
    KeyText,
    /// The batch names too many keys.
    #[error("a batch has at most {BATCH_KEYS_MAX} keys, this one has {0}")]
    BatchKeys(usize),
    /// The cursor was not given out by a listing.
    #[error("the cursor is not one that a listing returned")]
    Cursor,
    /// What should be incremented is something else.
    #[error("the value is not a whole number in decimal text, between -2^63 and 2^63-1")]
    NotANumber,
    /// The sum would be too big.
    #[error("the sum is out of range, nothing was changed")]
    Overflow,
    /// The sum is there, but the interface has only numbers from 0 on.
    #[error("the sum is {0}, which this version of the interface cannot return")]
    Negative(i64),
    /// Others changed the key each time.
    #[error("others changed the key at the same time, {0} times in a row")]
    Contended(usize),
    /// The gate did not let the call through, or ended it.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// The backend is away or too slow.
    #[error("the store is not available: {why}")]
    Unavailable {
        /// What happened, in words for the guest.
        why: &'static str,
        /// Why, for the log.
        source: Option<Cause>,
    },
    /// The backend failed.
    #[error("the store failed: {why}")]
    Backend {
        /// What happened, in words for the guest.
        why: &'static str,
        /// Why, for the log.
        source: Option<Cause>,
    },
}

/// An error of what a backend is made with.
pub(crate) type Cause = Box<dyn std::error::Error + Send + Sync>;

impl Error {
    /// Returns whose fault it is.
    pub fn kind(&self) -> Kind {
        match self {
            Self::KeyLength(_) | Self::KeyText | Self::BatchKeys(_) | Self::Cursor => Kind::Invalid,
            Self::NotANumber | Self::Overflow | Self::Negative(_) => Kind::Invalid,
            Self::Contended(_) => Kind::Conflict,
            Self::Refused(refused) => refused.kind(),
            Self::Unavailable { .. } => Kind::Unavailable,
            Self::Backend { .. } => Kind::Backend,
        }
    }
}

impl From<NoConnection> for Error {
    fn from(NoConnection { kind, why, source }: NoConnection) -> Self {
        match kind {
            Kind::Unavailable => Self::Unavailable { why, source },
            _ => Self::Backend { why, source },
        }
    }
}

/// Refuses bytes that are over their limit.
///
/// # Errors
/// [`Refused::TooLarge`].
pub(crate) fn check_bytes(bytes: usize, limit_bytes: usize) -> Result<(), Error> {
    if bytes > limit_bytes { Err(Refused::TooLarge { bytes, limit_bytes }.into()) } else { Ok(()) }
}

impl Payload for Page {
    fn size_bytes(&self) -> usize {
        self.keys.iter().map(|key| key.as_str().len()).sum()
    }
}

impl Payload for Snapshot {
    fn size_bytes(&self) -> usize {
        self.value.size_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_has_bytes_and_not_too_many() {
        for good in ["a", " ", "\0", "../..", "*", "日本", &"x".repeat(512), &"ä".repeat(256)] {
            assert!(Key::new(good).is_ok(), "{good:?}");
            assert!(Key::from_utf8(good.as_bytes()).is_ok(), "{good:?}");
        }
        for bad in ["", &"x".repeat(513), &"ä".repeat(257)] {
            assert!(matches!(Key::new(bad), Err(Error::KeyLength(bytes)) if bytes == bad.len()), "{bad:?}");
        }
    }

    #[test]
    fn a_key_is_text() {
        for bad in [&b"\xff"[..], b"a\xc3", b"\xed\xa0\x80", b"\xc0\x80"] {
            assert!(matches!(Key::from_utf8(bad), Err(Error::KeyText)), "{bad:?}");
        }
    }

    #[test]
    fn a_number_is_what_is_written_for_it_and_nothing_else() {
        for number in [0, 1, -1, 10, i64::MAX, i64::MIN] {
            assert_eq!(parse_number(number.to_string().as_bytes()).unwrap(), number);
        }
        for bad in [
            "",
            " 1",
            "1 ",
            "+1",
            "01",
            "-0",
            "1.0",
            "0x1",
            "9223372036854775808",
            "-",
            "١",
            "1\n",
            "\0\0\0\0\0\0\0\x01",
        ] {
            assert!(matches!(parse_number(bad.as_bytes()), Err(Error::NotANumber)), "{bad:?}");
        }
        assert!(matches!(parse_number(b"\xff"), Err(Error::NotANumber)));
    }

    #[test]
    fn a_sum_out_of_range_is_an_error() {
        assert_eq!(add(None, -3).unwrap(), -3);
        assert_eq!(add(Some(b"40"), 2).unwrap(), 42);
        assert!(matches!(add(Some(b"9223372036854775807"), 1), Err(Error::Overflow)));
        assert!(matches!(add(Some(b"-9223372036854775808"), -1), Err(Error::Overflow)));
    }

    #[test]
    fn what_may_succeed_later_is_told_apart() {
        let unavailable = Error::Unavailable { why: "no connection", source: None };
        assert!(unavailable.kind().is_retryable());
        assert!(!Error::NotANumber.kind().is_retryable());
        assert!(Error::Contended(3).kind().is_retryable());
    }
}
