//! Telling that a test did not run, because what it needs is not there.

use std::fs::OpenOptions;
use std::io::Write as _;

/// The variable with the file where skipped tests are written; `cargo xtask test` sets it and reads the file.
const FILE: &str = "WHARF_SKIPPED";

/// Tells that the current test is skipped, and why. The test then returns.
///
/// Prints the reason, and adds it to the file that `cargo xtask test` counts skipped tests in: the runner has no such state, so
/// to it the test has passed.
///
/// # Panics
/// When that file cannot be written: a test must not be skipped in secret.
#[expect(clippy::print_stderr, reason = "a test talks to whoever runs it")]
#[expect(clippy::disallowed_methods, reason = "the runner tells by the environment where skipped tests are counted")]
pub fn skip(reason: &str) {
    let test = test();
    eprintln!("SKIPPED {test}: {reason}");
    let Some(path) = std::env::var_os(FILE) else { return };
    // One write of one line: processes that append at once do not mix.
    let line = format!("{test}: {reason}\n");
    let written =
        OpenOptions::new().append(true).create(true).open(&path).and_then(|mut file| file.write_all(line.as_bytes()));
    written.unwrap_or_else(|error| panic!("{} cannot be written: {error}", path.display()));
}

/// Tells that this machine does not let whoever runs the tests do what the current one is about, such as mounting a disk. The test then
/// returns.
///
/// Not counted as skipped: nothing that could be installed would change it.
#[expect(clippy::print_stderr, reason = "a test talks to whoever runs it")]
pub fn not_allowed(reason: &str) {
    eprintln!("NOT ALLOWED {}: {reason}", test());
}

#[expect(clippy::disallowed_methods, reason = "the runner tells by the environment which test it is")]
fn test() -> String {
    let name = std::env::var("NEXTEST_TEST_NAME").ok();
    name.or_else(|| std::thread::current().name().map(str::to_owned)).unwrap_or_else(|| "a test".to_owned())
}
