//! How namespaces and keys are called in servers: for whoever looks into one, and so that no key ever leaves its namespace.

use crate::api::Key;
use wharf_kit::Namespace;

// === Redis ===

/// Returns what is in front of each key of a namespace in Redis: `APP:LABEL:`. No name has a colon, so that none is the beginning of
/// another.
pub fn redis_prefix(namespace: &Namespace) -> String {
    format!("{}:", namespace.joined(':'))
}

/// Returns what a key is called in Redis.
pub fn redis_name(prefix: &str, key: &Key) -> String {
    format!("{prefix}{key}")
}

/// Returns the key that is called so, unless it is of another namespace, or none that a guest can have.
pub fn redis_key(prefix: &str, name: &[u8]) -> Option<Key> {
    Key::from_utf8(name.strip_prefix(prefix.as_bytes())?).ok()
}

/// Returns a pattern of Redis that `text` fits with anything behind it, and nothing else.
pub fn redis_pattern(text: &str) -> String {
    let mut pattern = String::with_capacity(text.len() + 1);
    for character in text.chars() {
        if matches!(character, '*' | '?' | '[' | ']' | '\\') {
            pattern.push('\\');
        }
        pattern.push(character);
    }
    pattern.push('*');
    pattern
}

// === NATS ===

/// Returns the bucket of a namespace in JetStream. Names have no upper-case letters, so that no two namespaces have one bucket.
pub fn nats_bucket(namespace: &Namespace) -> String {
    let name = namespace.name();
    match namespace.app() {
        Some(app) => format!("wharf-{app}-LABEL-{name}"),
        None => format!("wharf-SHARED-{name}"),
    }
}

/// Returns what a key is called in JetStream: letters, digits, `-`, `_` and `/` as they are, any other byte as `=` and two hexadecimal
/// digits.
pub fn nats_name(key: &Key) -> String {
    let bytes = key.as_str().as_bytes();
    let mut name = String::with_capacity(bytes.len());
    for byte in bytes {
        if is_plain(*byte) {
            name.push(char::from(*byte));
        } else {
            name.push('=');
            name.push(char::from(DIGITS[usize::from(byte >> 4)]));
            name.push(char::from(DIGITS[usize::from(byte & 15)]));
        }
    }
    name
}

/// Returns the key that is called so, unless [`nats_name`] writes it in another way, or it is none that a guest can have.
pub fn nats_key(name: &str) -> Option<Key> {
    let mut bytes = Vec::with_capacity(name.len());
    let mut rest = name.as_bytes();
    while let Some((first, more)) = rest.split_first() {
        rest = more;
        bytes.push(match first {
            b'=' => {
                let (digits, more) = rest.split_first_chunk::<2>()?;
                rest = more;
                (digit(digits[0])? << 4) | digit(digits[1])?
            }
            byte => *byte,
        });
    }
    // One key has one name.
    Key::from_utf8(&bytes).ok().filter(|key| nats_name(key) == name)
}

const DIGITS: &[u8; 16] = b"0123456789ABCDEF";

fn digit(character: u8) -> Option<u8> {
    DIGITS.iter().position(|digit| *digit == character).and_then(|digit| u8::try_from(digit).ok())
}

/// A dot would divide a name into parts.
fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'/')
}

#[cfg(test)]
mod tests;
