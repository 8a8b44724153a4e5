//! `cargo xtask test`: from a fresh machine to the runner's summary.
//!
//! The summary is the last thing printed, and the exit code is that of the first step that failed.

use std::process::{Command, ExitCode};
use std::time::Instant;

use anyhow::Result;

use crate::{debian, guests, run};

const USAGE: &str = "usage: cargo xtask test [FILTER...]

Installs what the tests need and this machine lacks, builds the guests, runs the doc tests, then every other test.
With filters, runs only the tests whose names contain one of them, and no doc tests.

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
    Ok(run::exit_code(run::status(&mut nextest)?))
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
