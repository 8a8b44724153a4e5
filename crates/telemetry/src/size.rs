//! A number of bytes as people read it.

use std::fmt;

const UNITS: [(&str, u64); 4] = [("TiB", 1 << 40), ("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)];

/// A number of bytes, shown as `16 MiB`, `1.5 KiB` or `100 bytes`.
///
/// Rounded up to a tenth: what passed a limit never looks like the limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size(u64);

impl From<u64> for Size {
    fn from(bytes: u64) -> Self {
        Self(bytes)
    }
}

impl From<usize> for Size {
    fn from(bytes: usize) -> Self {
        Self(u64::try_from(bytes).unwrap_or(u64::MAX))
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some((unit, scale)) = UNITS.iter().find(|(_, scale)| self.0 >= *scale) else {
            return write!(f, "{} {}", self.0, if self.0 == 1 { "byte" } else { "bytes" });
        };
        let tenths = (u128::from(self.0) * 10).div_ceil(u128::from(*scale));
        match (tenths / 10, tenths % 10) {
            (whole, 0) => write!(f, "{whole} {unit}"),
            (whole, tenth) => write!(f, "{whole}.{tenth} {unit}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_has_the_unit_that_people_use_and_is_never_too_small() {
        for (bytes, text) in [
            (0, "0 bytes"),
            (1, "1 byte"),
            (1023, "1023 bytes"),
            (10 << 10, "10 KiB"),
            (1536, "1.5 KiB"),
            (128 << 20, "128 MiB"),
            ((16 << 20) + 1, "16.1 MiB"),
            ((16 << 20) + (64 << 10), "16.1 MiB"),
            (4 << 30, "4 GiB"),
            (u64::MAX, "16777216 TiB"),
        ] {
            assert_eq!(Size::from(bytes).to_string(), text, "{bytes}");
        }
    }
}
