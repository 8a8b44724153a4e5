//! From a swap of a component to the first byte of the new one's answer.
//!
//! Twice: in a node of a process of its own, which is the swap and nothing else; and by a change of the file under
//! `wharf up --watch`, which has the program's wait for the file to come to rest in it. Both components are in the
//! cache, so nothing is compiled. Every request on the way is checked: none may fail.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use serde_json::json;

use super::components::{Entry, saying, write_manifest};
use super::cores::{self, Cores};
use super::launch::Launch;
use super::report::{Report, Target, Wanted, number};
use super::server::Server;
use super::statistics::{median, percentile};
use super::{Bench, require};
use xtask_setup::run;

/// What the two components answer.
const BODIES: [&str; 2] = ["hello\n", "swap!\n"];
/// How long a change may take, the first compilation included.
const CHANGE_TIMEOUT: Duration = Duration::from_secs(20);

/// Measures and reports; returns what was to be reached.
pub(crate) fn run(bench: &Bench, cores: Cores, report: &mut Report) -> Option<Target> {
    if let Err(error) = watched(bench, cores).map(|times| add("change of a file under `--watch`", &times, report)) {
        report.fail("swap under --watch", &error);
    }
    let times = in_process(bench, cores);
    match times {
        Ok(times) => {
            add("swap in process", &times, report);
            let what = "swap of a compiled component to first byte".to_owned();
            Some(Target { what, measured: median(times), wanted: Wanted::AtMost(5.0), unit: " ms" })
        }
        Err(error) => {
            report.fail("swap in process", &error);
            None
        }
    }
}

/// Adds a line about times in milliseconds.
fn add(what: &str, times: &[f64], report: &mut Report) {
    let (middle, slow) = (median(times.iter().copied()), percentile(times.iter().copied(), 0.9));
    report.add(format!(
        "First byte of the new component after {what}: {} ms, p90 {} ms.\n",
        number(middle),
        number(slow)
    ));
    report.raw[what] = json!({ "milliseconds": times });
}

/// Writes the two components and returns their files.
fn write_versions(folder: &Path, bench: &Bench) -> Result<[PathBuf; 2]> {
    let old = fs::read(bench.guest("hello")?)?;
    let new = saying(&old, BODIES[0], BODIES[1])?;
    let files = ["old.wasm", "new.wasm"].map(|name| folder.join(name));
    fs::write(&files[0], old)?;
    fs::write(&files[1], new)?;
    Ok(files)
}

// === In a process ===

fn in_process(bench: &Bench, cores: Cores) -> Result<Vec<f64>> {
    require(&bench.swap)?;
    let folder = bench.empty_folder("swap")?;
    let [old, new] = write_versions(&folder, bench)?;
    let mut command = Command::new(&bench.swap);
    command.args([old, new, folder.join("state")]).arg(bench.options.runs.to_string());
    // Node and client share a core: they take turns.
    let lines = cores::on(cores.server, || run::output(&mut command))??;
    let times = lines.lines().filter_map(|line| line.split_whitespace().nth(1)?.parse::<f64>().ok());
    Ok(times.map(|micros| micros / 1e3).collect())
}

// === Under `--watch` ===

fn watched(bench: &Bench, cores: Cores) -> Result<Vec<f64>> {
    let folder = bench.empty_folder("swap")?;
    let app = folder.join("app");
    write_manifest(&app, &[Entry::new("hello", "/...")])?;
    let versions = write_versions(&folder, bench)?;
    fs::copy(&versions[0], app.join("hello.wasm"))?;

    let launch = Launch::Wharf { app: app.clone(), state: folder.join("state"), more: vec!["--watch".to_owned()] };
    let server = Server::start("swap", &launch, cores.server, bench)?;
    let mut times = Vec::new();
    // There and back again first, so that both are compiled.
    for change in 0..bench.options.runs + 2 {
        let new = (change + 1) % 2;
        let next = folder.join("next.wasm");
        fs::copy(&versions[new], &next)?;
        let time = cores::on(cores.load, || replace(&next, &app.join("hello.wasm"), BODIES[new], &server))??;
        times.push(time.as_secs_f64() * 1e3);
    }
    server.stop()?;
    Ok(times.split_off(2))
}

/// Puts the new file in the place of the old one and asks until the new component answers.
fn replace(next: &Path, file: &Path, wanted: &str, server: &Server) -> Result<Duration> {
    let start = Instant::now();
    fs::rename(next, file)?;
    while start.elapsed() < CHANGE_TIMEOUT {
        let answer = server.get("/").context("a request failed during the change")?;
        if answer.status != 200 || !BODIES.iter().any(|body| body.as_bytes() == answer.body) {
            bail!("a request failed during the change: {answer:?}");
        }
        if answer.body == wanted.as_bytes() {
            return Ok(answer.first_byte - start);
        }
    }
    bail!("the old component still answers after {} s", CHANGE_TIMEOUT.as_secs())
}
