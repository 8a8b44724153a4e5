//! What a benchmark found: tables for people, raw numbers for programs.

use std::fs;
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use serde_json::{Value, json};

use super::{Bench, machine};

#[derive(Default)]
pub(crate) struct Report {
    sections: Vec<String>,
    /// Raw numbers.
    pub(crate) raw: Value,
    /// What could not be measured, and why.
    pub(crate) failures: Vec<String>,
}

/// A Markdown table.
pub(crate) struct Table {
    text: String,
}

/// A number that is to be reached.
pub(crate) struct Target {
    pub(crate) what: String,
    pub(crate) measured: f64,
    pub(crate) wanted: Wanted,
    pub(crate) unit: &'static str,
}

#[derive(Clone, Copy)]
pub(crate) enum Wanted {
    AtLeast(f64),
    AtMost(f64),
}

// === impl Report ===

impl Report {
    pub(crate) fn add(&mut self, section: impl Into<String>) {
        self.sections.push(section.into());
    }

    /// Says what could not be measured; the benchmark goes on.
    pub(crate) fn fail(&mut self, what: &str, error: &anyhow::Error) {
        let failure = format!("{what}: {error:#}");
        eprintln!("failed: {failure}");
        self.failures.push(failure);
    }

    /// Lists what was to be reached and whether it was. A target that was not measured is left out.
    pub(crate) fn add_targets(&mut self, targets: &[Target]) {
        let lines: Vec<String> = targets.iter().filter(|target| !target.measured.is_nan()).map(Target::line).collect();
        if !lines.is_empty() {
            self.add(lines.concat());
        }
    }

    pub(crate) fn markdown(&self) -> String {
        let mut sections = self.sections.clone();
        if !self.failures.is_empty() {
            let lines: Vec<String> = self.failures.iter().map(|failure| format!("- failed: {failure}\n")).collect();
            sections.push(lines.concat());
        }
        sections.join("\n")
    }

    /// Prints the tables and writes them, and the raw numbers, to `target/bench/NAME.md` and `.json`.
    pub(crate) fn write(&self, name: &str, bench: &Bench) -> Result<()> {
        let markdown = self.markdown();
        println!("{markdown}");
        let raw = json!({ "machine": machine::facts(bench), "failures": self.failures, "results": self.raw });
        let folder = &bench.out;
        fs::write(folder.join(format!("{name}.md")), markdown)
            .and_then(|()| fs::write(folder.join(format!("{name}.json")), format!("{raw:#}\n")))
            .with_context(|| format!("cannot write in {}", folder.display()))
    }

    pub(crate) fn exit_code(&self) -> ExitCode {
        if self.failures.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }
}

// === impl Table ===

impl Table {
    pub(crate) fn new(columns: &[&str]) -> Table {
        let rulers = vec!["---"; columns.len()];
        Table { text: format!("| {} |\n|{}|\n", columns.join(" | "), rulers.join("|")) }
    }

    pub(crate) fn row(&mut self, cells: &[String]) {
        self.text.push_str(&format!("| {} |\n", cells.join(" | ")));
    }

    pub(crate) fn finish(self) -> String {
        self.text
    }
}

// === impl Target ===

impl Target {
    fn line(&self) -> String {
        let (met, wanted) = match self.wanted {
            Wanted::AtLeast(least) => (self.measured >= least, format!("at least {}", number(least))),
            Wanted::AtMost(most) => (self.measured <= most, format!("at most {}", number(most))),
        };
        let verdict = if met { "met" } else { "MISSED" };
        let unit = self.unit;
        format!("- {verdict}: {}: {}{unit}, wanted {wanted}{unit}\n", self.what, number(self.measured))
    }
}

/// Writes a number with about three digits that mean something; a dash for none.
pub(crate) fn number(value: f64) -> String {
    match value.abs() {
        _ if value.is_nan() => "–".to_owned(),
        0.0..10.0 => format!("{value:.2}"),
        10.0..100.0 => format!("{value:.1}"),
        _ => thousands(value.round() as i64),
    }
}

/// Writes KiB as MiB.
pub(crate) fn mebibytes(kib: f64) -> String {
    number(kib / 1024.0)
}

fn thousands(value: i64) -> String {
    let digits = value.unsigned_abs().to_string();
    let mut text = String::from(if value < 0 { "-" } else { "" });
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
