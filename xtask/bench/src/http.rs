//! Requests a second, latencies and memory of hello, beside `wasmtime serve` and a native server.
//!
//! Every server is started in every round, alone on its core, and loaded from another core with each number of
//! connections. A ratio is the median of the ratios of the rounds, because the clock of a machine drifts.

use std::path::Path;

use anyhow::Result;
use serde_json::{Value, json};

use super::components::{Entry, write_manifest};
use super::cores::Cores;
use super::launch::Launch;
use super::report::{Report, Table, Target, Wanted, mebibytes, number};
use super::server::Server;
use super::statistics::median;
use super::wrk::{self, Load, Measured};
use super::{Bench, remove_folder};

const BODY: &str = "hello\n";
const CONNECTIONS: [u32; 3] = [1, 16, 64];
/// Index of the number of connections that the targets speak of.
const FULL: usize = 2;
const WARM_UP_SECONDS: u64 = 1;
const REUSE: &str = "reuse = { requests = 128, concurrent = 16, idle = \"1s\" }";
const NATIVE: &str = "native multi-thread";

/// One server of the matrix, and what it did so far.
struct Row {
    name: &'static str,
    launch: Launch,
    /// The rows that it has to be faster than; the first of them is the one that works as it does.
    rivals: &'static [&'static str],
    /// For each round, for each number of connections. A round that failed is not there for anybody.
    rounds: Vec<Option<[Measured; 3]>>,
}

pub(crate) fn run(bench: &Bench) -> Result<Report> {
    let cores = Cores::find()?;
    let work = bench.out.join("http");
    remove_folder(&work)?;
    let mut rows = rows(&work, bench)?;
    rows.retain(|row| bench.options.wants(row.name));
    let mut report = Report::default();
    for round in 0..bench.options.rounds {
        // Another one is first in each round, so that nobody always runs on a machine that is hot or cold.
        for place in 0..rows.len() {
            let at = (place + round) % rows.len();
            let row = &mut rows[at];
            eprintln!("round {}: {}", round + 1, row.name);
            let measured = measure(row, cores, bench);
            if let Err(error) = &measured {
                report.fail(&format!("{}, round {}", row.name, round + 1), error);
            }
            row.rounds.push(measured.ok());
        }
    }
    report.add(main_table(&rows));
    report.add(connections_table(&rows));
    report.add_targets(&targets(&rows));
    report.raw = Value::Object(rows.iter().map(|row| (row.name.to_owned(), row.json())).collect());
    Ok(report)
}

fn rows(work: &Path, bench: &Bench) -> Result<Vec<Row>> {
    let (p2, p3) = (bench.guest("hello")?, bench.guest("hello-p3")?);
    let wharf =
        |state: &str, app: &Path| Launch::Wharf { app: app.to_path_buf(), state: work.join(state), more: Vec::new() };
    let cache = work.join("wasmtime");
    let serve = |component: &Path, more: &[&str]| Launch::Serve {
        component: component.to_path_buf(),
        cache: cache.clone(),
        more: more.iter().map(|arg| (*arg).to_owned()).collect(),
    };
    let fresh = ["--max-instance-reuse-count", "1"];
    let (reuse_p2, reuse_p3) = (work.join("reuse-0.2"), work.join("reuse-0.3"));
    for (folder, component) in [(&reuse_p2, &p2), (&reuse_p3, &p3)] {
        write_reusing_app(folder, component)?;
    }
    Ok(vec![
        row("wharf 0.2 fresh", wharf("state-0.2", &p2), &["serve 0.2 fresh"]),
        row("serve 0.2 fresh", serve(&p2, &fresh), &[]),
        row("wharf 0.3 fresh", wharf("state-0.3", &p3), &["serve 0.3 fresh"]),
        row("serve 0.3 fresh", serve(&p3, &fresh), &[]),
        row("wharf 0.2 reuse", wharf("state-reuse-0.2", &reuse_p2), &["serve 0.2 reuse", "serve 0.2 default"]),
        row("serve 0.2 default", serve(&p2, &[]), &[]),
        // Its default for 0.2 is a fresh instance; this is what it does when it reuses as the others.
        row("serve 0.2 reuse", serve(&p2, &["--max-instance-reuse-count", "128"]), &[]),
        row("wharf 0.3 reuse", wharf("state-reuse-0.3", &reuse_p3), &["serve 0.3 default"]),
        row("serve 0.3 default", serve(&p3, &[]), &[]),
        row(NATIVE, Launch::Native("multi-thread"), &[]),
        row("native current-thread", Launch::Native("current-thread"), &[]),
    ])
}

