//! `cargo xtask deny`: what we depend on, held against `deny.toml` without installing anything.
//!
//! Bans, doubles and licences are read from cargo itself; `--full` runs cargo-deny, which knows advisories too.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::process::ExitCode;

use anyhow::{Context as _, Result, bail};
use toml::{Table, Value};

use crate::finding::{self, Finding};
use crate::test;
use xtask_setup::run;

#[cfg(test)]
mod tests;

const CONFIG: &str = "deny.toml";

/// The last version that `deny.toml` was written for.
const CARGO_DENY: &str = "0.20.2";

/// A package as `cargo tree` prints it.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Package {
    name: String,
    version: String,
    license: String,
}

/// What `deny.toml` says of one crate: `name`, `name@exact` or `name:requirement`.
struct Entry {
    name: String,
    requirement: String,
    reason: String,
}

pub(crate) fn run(args: &[String]) -> Result<ExitCode> {
    match args {
        [] => {}
        [full] if full == "--full" => return full_check(),
        _ => bail!("usage: cargo xtask deny [--full]"),
    }
    let config = fs::read_to_string(run::root().join(CONFIG)).with_context(|| format!("cannot read {CONFIG}"))?;
    let config: Table = config.parse().with_context(|| format!("{CONFIG} is not TOML"))?;
    let mut packages = BTreeSet::new();
    for target in list(&config, "graph", "targets").iter().filter_map(Value::as_str) {
        let tree = ["tree", "--locked", "--workspace", "--target", target, "--edges", "normal,build,dev"];
        let form = ["--prefix", "none", "--format", "{p}|{l}"];
        packages.extend(parse(&run::output(&mut run::command("cargo", &[&tree[..], &form].concat()))?));
    }
    Ok(finding::report("deny", &format!("{} packages", packages.len()), check(&config, &packages)))
}

/// Runs cargo-deny; advisories come from the network.
fn full_check() -> Result<ExitCode> {
    let program = run::root().join("target/tools/cargo/bin/cargo-deny").to_string_lossy().into_owned();
    if !run::succeeds(&mut run::command(&program, &["--version"])) {
        println!("installing cargo-deny {CARGO_DENY} into target/tools");
        test::install("cargo-deny", CARGO_DENY, &[])?;
    }
    Ok(run::exit_code(run::status(&mut run::command(&program, &["--locked", "check"]))?))
}

/// Reads `name v1.2.3 (anything)|licence` lines; our own packages, which have a path, are left out.
fn parse(tree: &str) -> impl Iterator<Item = Package> {
    tree.lines().filter_map(|line| {
        let (package, license) = line.split_once('|')?;
        let mut words = package.split(' ');
        let (name, version) = (words.next()?.to_owned(), words.next()?.strip_prefix('v')?.to_owned());
        let license = license.trim_end_matches(" (*)").to_owned();
        (!package.contains("(/")).then_some(Package { name, version, license })
    })
}

fn check(config: &Table, packages: &BTreeSet<Package>) -> Vec<Finding> {
    let mut findings: Vec<Finding> = doubles(config, packages);
    let banned = entries(config, "deny");
    let allowed: BTreeSet<&str> = list(config, "licenses", "allow").iter().filter_map(Value::as_str).collect();
    let excepted = list(config, "licenses", "exceptions").iter().filter_map(Value::as_table);
    let excepted: Vec<Entry> = excepted.map(Entry::read).collect();
    for package in packages {
        if let Some(entry) = banned.iter().find(|entry| entry.fits(package)) {
            let text =
                format!("{package} is banned: {}; `cargo tree -i {}` shows who uses it", entry.reason, package.name);
            findings.push(Finding::new("Cargo.lock", 1, text));
        }
        if !is_allowed(&package.license, &allowed) && !excepted.iter().any(|entry| entry.fits(package)) {
            let text = format!("{package} has the licence `{}`, which {CONFIG} does not allow", package.license);
            findings.push(Finding::new("Cargo.lock", 1, text));
        }
    }
    findings
}

