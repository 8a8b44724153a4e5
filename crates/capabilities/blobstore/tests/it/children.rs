//! Tests of this program that run in a process of their own: to be killed, measured, or held in worse conditions.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The variable by which such a test finds its folder.
const FOLDER: &str = "WHARF_TEST_BLOBS";

/// The variable with the settings of its backend.
const SETTINGS: &str = "WHARF_TEST_BLOBS_SETTINGS";

/// Returns the folder of a test that was run by another one; nothing when the runner ran it.
pub(crate) fn folder() -> Option<PathBuf> {
    env::var_os(FOLDER).map(PathBuf::from)
}

/// Returns the settings that the other one gave.
pub(crate) fn settings() -> String {
    env::var(SETTINGS).unwrap_or_default()
}

/// Returns the command that runs one test, behind another command that prepares its world.
pub(crate) fn command(test: &str, folder: &Path, before: &[&str]) -> Command {
    let program = env::current_exe().unwrap();
    let mut words = before.iter().map(Path::new).chain([&*program, Path::new("--exact"), Path::new(test)]);
    let mut command = Command::new(words.next().unwrap());
    command.args(words).args(["--nocapture", "--test-threads=1"]).env(FOLDER, folder);
    command
}

/// Runs a test to its end, which has to be a good one, and returns what it printed.
pub(crate) fn run(test: &str, folder: &Path, before: &[&str], settings: &str) -> String {
    let output = command(test, folder, before).env(SETTINGS, settings).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{text}\n{}", String::from_utf8_lossy(&output.stderr));
    assert!(text.contains("1 passed"), "{text}");
    text
}

/// Tells whether a command that prepares a world works here.
pub(crate) fn works(before: &[&str]) -> bool {
    let (program, args) = before.split_first().unwrap();
    Command::new(program).args(args).arg("true").output().is_ok_and(|output| output.status.success())
}