/// Returns a row that has not been measured yet.
fn row(name: &'static str, launch: Launch, rivals: &'static [&'static str]) -> Row {
    Row { name, launch, rivals, rounds: Vec::new() }
}

fn write_reusing_app(folder: &Path, component: &Path) -> Result<()> {
    write_manifest(folder, &[Entry { more: REUSE, ..Entry::new("hello", "/...") }])?;
    std::fs::copy(component, folder.join("hello.wasm"))?;
    Ok(())
}

fn measure(row: &Row, cores: Cores, bench: &Bench) -> Result<[Measured; 3]> {
    let server = Server::start(row.name, &row.launch, cores.server, bench)?;
    let load =
        |connections, seconds| wrk::run(&Load { connections, seconds, path: "/", body: BODY }, &server, cores, bench);
    load(16, WARM_UP_SECONDS)?;
    let seconds = bench.options.seconds;
    let measured = [load(CONNECTIONS[0], seconds)?, load(CONNECTIONS[1], seconds)?, load(CONNECTIONS[2], seconds)?];
    server.stop()?;
    Ok(measured)
}

fn main_table(rows: &[Row]) -> String {
    let mut table = Table::new(&[
        "server",
        "req/s at 64",
        "p50 / p99 ms at 64",
        "processor µs a request",
        "resident MiB (peak)",
        "of `serve`",
        "of native",
    ]);
    for row in rows {
        let at_full = |value: fn(&Measured) -> f64| row.median(FULL, value);
        table.row(&[
            row.name.to_owned(),
            number(at_full(per_second)),
            format!("{} / {}", number(at_full(|m| m.p50_us) / 1e3), number(at_full(|m| m.p99_us) / 1e3)),
            number(at_full(|m| m.processor_us)),
            format!(
                "{} ({})",
                mebibytes(at_full(|m| m.memory.resident as f64)),
                mebibytes(at_full(|m| m.memory.peak as f64))
            ),
            number(ratio(row, row.rival(), rows, FULL, per_second)),
            number(ratio(row, Some(NATIVE), rows, FULL, per_second)),
        ]);
    }
    table.finish()
}

fn connections_table(rows: &[Row]) -> String {
    let mut table = Table::new(&[
        "server",
        "req/s at 1 / 16 / 64",
        "p50 µs at 1 / 16 / 64",
        "p99 µs at 1 / 16 / 64",
        "of `serve` at 1 / 16 / 64",
        "of native at 1 / 16 / 64",
    ]);
    for row in rows {
        let each = |value: fn(&Measured) -> f64| all(|at| row.median(at, value));
        table.row(&[
            row.name.to_owned(),
            each(per_second),
            each(|m| m.p50_us),
            each(|m| m.p99_us),
            all(|at| ratio(row, row.rival(), rows, at, per_second)),
            all(|at| ratio(row, Some(NATIVE), rows, at, per_second)),
        ]);
    }
    table.finish()
}

fn targets(rows: &[Row]) -> Vec<Target> {
    let mut targets = Vec::new();
    for row in rows.iter().filter(|row| !row.rivals.is_empty()) {
        let fresh = row.name.ends_with("fresh");
        let least = if fresh { 2.0 } else { 1.5 };
        let mut add = |what: &str, other, value, wanted| {
            let what = format!("{}, {what} of {other}", row.name);
            targets.push(Target { what, measured: ratio(row, Some(other), rows, FULL, value), wanted, unit: " ×" });
        };
        for rival in row.rivals {
            add("requests/s", rival, per_second, Wanted::AtLeast(least));
        }
        if fresh {
            add("requests/s", NATIVE, per_second, Wanted::AtLeast(0.4));
            add("p99", row.rivals[0], |measured| measured.p99_us, Wanted::AtMost(1.0));
        }
    }
    targets
}

/// Returns the median over the rounds of a value divided by another row's.
fn ratio(row: &Row, other: Option<&str>, rows: &[Row], at: usize, value: fn(&Measured) -> f64) -> f64 {
    let Some(other) = rows.iter().find(|row| Some(row.name) == other) else { return f64::NAN };
    let pairs = row.rounds.iter().zip(&other.rounds);
    median(pairs.filter_map(|(mine, theirs)| Some(value(&mine.as_ref()?[at]) / value(&theirs.as_ref()?[at]))))
}

fn per_second(measured: &Measured) -> f64 {
    measured.per_second
}

/// Writes a number for each number of connections.
fn all(value: impl Fn(usize) -> f64) -> String {
    [0, 1, FULL].map(|at| number(value(at))).join(" / ")
}

// === impl Row ===

impl Row {
    fn rival(&self) -> Option<&'static str> {
        self.rivals.first().copied()
    }

    fn median(&self, at: usize, value: fn(&Measured) -> f64) -> f64 {
        median(self.rounds.iter().flatten().map(|round| value(&round[at])))
    }

    fn json(&self) -> Value {
        let round = |measured: &[Measured; 3]| -> Value {
            let cells = CONNECTIONS.iter().zip(measured);
            Value::Object(cells.map(|(connections, measured)| (connections.to_string(), cell(measured))).collect())
        };
        json!({ "rounds": self.rounds.iter().map(|measured| measured.as_ref().map(round)).collect::<Vec<_>>() })
    }
}

fn cell(measured: &Measured) -> Value {
    json!({
        "per_second": measured.per_second,
        "processor_us": measured.processor_us,
        "memory": measured.memory.json(),
        "wrk": measured.raw,
    })
}
