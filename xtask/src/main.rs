//! The project's own tasks: `cargo xtask <task>`.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a command talks to its user")]
#![allow(clippy::disallowed_methods, reason = "a task reads the environment and measures itself; nothing simulates it")]

mod deny;
mod docs;
mod finding;
mod layers;
mod test;
mod tidy;
mod tree;

use std::process::ExitCode;

use anyhow::Result;

const USAGE: &str = "usage: cargo xtask <task>

tasks:
  test      set up this machine, build the guests, run every test (--help says more)
  guests    build the examples and the test guests (--help says more)
  tidy      check what a compiler does not: sizes, headers, words, error codes, manifests
  layers    check which crate uses which; --print shows the table
  deny      check what we depend on against deny.toml; --full uses cargo-deny
  docs      write the reference pages that the program makes
  bench     measure beside `wasmtime serve` and a native server (--help says more)
";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let result = match args.split_first() {
        Some((task, rest)) => run_task(task, rest),
        None => None,
    };
    result.unwrap_or_else(usage).unwrap_or_else(|error| {
        eprintln!("error: {error:#}");
        ExitCode::FAILURE
    })
}

/// Returns nothing when there is no such task.
fn run_task(task: &str, args: &[String]) -> Option<Result<ExitCode>> {
    Some(match task {
        "test" => test::run(args),
        "guests" => xtask_setup::guests::run(args),
        "tidy" => tidy::run(args),
        "layers" => layers::run(args),
        "deny" => deny::run(args),
        "docs" => docs::run(args),
        "bench" => xtask_bench::run(args),
        _ => return None,
    })
}

fn usage() -> Result<ExitCode> {
    eprint!("{USAGE}");
    Ok(ExitCode::from(2))
}
