//! Keys of objects and containers: whatever a guest calls them, they stay within the namespace, and look like their names where they can.

use object_store::path::Path;
use wharf_kit::Namespace;

use crate::api::{ContainerName, Error, ObjectId};

/// The longest key of S3, in bytes.
const KEY_LEN_MAX: usize = 1024;

/// The key of a namespace, in front of all others; with what the operator puts in front of it.
#[derive(Clone, Debug)]
pub(super) struct Keys {
    base: String,
}

impl Keys {
    /// Returns the keys of a namespace. No app is called `_shared`.
    pub(super) fn new(prefix: &str, namespace: &Namespace) -> Self {
        let prefix = prefix.trim_matches('/');
        let separator = if prefix.is_empty() { "" } else { "/" };
        let app = namespace.app().unwrap_or("_shared");
        Self { base: format!("{prefix}{separator}{app}/{}", namespace.name()) }
    }

    pub(super) fn base(&self) -> &str {
        &self.base
    }

    /// Returns the key below which the objects of a container are.
    pub(super) fn container(&self, name: &ContainerName) -> Result<Path, Error> {
        let base = &self.base;
        let key = if name.is_root() {
            format!("{base}/root")
        } else {
            format!("{base}/in/{}", encode_segment(name.as_str()))
        };
        path(key, "container")
    }

    /// Returns the key of the empty object that says that a container is there.
    pub(super) fn marker(&self, name: &ContainerName) -> Result<Path, Error> {
        path(format!("{}/containers/{}", self.base, encode_segment(name.as_str())), "container")
    }

    pub(super) fn object(&self, id: &ObjectId) -> Result<Path, Error> {
        let container = self.container(&id.container)?;
        path(format!("{container}/{}", encode(id.name.as_str())), "object")
    }
}

fn path(key: String, what: &'static str) -> Result<Path, Error> {
    if key.len() > KEY_LEN_MAX {
        return Err(Error::Name { what, why: "is too long for the backend" });
    }
    // No segment is empty, `.` or `..`, and none has a control character.
    Path::parse(key).map_err(|_| Error::Name { what, why: "cannot be a key of the backend" })
}

/// Returns the end of the key of an object. Slashes stand for themselves as long as no part between them is empty, and no part is `.` or
/// `..`. What keys are better without is `%` and two digits for each byte.
pub fn encode(name: &str) -> String {
    let mut key = String::with_capacity(name.len());
    let mut rest = name.chars().peekable();
    // The start of the current part.
    let mut start = 0;
    while let Some(c) = rest.next() {
        let is_separator = c == '/' && key.len() > start && rest.peek().is_some_and(|next| *next != '/');
        let is_leading_dot = c == '.' && key.len() == start;
        if is_separator {
            key.push('/');
            start = key.len();
        } else if is_plain(c) && !is_leading_dot {
            key.push(c);
        } else {
            escape(c, &mut key);
        }
    }
    key
}

/// Returns the name that a key stands for; nothing for one that [`encode`] does not make.
pub fn decode(key: &str) -> Option<String> {
    let mut name = Vec::with_capacity(key.len());
    let mut bytes = key.bytes();
    while let Some(byte) = bytes.next() {
        name.push(if byte == b'%' { value(bytes.next()?)? << 4 | value(bytes.next()?)? } else { byte });
    }
    let name = String::from_utf8(name).ok()?;
    (encode(&name) == key).then_some(name)
}

/// Returns the one part of a key that is the name of a container.
fn encode_segment(name: &str) -> String {
    let mut key = String::with_capacity(name.len());
    for c in name.chars() {
        if is_plain(c) && !(c == '.' && key.is_empty()) { key.push(c) } else { escape(c, &mut key) }
    }
    key
}

/// Letters and digits of all scripts, and what S3 calls safe. Answers of S3 are XML, in which some characters cannot be written.
fn is_plain(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | '!' | '*' | '\'' | '(' | ')')
}

fn escape(c: char, key: &mut String) {
    for byte in c.encode_utf8(&mut [0; 4]).bytes() {
        key.push('%');
        key.extend([byte >> 4, byte & 15].map(|digit| char::from_digit(u32::from(digit), 16).unwrap_or('0')));
    }
}

fn value(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::ObjectName;

    #[test]
    fn keys_look_like_names_where_they_can() {
        for (name, key) in [
            ("reports/2024/q3.pdf", "reports/2024/q3.pdf"),
            ("Größe/数.txt", "Größe/数.txt"),
            ("a b", "a%20b"),
            ("/a", "%2fa"),
            ("a/", "a%2f"),
            ("a//b", "a%2f/b"),
            ("//", "%2f%2f"),
            ("..", "%2e."),
            ("../../etc/passwd", "%2e./%2e./etc/passwd"),
            ("a/./b", "a/%2e/b"),
            ("%2e%2e/", "%252e%252e%2f"),
            ("a\0\n", "a%00%0a"),
            ("<&>", "%3c%26%3e"),
            ("\u{ffff}", "%ef%bf%bf"),
        ] {
            assert_eq!(encode(name), key, "{name:?}");
            assert_eq!(decode(key).as_deref(), Some(name));
        }
        assert_eq!(decode("a%2Fb"), None);
        assert_eq!(decode("a/../b"), None);
    }

    #[test]
    fn every_name_stays_within_its_container() {
        let keys = Keys::new("/wharf/", &Namespace::own("shop", "files"));
        for container in ["..", "../../other", "a/b", "/"] {
            let container = ContainerName::new(container).unwrap();
            for name in ["..", "../x", "/../../x", "a/../../../b"] {
                let id = ObjectId { container: container.clone(), name: ObjectName::new(name).unwrap() };
                let key = keys.object(&id).unwrap().to_string();
                assert!(key.starts_with("wharf/shop/files/in/"), "{key}");
                assert!(key.split('/').all(|part| !["", ".", ".."].contains(&part)), "{key}");
            }
            assert_eq!(keys.marker(&container).unwrap().to_string().matches('/').count(), 4);
        }
        assert_eq!(Keys::new("", &Namespace::shared("files")).base(), "_shared/files");
    }

    #[test]
    fn a_key_that_s3_cannot_have_is_refused() {
        let keys = Keys::new("", &Namespace::own("a", "b"));
        let id = |name: &str| ObjectId { container: ContainerName::root(), name: ObjectName::new(name).unwrap() };
        assert!(keys.object(&id(&"x".repeat(1000))).is_ok());
        assert!(matches!(keys.object(&id(&"\0".repeat(400))), Err(Error::Name { .. })));
    }
}
