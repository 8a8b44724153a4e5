//! `cargo xtask layers`: which crate may use which, ours and others'; the table is in [`table`].

mod table;
#[cfg(test)]
mod tests;

use std::process::ExitCode;

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use crate::finding::{self, Finding};
use table::{CRATES, Crate, ONLY, Only, TESTKIT};
use xtask_setup::run;

/// One line of a manifest's dependencies.
struct Edge {
    from: String,
    to: String,
    is_dev: bool,
}

pub(crate) fn run(args: &[String]) -> Result<ExitCode> {
    match args {
        [] => {}
        [print] if print == "--print" => {
            print!("{}", shown());
            return Ok(ExitCode::SUCCESS);
        }
        _ => bail!("usage: cargo xtask layers [--print]"),
    }
    let metadata = ["metadata", "--no-deps", "--offline", "--format-version", "1"];
    let metadata = serde_json::from_str(&run::output(&mut run::command("cargo", &metadata))?)?;
    let (crates, edges) = read(&metadata).context("cargo metadata has another form than expected")?;
    let checked = format!("{} crates, {} dependencies", crates.len(), edges.len());
    Ok(finding::report("layers", &checked, check(&crates, &edges)))
}

/// Returns the names of the workspace's crates and what their manifests name.
fn read(metadata: &Value) -> Option<(Vec<String>, Vec<Edge>)> {
    let (mut crates, mut edges) = (Vec::new(), Vec::new());
    for package in metadata["packages"].as_array()? {
        let from = package["name"].as_str()?;
        crates.push(from.to_owned());
        for dependency in package["dependencies"].as_array()? {
            let (from, to) = (from.to_owned(), dependency["name"].as_str()?.to_owned());
            edges.push(Edge { from, to, is_dev: dependency["kind"] == "dev" });
        }
    }
    Some((crates, edges))
}

fn check(crates: &[String], edges: &[Edge]) -> Vec<Finding> {
    let unknown = crates.iter().filter(|name| find(name).is_none()).map(|name| {
        let text = "a crate without a place: every crate has a layer; add it to xtask/src/layers/table.rs";
        Finding::new(&manifest(name), 1, text)
    });
    let wrong = edges.iter().filter_map(|edge| {
        let is_ours = crates.contains(&edge.to) || find(&edge.to).is_some();
        let text = if is_ours { inner(edge) } else { outer(edge) };
        text.map(|text| Finding::new(&manifest(&edge.from), 1, text))
    });
    unknown.chain(wrong).collect()
}

/// Says what is wrong with an edge between two crates of ours.
fn inner(edge: &Edge) -> Option<String> {
    let from = find(&edge.from)?;
    if from.uses.contains(&edge.to.as_str()) || (edge.to == TESTKIT && edge.is_dev) {
        return None;
    }
    let why = match find(&edge.to) {
        Some(to) if to.layer >= from.layer => "the walk goes downwards only; return a value instead",
        _ => "the edge is not in the table; add it to xtask/src/layers/table.rs if the design wants it",
    };
    Some(format!("{} uses {}: {why}", edge.from, edge.to))
}

/// Says what is wrong with an edge to somebody else's crate.
fn outer(edge: &Edge) -> Option<String> {
    // The first rule that names the crate decides: exact names come before prefixes.
    let rule = ONLY.iter().find(|rule| rule.names(&edge.to))?;
    let is_for_tests = edge.is_dev || edge.from == TESTKIT;
    if rule.users.contains(&edge.from.as_str()) || (is_for_tests && rule.dev) {
        return None;
    }
    let users = if rule.users.is_empty() { "nobody".to_owned() } else { rule.users.join(", ") };
    Some(format!("{} uses {}, which is for {users}: {}", edge.from, edge.to, rule.reason))
}

fn find(name: &str) -> Option<&'static Crate> {
    CRATES.iter().find(|known| known.name == name)
}

fn manifest(name: &str) -> String {
    match name.strip_prefix("wharf-") {
        Some(folder) => format!("crates/{folder}/Cargo.toml"),
        None => format!("{name}/Cargo.toml"),
    }
}

fn shown() -> String {
    let crates = CRATES.iter().rev().map(|known| {
        let uses = if known.uses.is_empty() { "nothing of ours".to_owned() } else { known.uses.join(", ") };
        format!("{}  {:<16} uses {uses}\n", known.layer, known.name)
    });
    let rules = ONLY.iter().map(|rule| {
        let dev = if rule.dev { " (and tests)" } else { "" };
        let users = if rule.users.is_empty() { "nobody".to_owned() } else { rule.users.join(", ") };
        format!("{:<34} only {users}{dev}: {}\n", rule.crates.join(" "), rule.reason)
    });
    crates.chain(["\n".to_owned()]).chain(rules).collect()
}

impl Only {
    fn names(&self, name: &str) -> bool {
        self.crates.iter().any(|pattern| match pattern.strip_suffix('*') {
            Some(prefix) => name.starts_with(prefix),
            None => *pattern == name,
        })
    }
}
