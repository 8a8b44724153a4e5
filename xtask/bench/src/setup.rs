//! Builds and installs everything that the benchmarks measure or measure with; does nothing when all is there.

use std::process::{Command, ExitCode};

use anyhow::{Result, bail};

use super::Bench;
use xtask_setup::{debian, guests, run};

const WASMTIME_VERSION: &str = "48.0.8";
/// The load generator and the instruction counter, from Debian.
const PACKAGES: &[&str] = &["wrk", "valgrind"];
const GUESTS: &[&str] = &["hello", "hello-p3", "late-p3", "misbehave", "misbehave-p3", "laps"];

pub(crate) fn set_up(bench: &Bench) -> Result<()> {
    packages()?;
    wasmtime(bench)?;
    native(bench)?;
    if bench.options.wharf.is_none() {
        build(Command::new("cargo").args(["build", "--release", "--package", "wharf-cli"]), bench)?;
    }
    let args: Vec<String> = GUESTS.iter().flat_map(|name| ["--only", name]).map(str::to_owned).collect();
    if guests::run(&args)? != ExitCode::SUCCESS {
        bail!("the guests were not built; `cargo xtask guests --setup` installs what they need");
    }
    Ok(())
}

fn packages() -> Result<()> {
    let missing: Vec<&str> = PACKAGES.iter().copied().filter(|name| !guests::has_program(name)).collect();
    debian::install(&missing)
}

fn wasmtime(bench: &Bench) -> Result<()> {
    let version = Command::new(&bench.wasmtime).arg("--version").output();
    if version.is_ok_and(|output| String::from_utf8_lossy(&output.stdout).contains(WASMTIME_VERSION)) {
        return Ok(());
    }
    println!("installing wasmtime-cli {WASMTIME_VERSION}");
    let mut install = Command::new("cargo");
    install.args(["install", "wasmtime-cli", "--version", WASMTIME_VERSION, "--locked", "--force", "--root"]);
    build(install.arg(bench.root.join("target/tools/wasmtime")), bench)
}

fn native(bench: &Bench) -> Result<()> {
    let mut cargo = Command::new("cargo");
    cargo.args(["build", "--release", "--manifest-path"]).arg(bench.root.join("benches/Cargo.toml"));
    build(cargo.arg("--target-dir").arg(bench.root.join("target/benches")), bench)
}

/// Runs Cargo in the root, with output in the folders that the benchmarks look in.
fn build(cargo: &mut Command, bench: &Bench) -> Result<()> {
    run::succeed(cargo.current_dir(&bench.root).env_remove("CARGO_TARGET_DIR"))
}
