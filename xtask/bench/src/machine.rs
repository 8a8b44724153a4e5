//! Where and with what a benchmark ran.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::thread::available_parallelism;

use serde_json::{Value, json};

use super::Bench;

/// Returns the facts that a number cannot be read without.
pub(crate) fn facts(bench: &Bench) -> Value {
    json!({
        "processor": processor(),
        "cores": available_parallelism().map_or(0, usize::from),
        "kernel": read("/proc/sys/kernel/osrelease"),
        "memory_kib": memory_kib(),
        "load_average": read("/proc/loadavg"),
        "versions": {
            "wharf": first_line(Command::new(&bench.wharf).arg("--version")),
            "commit": commit(&bench.root),
            "wasmtime": first_line(Command::new(&bench.wasmtime).arg("--version")),
            "wrk": first_line(Command::new("wrk").arg("-v")),
            "rustc": first_line(Command::new("rustc").arg("--version")),
        },
    })
}

/// Writes the facts as a paragraph.
pub(crate) fn markdown(bench: &Bench) -> String {
    let facts = facts(bench);
    let text = |fact: &Value| fact.as_str().unwrap_or("unknown").to_owned();
    let versions = &facts["versions"];
    format!(
        "{} × {}, Linux {}; {} at {}, {}, {}, {}. Load average at the start: {}.\n",
        facts["cores"],
        text(&facts["processor"]),
        text(&facts["kernel"]),
        text(&versions["wharf"]),
        text(&versions["commit"]),
        text(&versions["wasmtime"]),
        text(&versions["wrk"]),
        text(&versions["rustc"]),
        text(&facts["load_average"]),
    )
}

fn processor() -> Option<String> {
    value_of("/proc/cpuinfo", "model name")
}

fn memory_kib() -> Option<u64> {
    value_of("/proc/meminfo", "MemTotal")?.split_whitespace().next()?.parse().ok()
}

/// Returns the first `name: value` of a file.
fn value_of(file: &str, name: &str) -> Option<String> {
    let text = fs::read_to_string(file).ok()?;
    let mut pairs = text.lines().filter_map(|line| line.split_once(':'));
    pairs.find(|(key, _)| key.trim() == name).map(|(_, value)| value.trim().to_owned())
}

fn read(file: &str) -> Option<String> {
    Some(fs::read_to_string(file).ok()?.trim().to_owned())
}

/// Returns the commit, marked when files differ from it.
fn commit(root: &Path) -> Option<String> {
    first_line(Command::new("git").args(["describe", "--always", "--dirty"]).current_dir(root))
}

/// Returns the first line that a program prints, whatever its exit status: wrk fails after saying its version.
fn first_line(command: &mut Command) -> Option<String> {
    let output = command.output().ok()?;
    let text = if output.stdout.is_empty() { output.stderr } else { output.stdout };
    Some(String::from_utf8_lossy(&text).lines().next()?.trim().to_owned())
}
