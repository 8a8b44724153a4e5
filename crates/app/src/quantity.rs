//! Sizes and durations as people write them: `64MiB`, `50ms`.

use std::time::Duration;

/// Size units from the largest to the smallest, as [`format_size`] tries them.
const SIZES: [(&str, u64); 9] = [
    ("TiB", 1 << 40),
    ("TB", 1_000_000_000_000),
    ("GiB", 1 << 30),
    ("GB", 1_000_000_000),
    ("MiB", 1 << 20),
    ("MB", 1_000_000),
    ("KiB", 1 << 10),
    ("KB", 1_000),
    ("B", 1),
];

/// Duration units in nanoseconds, from the largest to the smallest, as [`format_duration`] tries them.
const DURATIONS: [(&str, u64); 6] = [
    ("h", 3_600_000_000_000),
    ("m", 60_000_000_000),
    ("s", 1_000_000_000),
    ("ms", 1_000_000),
    ("us", 1_000),
    ("ns", 1),
];

/// Reads a size such as `64MiB`, `64MB`, `512KiB`, `1GiB`, `100B` or `100`, in bytes.
///
/// # Errors
///
/// A sentence that says what is wrong with the text, without the text.
pub fn parse_size(text: &str) -> Result<u64, &'static str> {
    let (number, unit) = split(text)?;
    if unit.is_empty() {
        return Ok(number);
    }
    let (_, scale) = SIZES
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case(unit))
        .ok_or("unknown unit; sizes end with `KiB`, `MiB`, `GiB`, `KB`, `MB`, `GB` or `B`")?;
    number.checked_mul(*scale).ok_or("too large")
}

/// Reads a duration such as `100us`, `50ms`, `10s`, `2m` or `1h`.
///
/// # Errors
///
/// A sentence that says what is wrong with the text, without the text.
pub fn parse_duration(text: &str) -> Result<Duration, &'static str> {
    let (number, unit) = split(text)?;
    if unit.is_empty() {
        return Err("a duration needs a unit: `ms`, `s`, `m`, `h` or `us`");
    }
    let (_, scale) = DURATIONS
        .iter()
        .find(|(name, _)| *name == unit)
        .ok_or("unknown unit; durations end with `us`, `ms`, `s`, `m` or `h`")?;
    number.checked_mul(*scale).map(Duration::from_nanos).ok_or("too large")
}

/// Writes a size with the largest unit that leaves a whole number, binary units first.
pub fn format_size(bytes: u64) -> String {
    let binary = SIZES.iter().filter(|(name, _)| name.contains('i')).find(|(_, scale)| whole(bytes, *scale));
    let (name, scale) = binary.or_else(|| SIZES.iter().find(|(_, scale)| whole(bytes, *scale))).unwrap_or(&("B", 1));
    format!("{}{name}", bytes / scale)
}

/// Writes a duration with the largest unit that leaves a whole number.
///
/// Durations past 584 years are written as 584 years, so that the result can always be read back.
pub fn format_duration(duration: Duration) -> String {
    let nanos = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
    let (name, scale) = DURATIONS.iter().find(|(_, scale)| whole(nanos, *scale)).unwrap_or(&("s", 1_000_000_000));
    format!("{}{name}", nanos / scale)
}

fn whole(number: u64, scale: u64) -> bool {
    number >= scale && number.is_multiple_of(scale)
}

fn split(text: &str) -> Result<(u64, &str), &'static str> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (digits, unit) = text.split_at(end);
    if digits.is_empty() {
        return Err("does not start with a whole number");
    }
    let number = digits.parse().map_err(|_| "too large")?;
    Ok((number, unit.trim_start()))
}

#[cfg(test)]
mod tests;
