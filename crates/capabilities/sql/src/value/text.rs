//! Values as text, for backends that keep them so: ISO 8601 for days and times, and back.

use super::{Date, Instant, Time, Timestamp};
use std::fmt;

/// Returns a UUID in its usual form.
pub(crate) fn format_uuid(uuid: u128) -> String {
    let (a, b, c) = (uuid >> 96, (uuid >> 80) & 0xffff, (uuid >> 64) & 0xffff);
    format!("{a:08x}-{b:04x}-{c:04x}-{:04x}-{:012x}", (uuid >> 48) & 0xffff, uuid & 0xffff_ffff_ffff)
}

/// Reads a UUID in its usual form, in small or capital letters.
pub(crate) fn parse_uuid(text: &str) -> Option<u128> {
    let bytes = text.as_bytes();
    let is_plain = |(at, byte): (usize, &u8)| match at {
        8 | 13 | 18 | 23 => *byte == b'-',
        _ => byte.is_ascii_hexdigit(),
    };
    if bytes.len() != 36 || !bytes.iter().enumerate().all(is_plain) {
        return None;
    }
    u128::from_str_radix(&text.replace('-', ""), 16).ok()
}

/// Tells whether a text is a decimal number: digits with an optional sign, fraction and exponent, or `NaN`, or `Infinity`.
pub(super) fn is_decimal(text: &str) -> bool {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    if unsigned == "Infinity" || text == "NaN" {
        return true;
    }
    let (number, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((number, exponent)) => (number, Some(exponent.strip_prefix(['-', '+']).unwrap_or(exponent))),
        None => (unsigned, None),
    };
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let has_digits = !(whole.is_empty() && fraction.is_empty());
    has_digits && digits(whole) && digits(fraction) && exponent.is_none_or(|text| !text.is_empty() && digits(text))
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { year, month, day } = *self;
        match year {
            0..=9999 => write!(f, "{year:04}-{month:02}-{day:02}"),
            _ => write!(f, "{year:+05}-{month:02}-{day:02}"),
        }
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}:{:02}", self.hour, self.minute, self.second)?;
        if self.microsecond > 0 { write!(f, ".{:06}", self.microsecond) } else { Ok(()) }
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.date, self.time)
    }
}

impl Date {
    /// Reads what [`Date`] writes.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        // The first character may be the sign of the year.
        let rest = text.get(1..)?;
        let (year, rest) = text.split_at(1 + rest.find('-')?);
        let (month, day) = rest[1..].split_once('-')?;
        let is_plain = year.len() == 4 || year.starts_with(['+', '-']);
        let date = Self { year: year.parse().ok().filter(|_| is_plain)?, month: two(month)?, day: two(day)? };
        date.is_valid().then_some(date)
    }
}

impl Time {
    /// Reads what [`Time`] writes. Seconds may be absent, a fraction may be shorter.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (hour, rest) = text.split_once(':')?;
        let (minute, rest) = rest.split_once(':').unwrap_or((rest, "00"));
        let (second, fraction) = rest.split_once('.').unwrap_or((rest, "0"));
        if !(1..=6).contains(&fraction.len()) || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let microsecond = format!("{fraction:0<6}").parse().ok()?;
        let time = Self { hour: two(hour)?, minute: two(minute)?, second: two(second)?, microsecond };
        time.is_valid().then_some(time)
    }
}

impl Timestamp {
    /// Reads what [`Timestamp`] writes, or the same with a `T` in the middle.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (date, time) = text.split_once([' ', 'T'])?;
        Some(Self { date: Date::parse(date)?, time: Time::parse(time)? })
    }
}

impl Instant {
    /// Writes it in UTC. Nothing if the year is out of range.
    pub(crate) fn format(self) -> Option<String> {
        Some(format!("{}Z", self.to_utc()?))
    }

