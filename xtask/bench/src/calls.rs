//! A call from one component to another: fused, isolated, and by HTTP on loopback.
//!
//! The guest measures: it makes the call many times and answers with the nanoseconds of all.

use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result};

use super::Bench;
use super::client::get;
use super::cores::Cores;
use super::launch::Launch;
use super::report::{Report, Table, Target, Wanted, number};
use super::server::Server;

const ROUNDS: usize = 5;
const READY: Duration = Duration::from_secs(120);
const ANSWER: Duration = Duration::from_secs(60);
/// Calls of one request; short enough for one to be a small part of a second.
const FUSED: u64 = 1_000_000;
const ISOLATED: u64 = 20_000;
const HTTP: u64 = 1_000;

const LIMITS: &str = "limits = { cpu = \"1m\", wall = \"1m\" }";

pub(crate) fn run(bench: &Bench) -> Result<Report> {
    let cores = Cores::find()?;
    let folder = bench.empty_folder("calls")?;
    let fused = linked(bench, &folder, "fused", cores.server, FUSED)?;
    let isolated = linked(bench, &folder, "isolated", cores.server, ISOLATED)?;
    let http = by_http(bench, &folder, cores)?;
    let mut table = Table::new(&["call of `add(u32, u32)`", "a call", "beside fused"]);
    for (name, nanos) in [("fused", fused), ("isolated", isolated), ("HTTP on loopback, a fresh instance each", http)] {
        let time =
            if nanos < 1000.0 { format!("{} ns", number(nanos)) } else { format!("{} µs", number(nanos / 1000.0)) };
        table.row(&[name.to_owned(), time, format!("{} ×", number(nanos / fused))]);
    }
    let mut report = Report::default();
    report.add(table.finish());
    let target = |what: &str, nanos: f64, wanted: f64| Target {
        what: what.to_owned(),
        measured: nanos / 1000.0,
        wanted: Wanted::AtMost(wanted),
        unit: " µs",
    };
    report.add_targets(&[target("a fused call", fused, 0.5), target("an isolated call", isolated, 10.0)]);
    Ok(report)
}

/// Returns the nanoseconds of one call, the least of several rounds.
fn linked(bench: &Bench, folder: &Path, link: &str, core: usize, count: u64) -> Result<f64> {
    let app = folder.join(link);
    fs::create_dir_all(&app)?;
    for guest in ["front", "shapes"] {
        fs::copy(bench.guest(guest)?, app.join(format!("{guest}.wasm")))?;
    }
    let manifest = format!(
        "name = \"calls\"\n[component.front]\nsource = \"front.wasm\"\n{LIMITS}\n[component.front.dependencies]\n\
         \"test:shapes\" = {{ component = \"shapes\", link = \"{link}\" }}\n[component.shapes]\nsource = \"shapes.wasm\"\n{LIMITS}\n\
         [[trigger.http]]\nroute = \"/...\"\ncomponent = \"front\"\n"
    );
    fs::write(app.join("wharf.toml"), manifest)?;
    let launch = Launch::Wharf { app, state: folder.join(format!("{link}-state")), more: Vec::new() };
    let mut server = Server::spawn(&format!("calls {link}"), &launch, core, bench)?;
    server.wait_for("/add?a=1&b=2", READY)?;
    let nanos = least(&server, &format!("/laps?count={count}"), count)?;
    server.stop()?;
    Ok(nanos)
}

/// Returns the nanoseconds of one request of a component to another program on this machine.
fn by_http(bench: &Bench, folder: &Path, cores: Cores) -> Result<f64> {
    let hello = Launch::Wharf { app: bench.guest("hello")?, state: folder.join("hello-state"), more: Vec::new() };
    let callee = Server::start("calls callee", &hello, cores.load, bench)?;
    let app = folder.join("http");
    fs::create_dir_all(&app)?;
    fs::copy(bench.guest("laps")?, app.join("laps.wasm"))?;
    let port = callee.address.port();
    let manifest = format!(
        "name = \"calls\"\n[component.laps]\nsource = \"laps.wasm\"\n{LIMITS}\n[component.laps.grants]\n\
         http = [\"http://127.0.0.1:{port}\"]\n[[trigger.http]]\nroute = \"/...\"\ncomponent = \"laps\"\n"
    );
    fs::write(app.join("wharf.toml"), manifest)?;
    let launch = Launch::Wharf { app, state: folder.join("http-state"), more: Vec::new() };
    let mut caller = Server::spawn("calls caller", &launch, cores.server, bench)?;
    caller.wait_for(&format!("/http?port={port}&count=1"), READY)?;
    let nanos = least(&caller, &format!("/http?port={port}&count={HTTP}"), HTTP)?;
    caller.stop()?;
    callee.stop()?;
    Ok(nanos)
}

fn least(server: &Server, path: &str, count: u64) -> Result<f64> {
    let mut least = f64::INFINITY;
    for _ in 0..ROUNDS {
        let answer = get(server.address, path, ANSWER)?;
        let text = String::from_utf8_lossy(&answer.body).into_owned();
        let nanos = text.split_whitespace().next().and_then(|word| word.parse::<f64>().ok());
        let nanos = nanos.with_context(|| format!("{path} was answered {text:?}"))?;
        least = least.min(nanos / count as f64);
    }
    Ok(least)
}
