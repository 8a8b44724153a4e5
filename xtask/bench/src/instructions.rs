//! Instructions of the hot stops: they repeat on a noisy machine, where times do not.
//!
//! A case runs twice under `valgrind`, with different counts; the difference has no set-up in it.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, bail};
use serde_json::json;
use toml::Table as Toml;

use super::report::{Report, Table, number};
use super::{Bench, require};

const FEW: u64 = 1_000;
const MANY: u64 = 11_000;
/// How far a count may be from the baseline, as a share, when the baseline does not say.
const TOLERANCE: f64 = 0.03;

const HEADER: &str = "# Instructions of one pass of each hot stop, as `cargo xtask bench instructions` counts them; `--save` writes this\n\
                      # file. A count that differs by more than the tolerance, a share, is reported.\n";

pub(crate) fn run(bench: &Bench) -> Result<Report> {
    require(&bench.stops)?;
    let file = bench.root.join("benches/instructions.toml");
    let baseline = Baseline::read(&file)?;
    let mut report = Report::default();
    let mut counts = BTreeMap::new();
    let state = bench.empty_folder("stops")?;
    for case in cases(bench)?.iter().filter(|case| bench.options.wants(case)) {
        eprintln!("counting {case}");
        match count(case, &state, bench) {
            Ok(count) => {
                counts.insert(case.clone(), count);
            }
            Err(error) => report.fail(case, &error),
        }
    }
    report.add(table(&counts, &baseline));
    report.raw = json!({ "instructions": &counts });
    if bench.options.save {
        baseline.save(&counts, &file)?;
    }
    Ok(report)
}

fn cases(bench: &Bench) -> Result<Vec<String>> {
    let output = Command::new(&bench.stops).output()?;
    Ok(String::from_utf8(output.stdout)?.lines().map(str::to_owned).collect())
}

fn table(counts: &BTreeMap<String, f64>, baseline: &Baseline) -> String {
    let mut table = Table::new(&["stop", "instructions", "baseline", "change", ""]);
    for (case, count) in counts {
        let before = baseline.counts.get(case).copied().unwrap_or(f64::NAN);
        let change = count / before - 1.0;
        let verdict = match change {
            _ if change.is_nan() => "new",
            _ if change > baseline.tolerance => "MORE",
            _ if change < -baseline.tolerance => "fewer",
            _ => "as before",
        };
        let percent = if change.is_nan() { number(change) } else { format!("{:+.1} %", change * 100.0) };
        table.row(&[case.clone(), number(*count), number(before), percent, verdict.to_owned()]);
    }
    table.finish()
}

// === Counting ===

/// Returns the instructions of one pass.
fn count(case: &str, state: &Path, bench: &Bench) -> Result<f64> {
    // Fills the cache of compiled components: what valgrind emulates is another processor, with code of its own.
    count_process(case, 1, state, bench)?;
    let few = count_process(case, FEW, state, bench)?;
    let many = count_process(case, MANY, state, bench)?;
    Ok((many - few) / (MANY - FEW) as f64)
}

fn count_process(case: &str, passes: u64, state: &Path, bench: &Bench) -> Result<f64> {
    let out = bench.out.join("callgrind.out");
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", &format!("--callgrind-out-file={}", out.display())])
        .arg(&bench.stops)
        .args([case, &passes.to_string()])
        .args([&bench.root.join("target/guests"), state])
        .output()
        .context("cannot start valgrind; `cargo xtask bench setup` installs it")?;
    if !output.status.success() {
        bail!("valgrind failed: {}", String::from_utf8_lossy(&output.stderr));
    }
    let profile = fs::read_to_string(&out)?;
    parse_total(&profile).context("valgrind counted nothing")
}

/// Reads the total of a callgrind profile.
pub(crate) fn parse_total(profile: &str) -> Option<f64> {
    let total =
        |name: &str| profile.lines().find_map(|line| line.strip_prefix(name)?.split_whitespace().next()?.parse().ok());
    total("totals:").or_else(|| total("summary:"))
}

// === The baseline ===

struct Baseline {
    tolerance: f64,
    counts: BTreeMap<String, f64>,
}

impl Baseline {
    /// Reads the committed counts; none when there is no file yet.
    fn read(file: &Path) -> Result<Baseline> {
        let text = if file.exists() { fs::read_to_string(file)? } else { String::new() };
        let toml: Toml = text.parse().with_context(|| format!("{} is no TOML", file.display()))?;
        let counts = toml.get("instructions").and_then(|value| value.as_table()).cloned().unwrap_or_default();
        let counts = counts.into_iter().filter_map(|(case, count)| Some((case, count.as_integer()? as f64)));
        let tolerance = toml.get("tolerance").and_then(|value| value.as_float()).unwrap_or(TOLERANCE);
        Ok(Baseline { tolerance, counts: counts.collect() })
    }

    /// Writes what was counted; what was not counted stays as it was.
    fn save(mut self, counts: &BTreeMap<String, f64>, file: &Path) -> Result<()> {
        self.counts.extend(counts.iter().map(|(case, count)| (case.clone(), *count)));
        let lines = self.counts.iter().map(|(case, count)| format!("{case} = {}\n", count.round()));
        let text = format!("{HEADER}tolerance = {}\n\n[instructions]\n{}", self.tolerance, lines.collect::<String>());
        fs::write(file, text).with_context(|| format!("cannot write {}", file.display()))
    }
}