    /// Reads a day, a time and `Z` or the hours and minutes by which clocks there are ahead.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        if let Some(text) = text.strip_suffix('Z') {
            return Some(Timestamp::parse(text)?.in_utc());
        }
        let at = text.rfind(['+', '-']).filter(|at| *at > 10)?;
        let (hours, minutes) = text[at + 1..].split_once(':').unwrap_or((&text[at + 1..], "00"));
        let ahead = (i64::from(two(hours)?) * 60 + i64::from(two(minutes)?)) * 60;
        let shown = Timestamp::parse(&text[..at])?.in_utc();
        let seconds = if text[at..].starts_with('+') { shown.seconds - ahead } else { shown.seconds + ahead };
        Some(Self { seconds, ..shown })
    }
}

fn two(text: &str) -> Option<u8> {
    let is_plain = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| is_plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uuids_have_one_form() {
        let text = "67e55044-10b1-426f-9247-bb680e5fe0c8";
        assert_eq!(parse_uuid(text).map(format_uuid).as_deref(), Some(text));
        assert_eq!(parse_uuid(&text.to_uppercase()).map(format_uuid).as_deref(), Some(text));
        assert_eq!(format_uuid(u128::MAX), "ffffffff-ffff-ffff-ffff-ffffffffffff");
        for bad in [
            "",
            "67e5504410b1426f9247bb680e5fe0c8",
            "67e55044-10b1-426f-9247-bb680e5fe0c",
            "67e55044-10b1-426f-9247+bb680e5fe0c8",
        ] {
            assert_eq!(parse_uuid(bad), None, "{bad}");
        }
    }

    #[test]
    fn decimals_are_digits() {
        for good in ["0", "-12.50", "+1", ".5", "5.", "1e10", "1E-7", "NaN", "Infinity", "-Infinity"] {
            assert!(is_decimal(good), "{good}");
        }
        for bad in ["", ".", "-", "1,5", "1e", "e5", "0x10", "1 ", "nan", "-NaN", "1.2.3", "１", "1'; DROP TABLE t; --"]
        {
            assert!(!is_decimal(bad), "{bad}");
        }
    }

    #[test]
    fn days_and_times_are_read_as_they_are_written() {
        for text in ["2024-02-29", "0000-01-01", "-0044-03-15", "+12345-01-01", "9999-12-31"] {
            assert_eq!(Date::parse(text).map(|date| date.to_string()).as_deref(), Some(text));
        }
        for text in ["00:00:00", "23:59:59.999999", "24:00:00", "12:00:00.000001"] {
            assert_eq!(Time::parse(text).map(|time| time.to_string()).as_deref(), Some(text));
        }
        for text in ["2024-02-29 12:00:00Z", "-0044-03-15 23:59:59.500000Z"] {
            assert_eq!(Instant::parse(text).and_then(Instant::format).as_deref(), Some(text));
        }
        assert_eq!(Time::parse("12:30").map(|time| time.to_string()).as_deref(), Some("12:30:00"));
        assert_eq!(Time::parse("12:30:00.5").map(|time| time.microsecond), Some(500_000));
        let far = Instant::parse("2024-03-01T01:30:00+02:30").and_then(Instant::format);
        assert_eq!(far.as_deref(), Some("2024-02-29 23:00:00Z"));
    }

    #[test]
    fn what_is_no_day_or_time_is_not_read() {
        for bad in [
            "",
            "-",
            "2024",
            "2024-2-1",
            "24-01-01",
            "2024-02-30",
            "20240-01-01",
            "2024-01-01 ",
            "ä-01-01",
            "2024-01-+1",
        ] {
            assert_eq!(Date::parse(bad), None, "{bad}");
        }
        for bad in ["", "1:00:00", "25:00:00", "12:00:00.", "12:00:00.1234567", "12:00:00.-1", "ä:ä", "12"] {
            assert_eq!(Time::parse(bad), None, "{bad}");
        }
        for bad in ["", "Z", "2024-01-01 00:00:00", "2024-01-01", "2024-01-01 00:00:00+1", "2024-01-01 00:00:00+ä"] {
            assert_eq!(Instant::parse(bad), None, "{bad}");
        }
    }
}
