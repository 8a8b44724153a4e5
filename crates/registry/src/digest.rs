//! The SHA-256 of bytes, written `sha256:…`.

use std::fmt;

use sha2::{Digest as _, Sha256};

/// The SHA-256 of some bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest([u8; 32]);

impl Digest {
    /// Returns the digest of bytes.
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// Reads `sha256:` and 64 hexadecimal digits. Otherwise says what is wrong.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let hex = text.strip_prefix("sha256:").ok_or("a digest begins with `sha256:`")?;
        if hex.len() != 64 {
            return Err("a digest has 64 hexadecimal digits after `sha256:`");
        }
        let mut bytes = [0; 32];
        for (byte, pair) in bytes.iter_mut().zip(hex.as_bytes().chunks(2)) {
            // Upper case is no digest: one digest has one name.
            let pair = std::str::from_utf8(pair).ok().filter(|pair| !pair.contains(|c: char| c.is_ascii_uppercase()));
            let value = pair.filter(|pair| pair.bytes().all(|byte| byte.is_ascii_hexdigit()));
            let value = value.and_then(|pair| u8::from_str_radix(pair, 16).ok());
            *byte = value.ok_or("the digits of a digest are 0 to 9 and a to f")?;
        }
        Ok(Self(bytes))
    }

    /// Returns the digits without `sha256:`.
    pub fn hex(&self) -> String {
        self.0.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sha256:{}", self.hex())
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::Digest;

    #[test]
    fn a_digest_is_read_as_it_is_written() {
        let digest = Digest::of(b"abc");
        let text = "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(digest.to_string(), text);
        assert_eq!(Digest::parse(text), Ok(digest));
    }

    #[test]
    fn what_is_no_digest_is_refused() {
        let upper = format!("sha256:{}", "A".repeat(64));
        let long = format!("sha256:{}", "é".repeat(32));
        for text in [
            "",
            "sha256:",
            "sha512:00",
            "sha256:12",
            upper.as_str(),
            long.as_str(),
            &format!("sha256:{}", "+1".repeat(32)),
        ] {
            assert!(Digest::parse(text).is_err(), "{text}");
        }
    }
}
