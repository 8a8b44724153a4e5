//! That a skipped test is counted.

use std::env;
use std::process::Command;

use wharf_testkit::services::skip;

const VICTIM: &str = "WHARF_TEST_SKIPPING";

/// In a process of its own, so that the real file of skipped tests has none that was only tried.
#[test]
fn skips_when_asked() {
    if env::var_os(VICTIM).is_some() {
        skip("the moon is down");
    }
}

#[test]
fn writes_skipped_tests_to_the_file_of_the_runner() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("skipped");
    for _ in 0..2 {
        let mut test = Command::new(env::current_exe().unwrap());
        test.args(["--exact", "--nocapture", "skip::skips_when_asked"]).env(VICTIM, "1").env("WHARF_SKIPPED", &file);
        let output = test.env_remove("NEXTEST_TEST_NAME").output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(said.contains("SKIPPED skip::skips_when_asked: the moon is down\n"), "{said}");
    }
    let line = "skip::skips_when_asked: the moon is down\n";
    assert_eq!(std::fs::read_to_string(file).unwrap(), line.repeat(2));
}
