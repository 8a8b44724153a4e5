//! Settings that are refused, and ranges.

use super::*;
use std::path::Path as FilePath;

fn open_with(more: &str) -> Result<(), String> {
    let text = format!("bucket = \"b\"\naccess_key = \"id\"\nsecret_key = \"hush\"\n{more}");
    let settings = text.parse().map_err(|error| format!("{error}"))?;
    open(settings, &Embedded::new(FilePath::new("state"), "blobstore")).map(drop).map_err(|error| error.to_string())
}

#[test]
fn settings_that_cannot_work_are_refused_without_showing_the_secret() {
    for (more, part) in [
        ("endpoint = \"http://127.0.0.1:1\"", "allow_http"),
        ("endpoint = \"127.0.0.1:1\"", "https://"),
        ("endpoint = \"https://user:hush@example.org\"", "access_key"),
        ("part_size = \"1MiB\"", "5 MiB"),
        ("prefix = \"a/../b\"", "prefix"),
        ("prefix = \"a b\"", "prefix"),
        ("unknown = 1", "unknown"),
        ("endpoint = \"http://127.0.0.1:1\"\nauthorities = \"ca.pem\"", "write `https://` in `endpoint`"),
        ("authorities = \"nowhere.pem\"", "cannot open nowhere.pem"),
        ("authorities = \"-----BEGIN CERTIFICATE-----hush\"", "`authorities` has nothing in PEM"),
        // PEM, and what is in it is no certificate.
        ("authorities = \"-----BEGIN CERTIFICATE-----\\naHVzaA==\\n-----END CERTIFICATE-----\"", "TLS cannot be used"),
    ] {
        let error = open_with(more).expect_err(more);
        assert!(error.contains(part) && !error.contains("hush"), "{more}: {error}");
    }
    assert_eq!(open_with("endpoint = \"http://127.0.0.1:1\"\nallow_http = true"), Ok(()));
    assert_eq!(open_with("prefix = \"/some/where/\""), Ok(()));
}

#[test]
fn a_range_that_no_object_reaches_has_no_end() {
    let range = |start, end| ByteRange::new(start, end).map(bounded).ok();
    assert!(matches!(range(0, u64::MAX), Some(None)));
    assert!(matches!(range(5, u64::MAX), Some(Some(GetRange::Offset(5)))));
    assert!(matches!(range(5, 5), Some(Some(GetRange::Bounded(part))) if part == (5..6)));
}
