//! Names as ends of keys: they look like themselves where they can, and lead nowhere else.

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
pub fn encode_segment(name: &str) -> String {
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
}
