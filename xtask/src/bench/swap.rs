//! From the change of a component's file to the first byte of the new one's answer, under `wharf up --watch`.
//!
//! Both components are in the cache, so nothing is compiled. What is measured has the program's wait for the file to
//! come to rest in it. Every request on the way is checked: none may fail.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use serde_json::json;

use super::Bench;
use super::components::{Entry, saying, write_manifest};
use super::cores::{self, Cores};
use super::launch::Launch;
use super::report::{Report, Target, Wanted, number};
use super::server::Server;
use super::statistics::{median, percentile};

/// What the two components answer.
const BODIES: [&str; 2] = ["hello\n", "swap!\n"];
/// How long a change may take, the first compilation included.
const CHANGE_TIMEOUT: Duration = Duration::from_secs(20);

/// Measures and reports; returns what was to be reached.
pub(crate) fn run(bench: &Bench, cores: Cores, report: &mut Report) -> Option<Target> {
    let times = match measure(bench, cores) {
        Ok(times) => times,
        Err(error) => {
            report.fail("swap", &error);
            return None;
        }
    };
    let millis = || times.iter().map(|time| time.as_secs_f64() * 1e3);
    let middle = median(millis());
    report.add(format!(
        "Change of a compiled component's file to the first byte of the new one, `--watch`: median {} ms, p90 {} ms.\n",
        number(middle),
        number(percentile(millis(), 0.9))
    ));
    report.raw["swap"] = json!(times.iter().map(|time| time.as_micros() as u64).collect::<Vec<_>>());
    let what = "swap to first byte, with the watching of files".to_owned();
    Some(Target { what, measured: middle, wanted: Wanted::AtMost(5.0), unit: " ms" })
}

fn measure(bench: &Bench, cores: Cores) -> Result<Vec<Duration>> {
    let folder = bench.empty_folder("swap")?;
    let app = folder.join("app");
    write_manifest(&app, &[Entry::new("hello", "/...")])?;
    let old = fs::read(bench.guest("hello")?)?;
    let versions = [old.clone(), saying(&old, BODIES[0], BODIES[1])?];
    fs::write(app.join("hello.wasm"), &versions[0])?;

    let launch = Launch::Wharf { app: app.clone(), state: folder.join("state"), more: vec!["--watch".to_owned()] };
    let server = Server::start("swap", &launch, cores.server, bench)?;
    // There and back again, so that both are compiled.
    let mut times = Vec::new();
    for change in 0..bench.options.runs + 2 {
        let new = (change + 1) % 2;
        let next = folder.join("next.wasm");
        fs::write(&next, &versions[new])?;
        times.push(cores::on(cores.load, || replace(&next, &app.join("hello.wasm"), BODIES[new], &server))??);
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