/// Finds packages in more than one version, except the skipped ones, and skips that are needed no more.
fn doubles(config: &Table, packages: &BTreeSet<Package>) -> Vec<Finding> {
    let skips = entries(config, "skip");
    let mut versions = BTreeMap::<&str, Vec<&Package>>::new();
    for package in packages {
        versions.entry(&package.name).or_default().push(package);
    }
    let is_skipped = |package: &Package| skips.iter().any(|skip| skip.fits(package));
    let twice = versions.values().filter(|all| all.iter().filter(|package| !is_skipped(package)).count() > 1);
    let twice = twice.map(|all| {
        let versions = all.iter().map(|package| package.version.as_str()).collect::<Vec<_>>().join(" and ");
        let name = &all[0].name;
        let text = format!(
            "{name} is here as {versions}: it is built, shipped and patched twice; agree on one, or skip it in {CONFIG}"
        );
        Finding::new("Cargo.lock", 1, text)
    });
    let is_needed = |skip: &Entry| {
        versions
            .get(skip.name.as_str())
            .is_some_and(|all| all.len() > 1 && all.iter().any(|package| skip.fits(package)))
    };
    let stale = skips.iter().filter(|skip| !is_needed(skip));
    let stale =
        stale.map(|skip| Finding::new(CONFIG, 1, format!("{} is skipped for nothing: remove the entry", skip.name)));
    let silent = skips.iter().filter(|skip| !skip.has_date());
    let silent = silent.map(|skip| {
        Finding::new(
            CONFIG,
            1,
            format!("{} is skipped without a dated reason: write `YYYY-MM: who needs it`", skip.name),
        )
    });
    twice.chain(stale).chain(silent).collect()
}

/// Evaluates `A AND (B OR C)`; old manifests write `A/B` for `A OR B`.
fn is_allowed(license: &str, allowed: &BTreeSet<&str>) -> bool {
    let spaced = license.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ").replace(" WITH ", "+WITH+");
    let mut words = spaced.split_whitespace().peekable();
    any_of(&mut words, allowed)
}

type Words<'w> = std::iter::Peekable<std::str::SplitWhitespace<'w>>;

fn any_of(words: &mut Words<'_>, allowed: &BTreeSet<&str>) -> bool {
    let mut is_fine = all_of(words, allowed);
    while words.next_if_eq(&"OR").is_some() {
        is_fine |= all_of(words, allowed);
    }
    is_fine
}

fn all_of(words: &mut Words<'_>, allowed: &BTreeSet<&str>) -> bool {
    let mut is_fine = one(words, allowed);
    while words.next_if_eq(&"AND").is_some() {
        is_fine &= one(words, allowed);
    }
    is_fine
}

fn one(words: &mut Words<'_>, allowed: &BTreeSet<&str>) -> bool {
    match words.next() {
        Some("(") => {
            let is_fine = any_of(words, allowed);
            words.next_if_eq(&")").is_some() && is_fine
        }
        Some(name) => allowed.contains(name.replace("+WITH+", " WITH ").as_str()),
        None => false,
    }
}

fn entries(config: &Table, key: &str) -> Vec<Entry> {
    list(config, "bans", key).iter().filter_map(Value::as_table).map(Entry::read).collect()
}

fn list<'c>(config: &'c Table, section: &str, key: &str) -> &'c [Value] {
    let value = config.get(section).and_then(|section| section.get(key));
    value.and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

impl Entry {
    fn read(table: &Table) -> Entry {
        let text = |key: &str| table.get(key).and_then(Value::as_str).unwrap_or_default();
        let spec = text("crate");
        let at = spec.find(['@', ':']).unwrap_or(spec.len());
        let (name, requirement) = spec.split_at(at);
        Entry { name: name.to_owned(), requirement: requirement.to_owned(), reason: text("reason").to_owned() }
    }

    fn fits(&self, package: &Package) -> bool {
        let fits = match self.requirement.split_at_checked(1) {
            None => true,
            Some(("@", exact)) => package.version == exact,
            Some((_, requirement)) => match requirement.strip_prefix('<') {
                Some(bound) => numbers(&package.version) < numbers(bound),
                // `1` means 1.x, `0.52` means 0.52.x.
                None => package.version == requirement || package.version.starts_with(&format!("{requirement}.")),
            },
        };
        self.name == package.name && fits
    }

    /// Tells whether the reason starts with a year and a month.
    fn has_date(&self) -> bool {
        let date = self.reason.split(':').next().unwrap_or_default();
        date.len() == 7 && date.split('-').all(|part| part.parse::<u16>().is_ok())
    }
}

fn numbers(version: &str) -> Vec<u64> {
    version.split('.').map_while(|part| part.parse().ok()).collect()
}

impl std::fmt::Display for Package {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "{} {}", self.name, self.version)
    }
}
