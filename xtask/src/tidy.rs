//! `cargo xtask tidy`: what the house style asks for and no compiler checks.
//!
//! Each rule is a function of the repository's files; what they let through is in `xtask/tidy.toml`.

mod codes;
mod headers;
mod manifests;
mod modules;
mod sizes;
#[cfg(test)]
mod tests;
mod texts;

use std::process::ExitCode;

use anyhow::{Context as _, Result, bail};
use toml::{Table, Value};

use crate::finding::{self, Finding};
use crate::tree::Tree;
use xtask_setup::run;

/// The file of rules and exceptions.
const CONFIG: &str = "xtask/tidy.toml";

pub(crate) fn run(args: &[String]) -> Result<ExitCode> {
    if !args.is_empty() {
        bail!("usage: cargo xtask tidy");
    }
    let tree = Tree::read()?;
    let config = tree.get(CONFIG).with_context(|| format!("there is no {CONFIG}"))?;
    let config: Table = config.text.parse().with_context(|| format!("{CONFIG} is not TOML"))?;
    let mut findings = check(&tree, &config);
    findings.extend(lock());
    let checked = format!("{} files", tree.files.len());
    Ok(finding::report("tidy", &checked, findings))
}

fn check(tree: &Tree, config: &Table) -> Vec<Finding> {
    let mut findings = Vec::new();
    sizes::check(tree, config, &mut findings);
    headers::check(tree, &mut findings);
    texts::check(tree, config, &mut findings);
    modules::check(tree, &mut findings);
    codes::check(tree, &mut findings);
    manifests::check(tree, &mut findings);
    findings
}

/// Asks cargo whether `Cargo.lock` is what the manifests say.
fn lock() -> Option<Finding> {
    let tree = ["tree", "--locked", "--workspace", "--depth", "0"];
    let error = run::output(&mut run::command("cargo", &tree)).err()?;
    let text = format!("cargo does not accept it: {error:#}; run `cargo tree` and commit what it changed");
    Some(Finding::new("Cargo.lock", 1, text.replace('\n', " ")))
}

/// Returns the tables of `[[key]]`.
fn tables<'c>(config: &'c Table, key: &str) -> impl Iterator<Item = &'c Table> {
    config.get(key).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_table)
}

/// Returns the text of a key, empty when there is none.
fn text<'c>(table: &'c Table, key: &str) -> &'c str {
    table.get(key).and_then(Value::as_str).unwrap_or_default()
}

/// Returns the texts of a list, empty when there is none.
fn texts<'c>(table: &'c Table, key: &str) -> Vec<&'c str> {
    table.get(key).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect()
}
