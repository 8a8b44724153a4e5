//! Sizes and durations in the settings of backends, written as in manifests.

use serde::de::{Deserialize, Deserializer, Error, Unexpected};
use std::time::Duration;

/// A size: `64MiB`, or a number of bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Size(pub u64);

/// A duration: `500ms`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Period(pub Duration);

#[derive(serde::Deserialize)]
#[serde(untagged, expecting = "a size, as in \"64MiB\", or a number of bytes")]
enum Written {
    Bytes(u64),
    Text(String),
}

impl<'de> Deserialize<'de> for Size {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Written::deserialize(deserializer)? {
            Written::Bytes(bytes) => Ok(Self(bytes)),
            Written::Text(text) => wharf_app::parse_size(&text).map(Self).map_err(D::Error::custom),
        }
    }
}

impl<'de> Deserialize<'de> for Period {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let period = wharf_app::parse_duration(&text).map_err(D::Error::custom)?;
        if period.is_zero() {
            return Err(D::Error::invalid_value(Unexpected::Other("no time"), &"a duration above zero"));
        }
        Ok(Self(period))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, serde::Deserialize)]
    struct Config {
        size: Size,
        period: Period,
    }

    #[test]
    fn sizes_and_durations_are_read_as_in_manifests() {
        let read = |text: &str| crate::settings::<Config>(text.parse().unwrap_or_default()).ok();
        let config = |bytes, millis| Some(Config { size: Size(bytes), period: Period(Duration::from_millis(millis)) });
        assert_eq!(read("size = \"1MiB\"\nperiod = \"500ms\""), config(1 << 20, 500));
        assert_eq!(read("size = 5\nperiod = \"2s\""), config(5, 2000));
        for bad in ["size = -1\nperiod = \"2s\"", "size = \"1 potato\"\nperiod = \"2s\"", "size = 1\nperiod = \"0s\""] {
            assert_eq!(read(bad), None, "{bad}");
        }
    }
}
