//! What changed between two files: what the new one may ask for, how large it is, what it was made with.
//!
//! In: [`Facts`] of both. Out: [`Comparison`]. Next: `cli` adds what changed in the interfaces, and shows it.

mod text;

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::{Capability, Facts, Interface, Producer};

/// What changed between two files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Comparison {
    /// What they may ask for: what is new first, then what is gone, then what stays.
    pub power: Vec<Power>,
    /// Their sizes.
    pub size: SizeChange,
    /// The sizes of their sections, the largest change first; those that did not change are left out.
    pub sections: Vec<SectionChange>,
    /// Tools and languages that are others, or of another version.
    pub producers: Vec<ProducerChange>,
}

/// One thing that a file may ask for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Power {
    /// What it is.
    pub capability: Capability,
    /// In plain words, what follows "may".
    pub words: String,
    /// An example of the line that grants it; none if it needs no grant.
    pub grant: Option<&'static str>,
    /// Whether it is new, gone, or there in both.
    pub change: PowerChange,
    /// Whether the new file could do more than the old one: it is new, and no harmless thing.
    pub is_more: bool,
    /// Interfaces that only the new one imports.
    pub added: Vec<String>,
    /// Interfaces that only the old one imports.
    pub removed: Vec<String>,
}

/// Whether something is new.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PowerChange {
    /// Only the new one may.
    New,
    /// Only the old one might.
    Gone,
    /// Both may.
    Kept,
}

/// The sizes of both.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct SizeChange {
    /// Of the old one.
    pub old_bytes: u64,
    /// Of the new one.
    pub new_bytes: u64,
}

/// All sections of one sort.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SectionChange {
    /// As in [`crate::SectionSize`].
    pub name: String,
    /// Their sizes.
    #[serde(flatten)]
    pub size: SizeChange,
}

/// One tool or language.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ProducerChange {
    /// `language`, `processed-by` or `sdk`.
    pub field: String,
    /// Its name.
    pub name: String,
    /// The versions in the old file.
    pub old: Vec<String>,
    /// The versions in the new one.
    pub new: Vec<String>,
}

/// Compares two files.
pub fn compare(old: &Facts, new: &Facts) -> Comparison {
    Comparison {
        power: power(old, new),
        size: SizeChange { old_bytes: old.size_bytes, new_bytes: new.size_bytes },
        sections: sections(old, new),
        producers: producers(old, new),
    }
}

impl Comparison {
    /// Says whether the new file could do more than the old one.
    pub fn has_new_power(&self) -> bool {
        self.power.iter().any(|power| power.is_more)
    }

    /// Returns what changed in power as text for people.
    pub fn power_text(&self) -> String {
        text::power(self)
    }

    /// Returns the rest as text for people.
    pub fn size_text(&self) -> String {
        text::size_and_tools(self)
    }
}

fn power(old: &Facts, new: &Facts) -> Vec<Power> {
    let (old, new) = (imports(old), imports(new));
    let all: BTreeSet<Capability> = old.keys().chain(new.keys()).copied().collect();
    let none = BTreeMap::new();
    let mut found = Vec::new();
    for capability in all {
        let (before, after) = (old.get(&capability).unwrap_or(&none), new.get(&capability).unwrap_or(&none));
        let only = |one: &BTreeMap<String, String>, other: &BTreeMap<String, String>| -> Vec<String> {
            one.iter().filter(|(name, _)| !other.contains_key(*name)).map(|(_, full)| full.clone()).collect()
        };
        let (added, removed) = (only(after, before), only(before, after));
        let change = match (before.is_empty(), after.is_empty()) {
            (true, _) => PowerChange::New,
            (_, true) => PowerChange::Gone,
            _ => PowerChange::Kept,
        };
        // Nobody knows what an interface of others lets a component do: each one counts.
        let is_more = match capability {
            Capability::Other | Capability::Preview1 => !added.is_empty(),
            capability => change == PowerChange::New && capability.needs_grant(),
        };
        let (words, grant) = (capability.words().to_owned(), capability.grant_line());
        found.push(Power { capability, words, grant, change, is_more, added, removed });
    }
    found.sort_by_key(|power| (!power.is_more, power.change, power.capability));
    found
}

/// Returns what a file imports by capability: names without version, each with its full name.
fn imports(facts: &Facts) -> BTreeMap<Capability, BTreeMap<String, String>> {
    let mut found: BTreeMap<Capability, BTreeMap<String, String>> = BTreeMap::new();
    // Types alone let nobody do anything.
    let asked =
        facts.imports.iter().filter(|import| !import.is_types_only && import.capability != Capability::Plumbing);
    for import in asked {
        let names = found.entry(import.capability).or_default();
        for (name, full) in parts(import) {
            names.insert(name, full);
        }
    }
    found
}

/// An import is one interface; of core modules it is each function, since their one module has all of WASI.
fn parts(import: &Interface) -> Vec<(String, String)> {
    if import.capability == Capability::Preview1 {
        let name = |item: &String| item.split(':').next().unwrap_or(item).to_owned();
        return import.items.iter().map(|item| (name(item), name(item))).collect();
    }
    let path = import.name.split('@').next().unwrap_or(&import.name);
    vec![(path.to_owned(), import.name.clone())]
}

fn sections(old: &Facts, new: &Facts) -> Vec<SectionChange> {
    let mut sizes: BTreeMap<&str, SizeChange> = BTreeMap::new();
    let none = SizeChange { old_bytes: 0, new_bytes: 0 };
    for section in &old.sections {
        sizes.entry(&section.name).or_insert(none).old_bytes += section.bytes;
    }
    for section in &new.sections {
        sizes.entry(&section.name).or_insert(none).new_bytes += section.bytes;
    }
    let changed = sizes.into_iter().filter(|(_, size)| size.old_bytes != size.new_bytes);
    let mut found: Vec<SectionChange> =
        changed.map(|(name, size)| SectionChange { name: name.to_owned(), size }).collect();
    found.sort_by_key(|change| std::cmp::Reverse(change.size.old_bytes.abs_diff(change.size.new_bytes)));
    found
}

fn producers(old: &Facts, new: &Facts) -> Vec<ProducerChange> {
    type Versions = BTreeMap<(String, String), (BTreeSet<String>, BTreeSet<String>)>;
    let key = |producer: &Producer| (producer.field.clone(), producer.name.clone());
    let mut versions: Versions = BTreeMap::new();
    for producer in &old.producers {
        versions.entry(key(producer)).or_default().0.insert(producer.version.clone());
    }
    for producer in &new.producers {
        versions.entry(key(producer)).or_default().1.insert(producer.version.clone());
    }
    let changed = versions.into_iter().filter(|(_, (old, new))| old != new);
    let list = |versions: BTreeSet<String>| versions.into_iter().collect();
    changed.map(|((field, name), (old, new))| ProducerChange { field, name, old: list(old), new: list(new) }).collect()
}
