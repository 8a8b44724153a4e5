//! One good component beside eight that spin for ever, on one core.

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use serde_json::{Value, json};

use super::Bench;
use super::client::Connection;
use super::components::{Entry, numbered, write_manifest};
use super::cores::{self, Cores};
use super::launch::Launch;
use super::process::processor_seconds;
use super::report::{Report, Table, Target, Wanted, number};
use super::server::Server;
use super::wrk::{self, Load, Measured};

const SPINNERS: usize = 8;
const CONNECTIONS: [u32; 3] = [1, 16, 64];
/// Index of the number of connections that the target speaks of.
const FULL: usize = 2;
/// Longer than any benchmark: a spinner is never ended.
const LIMITS: &str = "limits = { cpu = \"1h\", wall = \"1h\" }";
/// How long a client of a spinner waits before it looks whether to stop.
const PATIENCE: Duration = Duration::from_millis(500);
/// How long it may take until the spinners spin, and until they are gone.
const TURN_TIMEOUT: Duration = Duration::from_secs(20);
/// The share of its core that a server uses whose guests spin: not all of it, the machine may have other work.
const BUSY: f64 = 0.7;
const CALM: f64 = 0.1;

/// What the good one did at one time.
type Phase = (&'static str, [Measured; 3]);

pub(crate) fn run(bench: &Bench) -> Result<Report> {
    let cores = Cores::find()?;
    let folder = bench.empty_folder("neighbours")?;
    write_app(&folder, bench)?;
    let launch = Launch::Wharf { app: folder.join("app"), state: folder.join("state"), more: Vec::new() };
    let mut server = Server::spawn("neighbours", &launch, cores.server, bench)?;
    server.wait_for("/ready", Duration::from_secs(120))?.expect("ready\n")?;

    let alone = good(&server, cores, bench)?;
    let stop = AtomicBool::new(false);
    let ended = AtomicU64::new(0);
    let crowded = thread::scope(|scope| {
        for spinner in 0..SPINNERS {
            let (server, stop, ended) = (&server, &stop, &ended);
            scope.spawn(move || cores::on(cores.load, || keep_busy(spinner, server, stop, ended)));
        }
        let crowded = wait_until(&server, |share| share > BUSY).and_then(|_| good(&server, cores, bench));
        stop.store(true, Ordering::Relaxed);
        crowded
    })?;
    let ended = ended.into_inner();
    // The clients of the spinners have left, and with them the spinners.
    let calm = wait_until(&server, |share| share < CALM)?;
    let afterwards = good(&server, cores, bench)?;
    server.stop()?;
    Ok(make_report(&[("alone", alone), ("beside eight that spin", crowded), ("afterwards", afterwards)], ended, calm))
}

fn write_app(folder: &Path, bench: &Bench) -> Result<()> {
    let app = folder.join("app");
    let spinner = |number: usize| Entry {
        name: format!("spin-{number}"),
        // The guest chooses its case by the path, so the host tells the eight apart.
        host: Some(host(number)),
        route: "/loop-before".to_owned(),
        more: LIMITS,
    };
    let mut entries: Vec<Entry<'_>> = (0..SPINNERS).map(spinner).collect();
    entries.push(Entry::new("good", "/good"));
    write_manifest(&app, &entries)?;
    let component = fs::read(bench.guest("misbehave")?)?;
    for number in 0..SPINNERS {
        fs::write(app.join(format!("spin-{number}.wasm")), numbered(&component, number as u64))?;
    }
    fs::copy(bench.guest("hello")?, app.join("good.wasm"))?;
    Ok(())
}

fn good(server: &Server, cores: Cores, bench: &Bench) -> Result<[Measured; 3]> {
    let load = |connections| {
        let load = Load { connections, seconds: bench.options.seconds, path: "/good", body: "hello\n" };
        wrk::run(&load, server, cores, bench)
    };
    Ok([load(CONNECTIONS[0])?, load(CONNECTIONS[1])?, load(CONNECTIONS[2])?])
}

/// Keeps one request of a spinner open, and asks again whenever it ends.
fn keep_busy(spinner: usize, server: &Server, stop: &AtomicBool, ended: &AtomicU64) -> Result<()> {
    while !stop.load(Ordering::Relaxed) {
        let mut connection = Connection::open(server.address, PATIENCE)?;
        connection.host = host(spinner);
        connection.send("/loop-before")?;
        while !stop.load(Ordering::Relaxed) {
            if connection.has_news()? {
                ended.fetch_add(1, Ordering::Relaxed);
                break;
            }
        }
    }
    Ok(())
}

/// Waits until the share of its core that the server uses is as wanted, and returns how long that took.
fn wait_until(server: &Server, wanted: impl Fn(f64) -> bool) -> Result<Duration> {
    const LOOK: Duration = Duration::from_millis(500);
    let start = Instant::now();
    loop {
        let before = processor_seconds(server.pid())?;
        thread::sleep(LOOK);
        let share = (processor_seconds(server.pid())? - before) / LOOK.as_secs_f64();
        if wanted(share) {
            return Ok(start.elapsed());
        }
        ensure!(start.elapsed() < TURN_TIMEOUT, "the server uses {share:.2} of its core");
    }
}

fn host(spinner: usize) -> String {
    format!("spin-{spinner}.example.com")
}

// === What is said about it ===

fn make_report(phases: &[Phase], ended: u64, calm: Duration) -> Report {
    let [alone, crowded, ..] = phases else { return Report::default() };
    let mut report = Report::default();
    report.add(table(phases));
    report.add(format!(
        "Requests of spinners that ended on their own: {ended}. The core was free {} s after their clients left.\n",
        number(calm.as_secs_f64())
    ));
    let share = |at: usize| crowded.1[at].per_second / alone.1[at].per_second;
    let mut targets = vec![Target {
        what: format!("throughput of the good one at {}, of alone / {SPINNERS}", CONNECTIONS[FULL]),
        measured: share(FULL) * SPINNERS as f64,
        wanted: Wanted::AtLeast(0.5),
        unit: " ×",
    }];
    targets.extend(crowded.1.iter().zip(CONNECTIONS).map(|(measured, connections)| Target {
        what: format!("p99 of the good one at {connections}"),
        measured: measured.p99_us / 1e3,
        wanted: Wanted::AtMost(50.0),
        unit: " ms",
    }));
    report.add_targets(&targets);
    let phase = |(name, measured): &Phase| json!({ "phase": name, "wrk": measured.each_ref().map(|m| &m.raw) });
    report.raw = json!({ "spinners": SPINNERS, "ended": ended, "calm_after_s": calm.as_secs_f64(), "phases": Value::from_iter(phases.iter().map(phase)) });
    report
}

fn table(phases: &[Phase]) -> String {
    let fair = format!("of alone / {} at 1 / 16 / 64", SPINNERS + 1);
    let mut table = Table::new(&["the good one", "req/s at 1 / 16 / 64", "p50 ms", "p99 ms", &fair]);
    let alone = &phases[0].1;
    for (name, measured) in phases {
        let each = |value: &dyn Fn(usize) -> f64| [0, 1, FULL].map(|at| number(value(at))).join(" / ");
        table.row(&[
            (*name).to_owned(),
            each(&|at| measured[at].per_second),
            each(&|at| measured[at].p50_us / 1e3),
            each(&|at| measured[at].p99_us / 1e3),
            each(&|at| measured[at].per_second / alone[at].per_second * (SPINNERS + 1) as f64),
        ]);
    }
    table.finish()
}
