//! Drives a server with `wrk` and reads what it measured.

use std::fs;
use std::process::Command;

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use super::Bench;
use super::cores::{self, Cores};
use super::process::{Memory, processor_seconds};
use super::server::Server;

const SCRIPT: &str = include_str!("report.lua");
/// How far the mean length of the answers under load may be from the length of one alone, as a share: request ids and
/// the like vary, a lost body does not hide.
const LENGTH_TOLERANCE: f64 = 0.10;

/// A load: how many connections, for how long, on which path.
pub(crate) struct Load<'a> {
    pub(crate) connections: u32,
    pub(crate) seconds: u64,
    pub(crate) path: &'a str,
    /// The body of every answer.
    pub(crate) body: &'a str,
}

/// What came of it.
#[derive(Clone, Debug)]
pub(crate) struct Measured {
    pub(crate) per_second: f64,
    pub(crate) p50_us: f64,
    pub(crate) p99_us: f64,
    /// Processor time of the server for each request.
    pub(crate) processor_us: f64,
    pub(crate) memory: Memory,
    /// What wrk said.
    pub(crate) raw: Value,
}

/// Loads a server from another core. Fails unless every answer was right.
pub(crate) fn run(load: &Load<'_>, server: &Server, cores: Cores, bench: &Bench) -> Result<Measured> {
    let alone = server.get(load.path)?;
    alone.expect(load.body)?;
    let before = processor_seconds(server.pid())?;
    let raw = cores::on(cores.load, || wrk(load, server, bench))??;
    let processor = processor_seconds(server.pid())? - before;
    let memory = Memory::of(server.pid())?;
    server.get(load.path)?.expect(load.body)?;

    let number = |name: &str| raw[name].as_f64().with_context(|| format!("wrk did not say {name}"));
    for kind in ["connect", "read", "write", "status", "timeout"] {
        if number(kind)? > 0.0 {
            bail!("answers failed under load: {raw}");
        }
    }
    let requests = number("requests")?;
    let length = number("bytes")? / requests;
    if (length / alone.wire_bytes as f64 - 1.0).abs() > LENGTH_TOLERANCE || requests == 0.0 {
        bail!("answers under load have {length:.1} bytes, one alone has {}", alone.wire_bytes);
    }
    Ok(Measured {
        per_second: requests / number("duration_us")? * 1e6,
        p50_us: number("p50_us")?,
        p99_us: number("p99_us")?,
        processor_us: processor / requests * 1e6,
        memory,
        raw,
    })
}

fn wrk(load: &Load<'_>, server: &Server, bench: &Bench) -> Result<Value> {
    let script = bench.out.join("report.lua");
    fs::write(&script, SCRIPT)?;
    let output = Command::new("wrk")
        .args(["--threads", "1", "--timeout", "10s"])
        .args(["--connections", &load.connections.to_string()])
        .args(["--duration", &format!("{}s", load.seconds)])
        .arg("--script")
        .arg(&script)
        .arg(format!("http://{}{}", server.address, load.path))
        .output()
        .context("cannot start wrk; `cargo xtask bench setup` installs it")?;
    let said = String::from_utf8_lossy(&output.stderr);
    let line = said.lines().rev().find(|line| line.starts_with('{'));
    let line = line.with_context(|| format!("wrk failed: {said}"))?;
    serde_json::from_str(line).context("wrk said no JSON")
}
