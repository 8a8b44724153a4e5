//! Calls of capabilities in the guest's view, beside native Rust with the same crates, on real servers.
//!
//! A program of its own measures, because it needs what the program under test is made of: clients of Redis, PostgreSQL and redb.

use std::process::Command;

use anyhow::Result;

use super::report::Report;
use super::{Bench, require};
use xtask_setup::run;

pub(crate) fn run(bench: &Bench) -> Result<Report> {
    require(&bench.capabilities)?;
    require(&bench.wharf)?;
    let laps = bench.guest("laps")?;
    let mut command = Command::new(&bench.capabilities);
    let mut report = Report::default();
    report.add(run::output(command.arg(&bench.wharf).arg(laps))?);
    Ok(report)
}
