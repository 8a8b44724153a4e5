//! File names of objects and containers: nothing that a guest chooses becomes a path.

/// The longest file name that is made by writing a name out. File systems end at 255 bytes.
const FILE_NAME_LEN_MAX: usize = 240;

/// What the names of files begin with whose object has a name that is too long for a file: a hash follows.
const HASHED: char = '~';

/// What a file name says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decoded {
    /// The name of the object.
    Name(String),
    /// The name is in the file itself.
    Hashed,
}

/// Returns the file name of an object or a container: one plain component of a path, another one for each name, also where a file system
/// does not tell cases or spellings of letters apart.
///
/// Lower-case letters, digits, `-`, `_` and `.` stand for themselves, a `.` not at the beginning. Each other byte is `%` and two digits.
/// A name that would get too long is its hash.
pub fn encode(name: &str) -> String {
    let mut file_name = String::with_capacity(name.len());
    for byte in name.bytes() {
        if is_plain(byte) && !(byte == b'.' && file_name.is_empty()) {
            file_name.push(char::from(byte));
        } else {
            file_name.push('%');
            file_name.extend([byte >> 4, byte & 15].map(digit));
        }
        if file_name.len() > FILE_NAME_LEN_MAX {
            return format!("{HASHED}{}", blake3::hash(name.as_bytes()).to_hex());
        }
    }
    file_name
}

/// Returns what a file name stands for; nothing for one that [`encode`] does not make.
pub fn decode(file_name: &str) -> Option<Decoded> {
    if let Some(hash) = file_name.strip_prefix(HASHED) {
        let is_hash = hash.len() == 2 * blake3::OUT_LEN && hash.bytes().all(|byte| value(byte).is_some());
        return is_hash.then_some(Decoded::Hashed);
    }
    let mut name = Vec::with_capacity(file_name.len());
    let mut bytes = file_name.bytes();
    while let Some(byte) = bytes.next() {
        name.push(if byte == b'%' { value(bytes.next()?)? << 4 | value(bytes.next()?)? } else { byte });
    }
    let name = String::from_utf8(name).ok()?;
    (!name.is_empty() && encode(&name) == file_name).then_some(Decoded::Name(name))
}

/// Tells whether a file name is a hash.
pub(super) fn is_hashed(file_name: &str) -> bool {
    file_name.starts_with(HASHED)
}

fn is_plain(byte: u8) -> bool {
    matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.')
}

fn digit(value: u8) -> char {
    char::from_digit(u32::from(value), 16).unwrap_or('0')
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
    fn names_are_one_plain_component_and_come_back() {
        for (name, file_name) in [
            ("report-2024_q3.pdf", "report-2024_q3.pdf"),
            ("a/b", "a%2fb"),
            (".", "%2e"),
            ("..", "%2e."),
            ("../../etc/passwd", "%2e.%2f..%2fetc%2fpasswd"),
            ("..\\x", "%2e.%5cx"),
            ("%2e%2e%2f", "%252e%252e%252f"),
            (".created", "%2ecreated"),
            ("\0", "%00"),
            ("A", "%41"),
            ("~x", "%7ex"),
            ("é", "%c3%a9"),
            ("CON ", "%43%4f%4e%20"),
        ] {
            assert_eq!(encode(name), file_name);
            assert_eq!(decode(file_name), Some(Decoded::Name(name.to_owned())));
        }
    }

    #[test]
    fn a_name_too_long_for_a_file_is_its_hash() {
        let (one, two) = (encode(&"x".repeat(1024)), encode(&"y".repeat(1024)));
        assert_ne!(one, two);
        assert_eq!(one.len(), 65);
        assert_eq!(decode(&one), Some(Decoded::Hashed));
        assert_eq!(encode(&"x".repeat(240)), "x".repeat(240));
        assert!(is_hashed(&encode(&"x".repeat(241))));
        assert!(is_hashed(&encode(&"Ä".repeat(50))));
    }

    #[test]
    fn files_of_others_stand_for_nothing() {
        for file_name in ["", ".created", "..", "A", "a b", "%41%", "%4G", "%2E", "%61", "%ff", "~", "~abc", "é"] {
            assert_eq!(decode(file_name), None, "{file_name}");
        }
    }
}
