//! What the kernel says about a process: its memory and its processor time.

use std::fs;

use anyhow::{Context as _, Result};
use serde_json::{Value, json};

/// Ticks of processor time a second in `/proc`: 100 on every Linux, whatever its own clock.
const TICKS_PER_SECOND: f64 = 100.0;

/// Memory in KiB.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Memory {
    /// Resident now.
    pub(crate) resident: u64,
    /// The most that was ever resident.
    pub(crate) peak: u64,
    /// The part of the resident that no file backs.
    pub(crate) anonymous: u64,
    /// The part that can be dropped and read again: programs and mapped artifacts.
    pub(crate) file: u64,
    /// Resident, with each page counted once: a page of a file that instances share is in `resident` once for each of them.
    pub(crate) once: u64,
}

impl Memory {
    pub(crate) fn of(pid: u32) -> Result<Memory> {
        let read = |name: &str| fs::read_to_string(format!("/proc/{pid}/{name}")).context("the process is gone");
        Memory::parse(&(read("status")? + &read("smaps_rollup")?)).context("the kernel says nothing about memory")
    }

    /// Reads the texts of `/proc/PID/status` and `smaps_rollup`.
    pub(crate) fn parse(status: &str) -> Option<Memory> {
        let field = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
            line.split_whitespace().next()?.parse().ok()
        };
        Some(Memory {
            resident: field("VmRSS")?,
            peak: field("VmHWM")?,
            anonymous: field("RssAnon")?,
            file: field("RssFile")?,
            once: field("Pss")?,
        })
    }

    pub(crate) fn json(&self) -> Value {
        json!({
            "resident_kib": self.resident,
            "peak_kib": self.peak,
            "anonymous_kib": self.anonymous,
            "file_kib": self.file,
            "once_kib": self.once,
        })
    }
}

/// Returns the processor time, in seconds, that a process has used so far with all its threads.
pub(crate) fn processor_seconds(pid: u32) -> Result<f64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).context("the process is gone")?;
    parse_processor_seconds(&stat).context("the kernel says nothing about processor time")
}

/// Reads the text of `/proc/PID/stat`.
pub(crate) fn parse_processor_seconds(stat: &str) -> Option<f64> {
    // The name of the program is in parentheses and may have anything in it.
    let (_, fields) = stat.rsplit_once(')')?;
    let mut ticks = fields.split_whitespace().skip(11).map(str::parse::<f64>);
    let (user, system) = (ticks.next()?.ok()?, ticks.next()?.ok()?);
    Some((user + system) / TICKS_PER_SECOND)
}
