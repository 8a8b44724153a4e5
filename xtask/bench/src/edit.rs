//! From saving a change to the first answer of the new code, for each language: `wharf dev`, as a developer has it.
//!
//! The build command of each template is wrapped, so that what the language's own tools take is known of the same change that is
//! measured. The rest is this program's: noticing, checking, compiling to machine code, putting in place, answering.

use std::ffi::OsString;
use std::path::Path;
use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant};
use std::{env, fs};

use anyhow::{Context as _, Result, bail};
use serde_json::json;

use super::Bench;
use super::client::get;
use super::launch::Launch;
use super::report::{Report, Table, Target, Wanted, number};
use super::server::Server;
use super::statistics::median;

/// The first build installs packages and compiles an interpreter.
const READY: Duration = Duration::from_secs(600);
const CHANGED: Duration = Duration::from_secs(120);
const POLL: Duration = Duration::from_millis(5);
/// A developer does not save twice a second; what a change leaves to do in the background is done before the next.
const PAUSE: Duration = Duration::from_secs(1);
/// Of the runs that were asked for: a change takes seconds.
const RUNS_MAX: usize = 5;

/// A language: its template, the file that is changed, and what is wanted in seconds: for all, and for what is ours.
struct Language {
    name: &'static str,
    template: &'static str,
    file: &'static str,
    wanted: Option<f64>,
    wanted_ours: f64,
}

const LANGUAGES: &[Language] = &[
    Language { name: "Rust", template: "rust-http", file: "src/lib.rs", wanted: Some(3.0), wanted_ours: 0.15 },
    Language { name: "C with clang", template: "c-http", file: "app.c", wanted: Some(1.5), wanted_ours: 0.15 },
    Language {
        name: "Go",
        template: "go-http",
        file: "export_wasi_http_incoming_handler/handler.go",
        wanted: Some(5.0),
        wanted_ours: 0.15,
    },
    Language { name: "JavaScript, QuickJS", template: "js-http", file: "app.js", wanted: Some(6.0), wanted_ours: 0.15 },
    Language {
        name: "JavaScript, StarlingMonkey",
        template: "js-http-web",
        file: "app.js",
        wanted: None,
        wanted_ours: 1.5,
    },
    Language { name: "Python, CPython", template: "python-http", file: "app.py", wanted: None, wanted_ours: 1.5 },
];

/// What one change took, in seconds.
struct Change {
    all: f64,
    tools: f64,
}

pub(crate) fn run(bench: &Bench) -> Result<Report> {
    let folder = bench.empty_folder("loop")?;
    let mut report = Report::default();
    let mut table = Table::new(&[
        "language",
        "save to new answer",
        "of which the language's tools",
        "ours",
        "wanted",
        "wanted of ours",
    ]);
    let (mut targets, mut raw) = (Vec::new(), Vec::new());
    for language in LANGUAGES.iter().filter(|language| bench.options.wants(language.name)) {
        let changes = match changes(language, &folder.join(language.template), bench) {
            Ok(changes) => changes,
            Err(error) => {
                report.fail(language.name, &error);
                continue;
            }
        };
        let all = median(changes.iter().map(|change| change.all));
        let tools = median(changes.iter().map(|change| change.tools));
        let ours = median(changes.iter().map(|change| change.all - change.tools));
        let seconds = |value: f64| format!("{} s", number(value));
        table.row(&[
            language.name.to_owned(),
            seconds(all),
            seconds(tools),
            seconds(ours),
            language.wanted.map_or_else(|| "–".to_owned(), seconds),
            seconds(language.wanted_ours),
        ]);
        let target = |what: &str, measured, wanted| Target {
            what: format!("{}, {what}", language.name),
            measured,
            wanted: Wanted::AtMost(wanted),
            unit: " s",
        };
        targets.extend(language.wanted.map(|wanted| target("save to new answer", all, wanted)));
        targets.push(target("of which ours", ours, language.wanted_ours));
        let each: Vec<_> = changes.iter().map(|change| json!([change.all, change.tools])).collect();
        raw.push(json!({ "language": language.name, "all and tools": each }));
    }
    report.add(table.finish());
    report.add_targets(&targets);
    report.raw = raw.into();
    Ok(report)
}

