//! The clocks of the program: the only place that reads raw ones, so that a test can see every use.

#![expect(clippy::disallowed_methods, reason = "this is the one place that may")]

use std::time::{Duration, Instant, SystemTime};

/// Returns the monotonic time. About 25 ns on Linux (no system call).
#[inline]
pub fn now() -> Instant {
    Instant::now()
}

/// Returns the wall-clock time, for log lines only: it may jump.
pub fn wall() -> SystemTime {
    SystemTime::now()
}

/// Returns the time since `start`, saturating at zero.
#[inline]
pub fn since(start: Instant) -> Duration {
    now().saturating_duration_since(start)
}

/// Returns the wall-clock time as RFC 3339 with milliseconds, in UTC.
pub fn timestamp(at: SystemTime) -> String {
    match jiff::Timestamp::try_from(at) {
        Ok(stamp) => format!("{stamp:.3}"),
        Err(_) => "-".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timestamp_is_rfc_3339_in_utc() {
        let at = SystemTime::UNIX_EPOCH + Duration::from_millis(1_500);
        assert_eq!(timestamp(at), "1970-01-01T00:00:01.500Z");
    }
}
