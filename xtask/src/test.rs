//! `cargo xtask test`: from a fresh machine to the runner's summary.
//!
//! The summary is the last thing printed, and the exit code is that of the first step that failed.

use std::path::Path;
use std::process::{Command, ExitCode};
use std::time::Instant;
use std::{env, fs};

use anyhow::{Context as _, Result};

use xtask_setup::{debian, guests, run, services};

const USAGE: &str = "usage: cargo xtask test [FILTER...]

Installs what the tests need and this machine lacks, builds the guests, runs the doc tests, then every other test.
With filters, runs only the tests whose names contain one of them, and no doc tests.

Tests that need what is not there are skipped, and listed at the end; where the variable CI is set, that is a failure.

On Debian and Ubuntu it installs packages with apt-get (as root or through sudo); elsewhere it names them.
";

/// The last version that this project was tested with; any that is installed already will do.
const NEXTEST: &str = "0.9.143";

pub(crate) fn run(filters: &[String]) -> Result<ExitCode> {
    if filters.iter().any(|filter| filter.starts_with('-')) {
        eprint!("{USAGE}");
        let is_help = filters.iter().any(|filter| filter == "--help" || filter == "-h");
        return Ok(if is_help { ExitCode::SUCCESS } else { ExitCode::from(2) });
    }
    debian::set_up()?;
    let mut nextest = timed("cargo-nextest", nextest)?;
    timed("servers for tests", services::set_up)?;
    let guests = timed("guests", || guests::run(&["--setup", "--require-all"].map(str::to_owned)))?;
    if guests != ExitCode::SUCCESS {
        return Ok(guests);
    }
    if filters.is_empty() {
        let mut doc_tests = run::command("cargo", &["test", "--quiet", "--locked", "--workspace", "--doc"]);
        let status = timed("doc tests", || run::status(&mut doc_tests))?;
        if !status.success() {
            return Ok(run::exit_code(status));
        }
    }
    nextest.args(["nextest", "run", "--locked", "--workspace", "--no-tests=pass"]).args(filters);
    // Of this process: two may run at once.
    let file = run::root().join(format!("target/testkit/skipped-{}", std::process::id()));
    let result = run_tests(&mut nextest, &file, env::var_os("CI").is_some());
    // Left behind it does no harm.
    let _ = fs::remove_file(file);
    result
}

/// Runs the runner and tells which tests were skipped: to the runner, which knows no such thing, those have passed.
fn run_tests(nextest: &mut Command, file: &Path, must_run_all: bool) -> Result<ExitCode> {
    fs::create_dir_all(file.parent().unwrap_or(file))?;
    fs::write(file, "").with_context(|| format!("cannot write {}", file.display()))?;
    let status = run::status(nextest.env("WHARF_SKIPPED", file))?;
    let skipped = skipped(file)?;
    if skipped.is_empty() {
        return Ok(run::exit_code(status));
    }
    println!("\n{} skipped:\n  {}", skipped.len(), skipped.join("\n  "));
    if must_run_all && status.success() {
        eprintln!("error: CI is set, and a skipped test proves nothing");
        return Ok(ExitCode::FAILURE);
    }
    Ok(run::exit_code(status))
}

/// Returns a line for each skipped test, with its first reason.
fn skipped(file: &Path) -> Result<Vec<String>> {
    let text = fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    lines.sort();
    lines.dedup_by(|one, other| one.split(": ").next() == other.split(": ").next());
    Ok(lines)
}

/// Returns the command that runs nextest, which it installs when there is none.
fn nextest() -> Result<Command> {
    if run::succeeds(&mut run::command("cargo", &["nextest", "--version"])) {
        return Ok(run::command("cargo", &[]));
    }
    let program = run::root().join("target/tools/cargo/bin/cargo-nextest").to_string_lossy().into_owned();
    if !run::succeeds(&mut run::command(&program, &["nextest", "--version"])) {
        println!("installing cargo-nextest {NEXTEST} into target/tools");
        // Without the code that updates itself.
        install("cargo-nextest", NEXTEST, &["--no-default-features", "--features", "default-no-update"])?;
    }
    Ok(run::command(&program, &[]))
}

/// Installs a tool of cargo into `target/tools/cargo`.
pub(crate) fn install(name: &str, version: &str, features: &[&str]) -> Result<()> {
    let args = ["install", name, "--version", version, "--locked", "--quiet", "--root", "target/tools/cargo"];
    let mut command = run::command("cargo", &[&args[..], features].concat());
    // A tool that mostly waits for others: what counts is the time until it is there.
    command.env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "0").env("CARGO_PROFILE_RELEASE_LTO", "off");
    command.env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16").env("CARGO_PROFILE_RELEASE_DEBUG", "0");
    command.env("CARGO_TARGET_DIR", run::root().join("target/tools/build"));
    run::succeed(&mut command)
}

fn timed<T>(what: &str, step: impl FnOnce() -> Result<T>) -> Result<T> {
    let started = Instant::now();
    let result = step();
    println!("{what}: {:.0} s", started.elapsed().as_secs_f64());
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs `script` as the runner, in a file of skipped tests of its own.
    #[track_caller]
    fn check(name: &str, script: &str, must_run_all: bool, expected: ExitCode) {
        let file = env::temp_dir().join(format!("wharf-skipped-{name}-{}", std::process::id()));
        let code = run_tests(&mut run::command("sh", &["-c", script]), &file, must_run_all).unwrap();
        fs::remove_file(file).unwrap();
        assert_eq!(code, expected);
    }

    #[test]
    fn fails_for_skipped_tests_where_all_must_run() {
        let skip = "echo 'a::b: no server' >> \"$WHARF_SKIPPED\"";
        check("none", "true", true, ExitCode::SUCCESS);
        check("some", skip, true, ExitCode::FAILURE);
        check("allowed", skip, false, ExitCode::SUCCESS);
        check("failed", "exit 7", false, ExitCode::from(7));
        check("both", &format!("{skip}; exit 7"), true, ExitCode::from(7));
    }

    #[test]
    fn tells_each_skipped_test_once() {
        let file = env::temp_dir().join(format!("wharf-skipped-list-{}", std::process::id()));
        fs::write(&file, "b: no x\na: no x: why\nb: no y\n").unwrap();
        assert_eq!(skipped(&file).unwrap(), ["a: no x: why", "b: no x"]);
        fs::remove_file(file).unwrap();
    }
}
