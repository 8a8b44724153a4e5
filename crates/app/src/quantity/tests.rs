use proptest::prelude::*;

use super::{Duration, format_duration, format_size, parse_duration, parse_size};

#[test]
fn reads_sizes() {
    for (text, bytes) in [
        ("0", 0),
        ("100", 100),
        ("100B", 100),
        ("64KiB", 64 << 10),
        ("64kib", 64 << 10),
        ("64 MiB", 64 << 20),
        ("64MB", 64_000_000),
        ("2GiB", 2 << 30),
        ("1TiB", 1 << 40),
    ] {
        assert_eq!(parse_size(text), Ok(bytes), "{text:?}");
    }
}

#[test]
fn refuses_what_is_not_a_size() {
    for text in ["", "MiB", "-1", "1.5GiB", "64Mi", "64M", "64 MiB!", "99999999999999999999", "18446744073709551615KB"]
    {
        assert!(parse_size(text).is_err(), "{text:?}");
    }
}

#[test]
fn reads_durations() {
    for (text, nanos) in [
        ("100us", 100_000),
        ("50ms", 50_000_000),
        ("10s", 10_000_000_000),
        ("2m", 120_000_000_000),
        ("1h", 3_600_000_000_000),
        ("0s", 0),
    ] {
        assert_eq!(parse_duration(text), Ok(Duration::from_nanos(nanos)), "{text:?}");
    }
}

#[test]
fn refuses_what_is_not_a_duration() {
    for text in ["", "s", "10", "1.5s", "10 seconds", "10S", "99999999999h", "-1s"] {
        assert!(parse_duration(text).is_err(), "{text:?}");
    }
}

#[test]
fn writes_the_shortest_text() {
    for (bytes, text) in [(0, "0B"), (128 << 20, "128MiB"), (64_000_000, "62500KiB"), (1_000_001, "1000001B")] {
        assert_eq!(format_size(bytes), text);
    }
    for (millis, text) in [(0, "0s"), (500, "500ms"), (30_000, "30s"), (90_000, "90s"), (3_600_000, "1h")] {
        assert_eq!(format_duration(Duration::from_millis(millis)), text);
    }
}

proptest! {
    #[test]
    fn sizes_round_trip(bytes: u64) {
        prop_assert_eq!(parse_size(&format_size(bytes)), Ok(bytes));
    }

    #[test]
    fn durations_round_trip(nanos: u64) {
        let duration = Duration::from_nanos(nanos);
        prop_assert_eq!(parse_duration(&format_duration(duration)), Ok(duration));
    }

    #[test]
    fn any_text_is_read_without_a_panic(text: String) {
        let _ = parse_size(&text);
        let _ = parse_duration(&text);
    }
}
