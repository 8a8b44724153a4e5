//! From the start of a process, and from the change of a component, to the first byte of an answer.
//!
//! Cold: nothing was ever compiled. Warm: the program's own cache has the compiled component.

use std::path::PathBuf;

use anyhow::Result;
use serde_json::{Value, json};

use super::cores::{self, Cores};
use super::launch::Launch;
use super::report::{Report, Table, Target, Wanted, number};
use super::server::{Server, Started};
use super::statistics::{median, percentile};
use super::{Bench, remove_folder, swap};

const BODY: &str = "hello\n";
const NATIVE: &str = "native current-thread";

struct Row {
    name: &'static str,
    launch: Launch,
    /// The folder to remove before each start.
    cold: Option<PathBuf>,
    /// The row that it is compared with, beside native.
    rival: Option<&'static str>,
    starts: Vec<Option<Started>>,
}

pub(crate) fn run(bench: &Bench) -> Result<Report> {
    let cores = Cores::find()?;
    let mut rows = rows(bench)?;
    rows.retain(|row| bench.options.wants(row.name));
    let mut report = Report::default();
    for row in rows.iter().filter(|row| row.cold.is_none()) {
        // Fills the cache; the other rows have none to fill.
        if let Err(error) = start(row, cores, bench) {
            report.fail(&format!("{}, first start", row.name), &error);
        }
    }
    for run in 0..bench.options.runs {
        eprintln!("start {} of {}", run + 1, bench.options.runs);
        for row in &mut rows {
            let started = start(row, cores, bench);
            if let Err(error) = &started {
                report.fail(&format!("{}, start {}", row.name, run + 1), error);
            }
            row.starts.push(started.ok());
        }
    }
    if !rows.is_empty() {
        report.add(table(&rows));
    }
    let mut targets = targets(&rows);
    report.raw = Value::Object(rows.iter().map(|row| (row.name.to_owned(), row.json())).collect());
    if bench.options.wants("swap") {
        targets.extend(swap::run(bench, cores, &mut report));
    }
    report.add_targets(&targets);
    Ok(report)
}

fn rows(bench: &Bench) -> Result<Vec<Row>> {
    let work = bench.empty_folder("start")?;
    let mut rows = Vec::new();
    let mut add = |name, launch, cold, rival| rows.push(Row { name, launch, cold, rival, starts: Vec::new() });
    for (guest, [wharf_cold, serve_cold, wharf_warm, serve_warm]) in [
        ("hello", ["wharf 0.2 cold", "serve 0.2 cold", "wharf 0.2 warm", "serve 0.2 warm"]),
        ("hello-p3", ["wharf 0.3 cold", "serve 0.3 cold", "wharf 0.3 warm", "serve 0.3 warm"]),
    ] {
        let component = bench.guest(guest)?;
        let wharf = |state: PathBuf| Launch::Wharf { app: component.clone(), state, more: Vec::new() };
        let serve = |cache: PathBuf| Launch::Serve { component: component.clone(), cache, more: Vec::new() };
        let folder = |name: &str| work.join(name.replace(' ', "-"));
        add(wharf_cold, wharf(folder(wharf_cold)), Some(folder(wharf_cold)), Some(serve_cold));
        add(serve_cold, serve(folder(serve_cold)), Some(folder(serve_cold)), None);
        add(wharf_warm, wharf(folder(wharf_warm)), None, Some(serve_warm));
        add(serve_warm, serve(folder(serve_warm)), None, None);
    }
    add(NATIVE, Launch::Native("current-thread"), None, None);
    add("native multi-thread", Launch::Native("multi-thread"), None, None);
    Ok(rows)
}

fn start(row: &Row, cores: Cores, bench: &Bench) -> Result<Started> {
    if let Some(folder) = &row.cold {
        remove_folder(folder)?;
    }
    let (server, started) = cores::on(cores.load, || -> Result<(Server, Started)> {
        let mut server = Server::spawn(row.name, &row.launch, cores.server, bench)?;
        let started = server.race(BODY)?;
        Ok((server, started))
    })??;
    server.stop()?;
    Ok(started)
}

fn table(rows: &[Row]) -> String {
    let mut table = Table::new(&["server", "first byte, ms", "p90 ms", "accepts, ms", "of `serve`", "of native"]);
    for row in rows {
        table.row(&[
            row.name.to_owned(),
            number(median(row.first_bytes())),
            number(percentile(row.first_bytes(), 0.9)),
            number(median(row.starts.iter().flatten().map(|started| started.connected.as_secs_f64() * 1e3))),
            number(ratio(row, row.rival, rows)),
            number(ratio(row, Some(NATIVE), rows)),
        ]);
    }
    table.finish()
}

fn targets(rows: &[Row]) -> Vec<Target> {
    let mut targets = Vec::new();
    for row in rows.iter().filter(|row| row.name.starts_with("wharf") && row.name.ends_with("warm")) {
        let mut add = |what: &str, measured, most| {
            let what = format!("{}, first byte beside {what}", row.name);
            targets.push(Target { what, measured, wanted: Wanted::AtMost(most), unit: " ×" });
        };
        add("`serve`", ratio(row, row.rival, rows), 0.6);
        add("native", ratio(row, Some(NATIVE), rows), 3.0);
    }
    targets
}

/// Returns the median over the runs of a time divided by another row's.
fn ratio(row: &Row, other: Option<&str>, rows: &[Row]) -> f64 {
    let Some(other) = rows.iter().find(|row| Some(row.name) == other) else { return f64::NAN };
    let pairs = row.starts.iter().zip(&other.starts);
    let seconds = |started: &Option<Started>| Some(started.as_ref()?.first_byte.as_secs_f64());
    median(pairs.filter_map(|(mine, theirs)| Some(seconds(mine)? / seconds(theirs)?)))
}

// === impl Row ===

impl Row {
    /// Returns the times to the first byte, in milliseconds.
    fn first_bytes(&self) -> impl Iterator<Item = f64> {
        self.starts.iter().flatten().map(|started| started.first_byte.as_secs_f64() * 1e3)
    }

    fn json(&self) -> Value {
        let start = |started: &Started| {
            json!({
                "accepts_us": started.connected.as_micros() as u64,
                "first_byte_us": started.first_byte.as_micros() as u64,
            })
        };
        json!({ "starts": self.starts.iter().map(|started| started.as_ref().map(start)).collect::<Vec<_>>() })
    }
}
