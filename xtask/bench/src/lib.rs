//! Measures the program beside `wasmtime serve` and a native server, on one machine and in one run.
//!
//! Each benchmark prints a Markdown table and leaves it, with the raw numbers, in `target/bench`. `docs/performance.md`
//! says how to read them.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a command talks to its user")]
#![allow(clippy::disallowed_methods, reason = "a task reads the environment and measures itself; nothing simulates it")]

mod calls;
mod capabilities;
mod client;
mod components;
mod cores;
mod density;
mod edit;
mod http;
mod instructions;
mod launch;
mod machine;
mod neighbours;
mod options;
mod process;
mod report;
mod server;
mod setup;
mod start;
mod statistics;
mod swap;
#[cfg(test)]
mod tests;
mod wrk;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, Result, bail};

use options::Options;
use report::Report;

use xtask_setup::run::root;

const USAGE: &str = "usage: cargo xtask bench <task> [options]

tasks:
  setup          build and install everything that the others measure
  http           requests/s, latencies and memory beside `wasmtime serve` and native
  start          process start, and change of a component, to the first byte
  density        memory of idle apps and of suspended requests
  neighbours     one good component beside eight that spin for ever
  instructions   instructions of the hot stops, compared with benches/instructions.toml
  loop           from saving a change to the first answer of the new code, for each language
  calls          calls from component to component: fused, isolated, by HTTP
  capabilities   calls of capabilities in a guest's view, beside native Rust on the same servers
  all            all of the above, one after another

options:
  --seconds N    http, neighbours: seconds of load per measurement (4)
  --rounds N     http: alternated rounds (3)
  --runs N       start: alternated starts (20); loop: changes, at most 5
  --apps N       density: a number of apps to load; may be repeated (0, 100, 1000, 10000)
  --only TEXT    rows whose name contains TEXT; may be repeated
  --wharf FILE   measure this program instead of target/release/wharf
  --save         instructions: make what was counted the baseline
";

type Task = fn(&Bench) -> Result<Report>;

/// The tasks that measure, in the order of `all`.
const TASKS: &[(&str, Task)] = &[
    ("http", http::run),
    ("start", start::run),
    ("density", density::run),
    ("neighbours", neighbours::run),
    ("instructions", instructions::run),
    ("loop", edit::run),
    ("calls", calls::run),
    ("capabilities", capabilities::run),
];

/// Where things are, and what was asked for.
pub(crate) struct Bench {
    pub(crate) root: PathBuf,
    /// Folder of all that the benchmarks write.
    pub(crate) out: PathBuf,
    pub(crate) wharf: PathBuf,
    pub(crate) wasmtime: PathBuf,
    pub(crate) native: PathBuf,
    pub(crate) stops: PathBuf,
    pub(crate) swap: PathBuf,
    pub(crate) capabilities: PathBuf,
    pub(crate) options: Options,
}

/// Runs a benchmark, or all.
///
/// # Errors
/// When something that it needs is missing, or nothing could be measured.
pub fn run(args: &[String]) -> Result<ExitCode> {
    let Some((task, options)) = args.split_first().and_then(|(task, rest)| Some((task, Options::parse(rest)?))) else {
        eprint!("{USAGE}");
        return Ok(ExitCode::from(2));
    };
    let bench = Bench::find(options)?;
    if task == "setup" {
        setup::set_up(&bench)?;
        return Ok(ExitCode::SUCCESS);
    }
    if task == "all" {
        setup::set_up(&bench)?;
        return all(&bench);
    }
    let Some((name, task)) = TASKS.iter().find(|(name, _)| name == task) else {
        eprint!("{USAGE}");
        return Ok(ExitCode::from(2));
    };
    let report = task(&bench)?;
    report.write(name, &bench)?;
    Ok(report.exit_code())
}

/// Runs every benchmark and gathers what they printed in one file; one that fails does not stop the others.
fn all(bench: &Bench) -> Result<ExitCode> {
    let mut pages = machine::markdown(bench);
    let mut failed = false;
    for (name, task) in TASKS {
        eprintln!("=== {name}");
        let page = match task(bench) {
            Ok(report) => {
                report.write(name, bench)?;
                failed |= !report.failures.is_empty();
                report.markdown()
            }
            Err(error) => {
                eprintln!("error: {name}: {error:#}");
                failed = true;
                format!("No result: {error:#}\n")
            }
        };
        pages.push_str(&format!("\n## {name}\n\n{page}"));
    }
    let file = bench.out.join("report.md");
    fs::write(&file, pages).with_context(|| format!("cannot write {}", file.display()))?;
    eprintln!("everything is in {}", file.display());
    Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

// === impl Bench ===

impl Bench {
    fn find(options: Options) -> Result<Bench> {
        let root = root();
        let target = root.join("target");
        let out = target.join("bench");
        fs::create_dir_all(&out)?;
        Ok(Bench {
            wharf: options.wharf.clone().unwrap_or_else(|| target.join("release/wharf")),
            wasmtime: target.join("tools/wasmtime/bin/wasmtime"),
            native: target.join("benches/release/native-hyper"),
            stops: target.join("benches/release/stops"),
            swap: target.join("benches/release/swap"),
            capabilities: target.join("benches/release/capabilities"),
            root,
            out,
            options,
        })
    }

    /// Returns the file of a built guest.
    pub(crate) fn guest(&self, name: &str) -> Result<PathBuf> {
        let file = self.root.join("target/guests").join(format!("{name}.wasm"));
        require(&file)?;
        Ok(file)
    }

    /// Returns an empty folder for one benchmark.
    pub(crate) fn empty_folder(&self, name: &str) -> Result<PathBuf> {
        let folder = self.out.join(name);
        remove_folder(&folder)?;
        fs::create_dir_all(&folder)?;
        Ok(folder)
    }
}

/// Fails when a file that the setup makes is not there.
pub(crate) fn require(file: &Path) -> Result<()> {
    if !file.exists() {
        bail!("{} is missing; `cargo xtask bench setup` makes it", file.display());
    }
    Ok(())
}

/// Removes a folder if it is there.
pub(crate) fn remove_folder(folder: &Path) -> Result<()> {
    if folder.exists() {
        fs::remove_dir_all(folder).with_context(|| format!("cannot remove {}", folder.display()))?;
    }
    Ok(())
}
