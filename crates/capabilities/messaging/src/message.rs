//! A message: what a guest hands over and what a subscriber gets, the same on every backend.

use crate::Error;
use bytes::Bytes;
use wharf_kit::Payload;

/// Keys of metadata of one message: more than any protocol's own, few enough to be searched one by one.
pub const METADATA_MAX: usize = 64;

/// Bytes of one key, one value, or the content type: room for what tracing and authentication put there. What is longer is data.
pub const METADATA_VALUE_BYTES_MAX: usize = 1024;

/// Names that mean something to a server, as the beginning of a key in any case. One of a stream of NATS can purge a subject.
const RESERVED: &str = "nats-";

/// The key that says to NATS which message is the same as one before. It only does good.
const MESSAGE_ID: &str = "nats-msg-id";

/// The header that the content type is sent as where a protocol has no place of its own for it.
pub(crate) const CONTENT_TYPE: &str = "Content-Type";

/// Bytes with what is said about them. Cloning copies no data.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Message {
    /// The data.
    pub data: Bytes,
    /// What the data is, if that is said.
    pub content_type: Option<String>,
    /// Keys with their values, each key once, in the order in which they were added.
    pub metadata: Vec<(String, String)>,
}

impl Message {
    /// Returns a message of data only.
    pub fn new(data: impl Into<Bytes>) -> Self {
        Self { data: data.into(), ..Self::default() }
    }

    /// Sets the value of a key. Of keys over [`METADATA_MAX`] only the first is kept, because of which [`check`](Self::check) fails.
    pub fn set(&mut self, key: String, value: String) {
        if let Some((_, old)) = self.metadata.iter_mut().find(|(known, _)| *known == key) {
            *old = value;
        } else if self.metadata.len() <= METADATA_MAX {
            self.metadata.push((key, value));
        }
    }

    /// Returns what came from a server: of too much metadata what fits, and of a key with several values the first.
    pub(crate) fn received(data: Bytes, metadata: impl IntoIterator<Item = (String, String)>) -> Self {
        let mut message = Self::new(data);
        for (key, value) in metadata {
            if key.eq_ignore_ascii_case(CONTENT_TYPE) {
                message.content_type.get_or_insert(value);
            } else if message.metadata.len() < METADATA_MAX && message.metadata.iter().all(|(known, _)| *known != key) {
                message.metadata.push((key, value));
            }
        }
        message
    }

    /// Checks that every backend that has metadata can send it, as it is.
    ///
    /// # Errors
    /// [`Error::Metadata`], [`Error::MetadataKeys`] and [`Error::MetadataLength`].
    pub fn check(&self) -> Result<(), Error> {
        if self.metadata.len() > METADATA_MAX {
            return Err(Error::MetadataKeys(self.metadata.len()));
        }
        if let Some(content_type) = &self.content_type {
            check_value(content_type)?;
        }
        self.metadata.iter().try_for_each(|(key, value)| check_key(key).and_then(|()| check_value(value)))
    }
}

impl Payload for Message {
    fn size_bytes(&self) -> usize {
        let metadata: usize = self.metadata.iter().map(|(key, value)| key.len() + value.len()).sum();
        self.data.len() + self.content_type.as_ref().map_or(0, String::len) + metadata
    }
}

fn check_key(key: &str) -> Result<(), Error> {
    let begins = |with: &str| key.get(..with.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(with));
    if key.len() > METADATA_VALUE_BYTES_MAX {
        Err(Error::MetadataLength(key.len()))
    } else if key.is_empty() || !key.bytes().all(|byte| byte.is_ascii_graphic() && byte != b':') {
        Err(Error::Metadata("a key of metadata is made of visible ASCII characters other than `:`"))
    } else if key.eq_ignore_ascii_case(CONTENT_TYPE) {
        Err(Error::Metadata("the content type is a part of the message of its own and no metadata"))
    } else if begins(RESERVED) && !key.eq_ignore_ascii_case(MESSAGE_ID) {
        Err(Error::Metadata("keys of metadata that begin with `Nats-` are the server's own, except `Nats-Msg-Id`"))
    } else {
        Ok(())
    }
}

fn check_value(value: &str) -> Result<(), Error> {
    // MQTT servers drop the connection, which many share, over characters that Unicode keeps for nobody.
    let is_none = |c: char| matches!(u32::from(c), 0xFDD0..=0xFDEF) || u32::from(c) & 0xFFFE == 0xFFFE;
    if value.len() > METADATA_VALUE_BYTES_MAX {
        Err(Error::MetadataLength(value.len()))
    } else if value.chars().any(|c| c.is_control() || is_none(c)) {
        Err(Error::Metadata("values of metadata have no line breaks, no control characters and no noncharacters"))
    } else if value.trim() != value || value.is_empty() {
        Err(Error::Metadata("values of metadata are not empty and do not begin or end with a space: servers remove it"))
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_has_one_value() {
        let mut message = Message::new("x");
        message.set("a".into(), "1".into());
        message.set("b".into(), "2".into());
        message.set("a".into(), "3".into());
        assert_eq!(message.metadata, [("a".to_owned(), "3".to_owned()), ("b".to_owned(), "2".to_owned())]);
        assert_eq!(message.size_bytes(), 5);
    }

    #[test]
    fn metadata_that_would_be_read_as_something_else_is_refused() {
        let with = |key: &str, value: &str| {
            let mut message = Message::new("");
            message.set(key.to_owned(), value.to_owned());
            message.check()
        };
        for (key, value) in [("trace", "00-ab"), ("X_y-Z", "ä b"), ("Nats-Msg-Id", "7"), ("natsy", "1"), ("nat", "1")]
        {
            assert!(with(key, value).is_ok(), "{key}: {value}");
        }
        for key in ["", "a b", "a:b", "ä", "a\r\nb", "Content-Type", "Nats-Rollup", "NATS-EXPECTED-STREAM"] {
            assert!(matches!(with(key, "1"), Err(Error::Metadata(_))), "{key:?}");
        }
        for value in ["a\r\nNats-Rollup: all", "a\nb", "\0", " a", "a ", "", "\u{fffe}", "\u{fdd0}", "\u{85}"] {
            assert!(matches!(with("key", value), Err(Error::Metadata(_))), "{value:?}");
        }
        assert!(matches!(with("key", &"x".repeat(1025)), Err(Error::MetadataLength(1025))));
        assert!(matches!(with(&"x".repeat(1025), "x"), Err(Error::MetadataLength(1025))));
        let content_type = Some("text/plain\r\n".to_owned());
        assert!(Message { content_type, ..Message::default() }.check().is_err());
        let metadata = (0..65).map(|key| (key.to_string(), "x".to_owned())).collect();
        assert!(matches!(Message { metadata, ..Message::default() }.check(), Err(Error::MetadataKeys(65))));
    }
}
