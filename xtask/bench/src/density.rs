//! Memory: of apps that are loaded and idle, and of requests that wait in the middle.

use std::fs;
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};

use super::Bench;
use super::client::Connection;
use super::components::{Entry, numbered, write_manifest};
use super::cores::Cores;
use super::launch::Launch;
use super::process::Memory;
use super::report::{Report, Table, Target, Wanted, mebibytes, number};
use super::server::Server;

const BODY: &str = "hello\n";
/// Time to load one app: a few times what compiling it takes on one slow core.
const LOAD_TIMEOUT_EACH: Duration = Duration::from_secs(2);
const LOAD_TIMEOUT_LEAST: Duration = Duration::from_secs(60);
/// The number of apps that the target speaks of, and its MiB.
const MANY: usize = 10_000;
const MANY_MEBIBYTES: f64 = 2048.0;

const SUSPENDED: usize = 500;
const SUSPENDED_KIB: f64 = 100.0;
const WAIT: &str = "/late?ms=15000";
const ANSWER_TIMEOUT: Duration = Duration::from_secs(60);

struct Loaded {
    apps: usize,
    took: Duration,
    /// After loading, and after each app has answered once.
    memory: [Memory; 2],
}

struct Suspended {
    guest: &'static str,
    /// Before; with connections that had one answer each; with requests that wait; after the answers.
    memory: [Memory; 4],
}

pub(crate) fn run(bench: &Bench) -> Result<Report> {
    let cores = Cores::find()?;
    let mut report = Report::default();
    let mut targets = Vec::new();
    let mut raw = serde_json::Map::new();
    if bench.options.wants("apps") {
        let loaded = load_all(bench, cores, &mut report)?;
        report.add(apps_table(&loaded));
        targets.extend(loaded.iter().filter(|loaded| loaded.apps == MANY).map(Loaded::target));
        raw.insert("apps".to_owned(), loaded.iter().map(Loaded::json).collect());
    }
    if bench.options.wants("suspended") {
        let mut suspended = Vec::new();
        for guest in ["misbehave", "misbehave-p3", "late-p3"] {
            eprintln!("{SUSPENDED} requests that wait: {guest}");
            match suspend(guest, bench, cores) {
                Ok(measured) => suspended.push(measured),
                Err(error) => report.fail(&format!("suspended requests of {guest}"), &error),
            }
        }
        report.add(suspended_table(&suspended));
        targets.extend(suspended.iter().map(Suspended::target));
        raw.insert("suspended".to_owned(), suspended.iter().map(Suspended::json).collect());
    }
    report.add_targets(&targets);
    report.raw = Value::Object(raw);
    Ok(report)
}

// === Apps that are loaded and idle ===

fn load_all(bench: &Bench, cores: Cores, report: &mut Report) -> Result<Vec<Loaded>> {
    let work = bench.empty_folder("density")?;
    let files = work.join("components");
    write_components(&files, bench)?;
    let mut loaded = Vec::new();
    for apps in bench.options.apps.iter().copied() {
        eprintln!("{apps} apps");
        match load(apps, &work, bench, cores) {
            Ok(measured) => loaded.push(measured),
            Err(error) => report.fail(&format!("{apps} apps"), &error),
        }
    }
    // A gigabyte of components and compiled code that nobody needs any more.
    super::remove_folder(&work)?;
    Ok(loaded)
}

fn write_components(folder: &Path, bench: &Bench) -> Result<()> {
    fs::create_dir_all(folder)?;
    let component = fs::read(bench.guest("hello")?)?;
    let most = bench.options.apps.iter().copied().max().unwrap_or(0);
    for number in 0..most {
        fs::write(folder.join(format!("c{number}.wasm")), numbered(&component, number as u64))?;
    }
    Ok(())
}

fn load(apps: usize, work: &Path, bench: &Bench, cores: Cores) -> Result<Loaded> {
    let app = work.join(format!("app-{apps}"));
    let entry = |number| Entry::new(format!("c{number}"), format!("/c{number}"));
    write_manifest(&app, &(0..apps).map(entry).collect::<Vec<_>>())?;
    for number in 0..apps {
        let file = format!("c{number}.wasm");
        // In the app's own folder, without a second copy.
        fs::hard_link(work.join("components").join(&file), app.join(&file))?;
    }

    // One state for all: what a smaller number compiled, a larger one does not compile again.
    let launch = Launch::Wharf { app, state: work.join("state"), more: Vec::new() };
    let start = Instant::now();
    let mut server = Server::spawn(&format!("density-{apps}"), &launch, cores.server, bench)?;
    let timeout = LOAD_TIMEOUT_LEAST + LOAD_TIMEOUT_EACH * u32::try_from(apps)?;
    server.wait_for("/ready", timeout)?.expect("ready\n")?;
    let took = start.elapsed();
    let idle = Memory::of(server.pid())?;
    answer_once_each(apps, &server)?;
    let used = Memory::of(server.pid())?;
    server.stop()?;
    Ok(Loaded { apps, took, memory: [idle, used] })
}