/// Begins an app, serves it, and changes it some times.
fn changes(language: &Language, place: &Path, bench: &Bench) -> Result<Vec<Change>> {
    fs::create_dir_all(place)?;
    let app = place.join("app");
    let new =
        Command::new(&bench.wharf).args(["new", "app", "--template", language.template]).current_dir(place).output();
    let new = new.with_context(|| format!("cannot run {}", bench.wharf.display()))?;
    if !new.status.success() {
        bail!("`wharf new` ended with {}: {}", new.status, String::from_utf8_lossy(&new.stderr));
    }
    time_tools(&app, place)?;
    let launch = Launch::Dev { app: app.clone(), state: place.join("state"), tools: search_path(&bench.root)? };
    let mut server = Server::spawn_anywhere(&format!("loop {}", language.template), &launch, bench)?;
    server.wait_for("/", READY)?;
    wait(&server, "Hello from", READY)?;
    let file = app.join(language.file);
    let text = fs::read_to_string(&file)?;
    let mut changes = Vec::new();
    for run in 0..=bench.options.runs.min(RUNS_MAX) {
        sleep(PAUSE);
        // Never the same twice: what was compiled before would come from the cache. Never as long as before: what comes after a text in a
        // program's memory moves, and with it the code that has its address.
        let hello = format!("Hello{} from", " again".repeat(run + 1));
        let saved = Instant::now();
        fs::write(&file, text.replace("Hello from", &hello))?;
        wait(&server, &hello, CHANGED)?;
        let all = saved.elapsed().as_secs_f64();
        let tools = read_time(&place.join("ended"))? - read_time(&place.join("began"))?;
        // The first fills what the tools and this program keep.
        if run > 0 {
            changes.push(Change { all, tools });
        }
    }
    server.stop()?;
    Ok(changes)
}

/// Asks until the answer begins with a text.
fn wait(server: &Server, expected: &str, timeout: Duration) -> Result<()> {
    let started = Instant::now();
    loop {
        let answer = get(server.address, "/", timeout)?;
        let text = String::from_utf8_lossy(&answer.body).into_owned();
        if answer.status == 200 && text.starts_with(expected) {
            return Ok(());
        }
        if started.elapsed() > timeout {
            bail!("after {} s the answer is {} {text:?}", timeout.as_secs(), answer.status);
        }
        sleep(POLL);
    }
}

/// Makes the build command write down when it began and ended.
fn time_tools(app: &Path, place: &Path) -> Result<()> {
    let manifest = app.join("wharf.toml");
    let text = fs::read_to_string(&manifest)?;
    let line = text.lines().find(|line| line.starts_with("command = "));
    let line = line.context("the template's manifest has no build command")?;
    let command: toml::Table = line.parse()?;
    let command = command.get("command").and_then(toml::Value::as_str).context("the build command is no text")?;
    let now = |name: &str| format!("date +%s.%N > {}", place.join(name).display());
    // The script's own status is the command's.
    fs::write(app.join("timed.sh"), format!("set -e\n{}\n( {command} )\n{}\n", now("began"), now("ended")))?;
    fs::write(&manifest, text.replace(line, "command = \"sh timed.sh\""))?;
    Ok(())
}

/// Returns the search path with the project's own Go. What templates install themselves is not on it: clang, for one, runs any `wasm-opt`
/// that it finds.
fn search_path(root: &Path) -> Result<OsString> {
    let old = env::var_os("PATH").unwrap_or_default();
    Ok(env::join_paths([root.join("target/tools/go/bin")].into_iter().chain(env::split_paths(&old)))?)
}

fn read_time(file: &Path) -> Result<f64> {
    let text = fs::read_to_string(file).with_context(|| format!("the build did not write {}", file.display()))?;
    Ok(text.trim().parse()?)
}
