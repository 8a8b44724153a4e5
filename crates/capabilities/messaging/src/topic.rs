//! Topics, patterns of topics, and what stands in front of them on a server.
//!
//! The invariant: the subject that a server sees is the prefix of the namespace and a topic. A topic has no character that a server
//! reads as anything but itself, so that no topic leaves its namespace.

use crate::Error;
use std::fmt;
use wharf_kit::{BackendError, Namespace};

/// Bytes of the longest topic. With the longest prefix it fits wherever subjects are kept, and into a line of a log.
pub const TOPIC_BYTES_MAX: usize = 255;

/// What separates the parts of a topic, on every backend.
const SEPARATOR: char = '.';

/// Where a message goes: parts of visible ASCII characters with `.` between them.
///
/// `/` is none of them, because it separates the parts of a topic on an MQTT server: one topic would have two spellings. `*`, `>`, `+`
/// and `#` are wildcards of some server. A first part that begins with `$` or `_` is the servers' own (`$SYS`, `$JS`, `_INBOX`).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Topic(String);

impl Topic {
    /// Returns a topic.
    ///
    /// # Errors
    /// [`Error::Topic`] and [`Error::TopicLength`].
    pub fn new(topic: impl Into<String>) -> Result<Self, Error> {
        let topic = topic.into();
        check(&topic, |part| part.contains(['*', '>']))?;
        Ok(Self(topic))
    }

    /// Returns the text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Topic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A pattern of topics: a topic in which `*` is any one part, and `>` at the end is one part or more.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Filter(String);

impl Filter {
    /// Returns a pattern.
    ///
    /// # Errors
    /// [`Error::Topic`] and [`Error::TopicLength`].
    pub fn new(filter: impl Into<String>) -> Result<Self, Error> {
        let filter = filter.into();
        let last = filter.rsplit(SEPARATOR).next() == Some(">");
        let body = if last { &filter[..filter.len() - 1] } else { &filter };
        if body.contains('>') {
            return Err(Error::Topic("pattern has `>` as its last part only"));
        }
        check(&filter, |part| part.contains('*') && part != "*")?;
        Ok(Self(filter))
    }

    /// Tells whether a topic fits.
    pub fn matches(&self, topic: &Topic) -> bool {
        let mut topic = topic.0.split(SEPARATOR);
        for part in self.0.split(SEPARATOR) {
            match (part, topic.next()) {
                (_, None) => return false,
                (">", Some(_)) => return true,
                ("*", Some(_)) => {}
                (part, Some(found)) if part != found => return false,
                (_, Some(_)) => {}
            }
        }
        topic.next().is_none()
    }

    /// Returns the text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What stands in front of a label's topics on a server: nothing, or a topic and a `.`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prefix(String);

impl Prefix {
    /// Returns the operator's prefix; without one that of the namespace, which is the app and the label, or `shared` and the name that
    /// the operator gave the namespace.
    ///
    /// # Errors
    /// When the operator's is no topic and not empty.
    pub fn new(setting: Option<&str>, namespace: &Namespace) -> Result<Self, BackendError> {
        match setting {
            None => Ok(Self::of(namespace)),
            Some("") => Ok(Self(String::new())),
            Some(prefix) => match Topic::new(prefix) {
                Ok(topic) => Ok(Self(format!("{topic}{SEPARATOR}"))),
                Err(error) => Err(BackendError::Settings(format!("`prefix` is no topic: {error}"))),
            },
        }
    }

    fn of(namespace: &Namespace) -> Self {
        // No app begins with `_`, so that no app has the prefix of what is shared.
        let app = namespace.app().unwrap_or("_shared");
        Self(format!("{app}{SEPARATOR}{}{SEPARATOR}", namespace.name()))
    }

    /// Returns the name that a topic has on a server.
    pub fn subject(&self, topic: &Topic) -> String {
        format!("{}{topic}", self.0)
    }

    /// Returns the pattern that a filter has on a server.
    pub fn pattern(&self, filter: &Filter) -> String {
        format!("{}{filter}", self.0)
    }

    /// Returns the topic that a server's name is; nothing for one that no guest could have named.
    pub fn topic(&self, subject: &str) -> Option<Topic> {
        Topic::new(subject.strip_prefix(&self.0)?).ok()
    }
}

impl fmt::Display for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}>", self.0)
    }
}

fn check(topic: &str, is_wild: impl Fn(&str) -> bool) -> Result<(), Error> {
    if !(1..=TOPIC_BYTES_MAX).contains(&topic.len()) {
        return Err(Error::TopicLength(topic.len()));
    }
    if !topic.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(Error::Topic("is made of visible ASCII characters, without spaces"));
    }
    if topic.contains('/') {
        return Err(Error::Topic("has `.` between its parts on every backend, never `/`"));
    }
    if topic.starts_with(['$', '_']) {
        return Err(Error::Topic("does not begin with `$` or `_`: those are the server's own"));
    }
    for part in topic.split(SEPARATOR) {
        if part.is_empty() {
            return Err(Error::Topic("has no empty part: no `.` at its ends, and not two together"));
        }
        if part.contains(['+', '#']) || is_wild(part) {
            return Err(Error::Topic("has no wildcards: no `*`, `>`, `+` or `#`"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