fn answer_once_each(apps: usize, server: &Server) -> Result<()> {
    let mut connection = Connection::open(server.address, ANSWER_TIMEOUT)?;
    connection.get("/ready")?.expect("ready\n")?;
    for number in 0..apps {
        connection.get(&format!("/c{number}"))?.expect(BODY).with_context(|| format!("app {number}"))?;
    }
    Ok(())
}

fn apps_table(loaded: &[Loaded]) -> String {
    let mut table = Table::new(&[
        "idle apps",
        "resident MiB",
        "of it anonymous / file",
        "peak MiB",
        "KiB an app",
        "after one answer each, MiB",
        "loaded in s",
    ]);
    let none = loaded.iter().find(|loaded| loaded.apps == 0).map(|loaded| loaded.memory[0].resident as f64);
    for Loaded { apps, took, memory: [idle, used] } in loaded {
        let each = (idle.resident as f64 - none.unwrap_or(f64::NAN)) / *apps as f64;
        table.row(&[
            number(*apps as f64),
            mebibytes(idle.resident as f64),
            format!("{} / {}", mebibytes(idle.anonymous as f64), mebibytes(idle.file as f64)),
            mebibytes(idle.peak as f64),
            number(each),
            mebibytes(used.resident as f64),
            number(took.as_secs_f64()),
        ]);
    }
    table.finish()
}

// === Requests that wait ===

fn suspend(guest: &'static str, bench: &Bench, cores: Cores) -> Result<Suspended> {
    let state = bench.empty_folder("suspended")?;
    let launch = Launch::Wharf { app: bench.guest(guest)?, state, more: Vec::new() };
    let server = Server::start(&format!("suspended {guest}"), &launch, cores.server, bench)?;
    server.get("/ok")?.expect("ok\n")?;
    let before = Memory::of(server.pid())?;

    let mut connections = Vec::new();
    for _ in 0..SUSPENDED {
        let mut connection = Connection::open(server.address, ANSWER_TIMEOUT)?;
        connection.get("/ok")?.expect("ok\n")?;
        connections.push(connection);
    }
    let connected = Memory::of(server.pid())?;

    let start = Instant::now();
    for connection in &mut connections {
        connection.send(WAIT)?;
    }
    let waiting = settle(&server)?;
    let took = start.elapsed();
    ensure!(took < Duration::from_secs(14), "the requests took {} s to start", took.as_secs());
    for connection in &mut connections {
        connection.receive()?.expect("late\n")?;
    }
    let after = Memory::of(server.pid())?;
    drop(connections);
    server.stop()?;
    Ok(Suspended { guest, memory: [before, connected, waiting, after] })
}

/// Waits until the memory of a server stays as it is, and returns it.
fn settle(server: &Server) -> Result<Memory> {
    const PAUSE: Duration = Duration::from_millis(100);
    /// Looks in a row that have to show the same.
    const SAME: usize = 10;
    let mut last = Memory::of(server.pid())?;
    let mut same = 0;
    while same < SAME {
        sleep(PAUSE);
        let now = Memory::of(server.pid())?;
        // A page or two come and go with the clock that ticks.
        same = if now.resident.abs_diff(last.resident) < 16 { same + 1 } else { 0 };
        last = now;
    }
    Ok(last)
}

fn suspended_table(suspended: &[Suspended]) -> String {
    let mut table = Table::new(&[
        "component",
        "resident MiB before",
        "KiB a connection",
        "KiB a waiting request",
        "resident MiB while they wait",
        "afterwards",
    ]);
    for measured in suspended {
        let [before, _, waiting, after] = measured.memory.map(|memory| memory.resident as f64);
        table.row(&[
            format!("{}, {SUSPENDED} requests", measured.guest),
            mebibytes(before),
            number(measured.each(0, 1)),
            number(measured.each(1, 2)),
            mebibytes(waiting),
            mebibytes(after),
        ]);
    }
    table.finish()
}

// === impl Loaded ===

impl Loaded {
    fn target(&self) -> Target {
        Target {
            what: format!("{} loaded idle apps, resident", self.apps),
            measured: self.memory[0].resident as f64 / 1024.0,
            wanted: Wanted::AtMost(MANY_MEBIBYTES),
            unit: " MiB",
        }
    }

    fn json(&self) -> Value {
        let [idle, used] = self.memory.map(|memory| memory.json());
        json!({ "apps": self.apps, "seconds": self.took.as_secs_f64(), "idle": idle, "after_one_answer_each": used })
    }
}

// === impl Suspended ===

impl Suspended {
    /// Returns by how many KiB one request or connection made the program larger between two moments.
    fn each(&self, from: usize, to: usize) -> f64 {
        (self.memory[to].once as f64 - self.memory[from].once as f64) / SUSPENDED as f64
    }

    fn target(&self) -> Target {
        Target {
            what: format!("a suspended request of {}, its connection included", self.guest),
            measured: self.each(0, 2),
            wanted: Wanted::AtMost(SUSPENDED_KIB),
            unit: " KiB",
        }
    }

    fn json(&self) -> Value {
        let [before, connected, waiting, after] = self.memory.map(|memory| memory.json());
        json!({
            "guest": self.guest, "requests": SUSPENDED,
            "before": before, "connected": connected, "waiting": waiting, "after": after,
        })
    }
}
