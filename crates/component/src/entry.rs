//! What of a component or module can be called, and how.

use serde::Serialize;

use crate::name::Name;
use crate::{ExternKind, Facts, Interface, Kind};

/// One way into a component or module. A component may have several: look at all of them, never at the first only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Entry {
    /// Answers HTTP requests by `wasi:http/incoming-handler@0.2.x`.
    HttpIncomingHandler02 {
        /// The name of the export with its exact version.
        export: String,
    },
    /// Answers HTTP requests by `wasi:http/handler@0.3.x`.
    HttpHandler03 {
        /// The name of the export with its exact version.
        export: String,
    },
    /// Runs to its end by `wasi:cli/run@0.2.x`.
    CliRun02 {
        /// The name of the export with its exact version.
        export: String,
    },
    /// Runs to its end by `wasi:cli/run@0.3.x`.
    CliRun03 {
        /// The name of the export with its exact version.
        export: String,
    },
    /// A core module that runs by `_start` and imports WASI preview 1 only.
    Preview1Command,
    /// Another exported function.
    Library {
        /// The exported interface that the function is in; none for a function of the world itself.
        interface: Option<String>,
        /// The name, for example `add`.
        name: String,
        /// Name and type in the words of WIT, for example `add: func(a: u32, b: u32) -> u32`.
        signature: String,
    },
}

impl Entry {
    /// Says whether it answers HTTP requests.
    pub fn is_http(&self) -> bool {
        matches!(self, Entry::HttpIncomingHandler02 { .. } | Entry::HttpHandler03 { .. })
    }

    /// Says whether it is a command that runs to its end.
    pub fn is_command(&self) -> bool {
        matches!(self, Entry::CliRun02 { .. } | Entry::CliRun03 { .. } | Entry::Preview1Command)
    }
}

/// The longest name of an interface whose functions are listed; real ones stay below 100.
const MAX_NAME_BYTES: usize = 512;

/// The module name of WASI preview 1.
pub(crate) const PREVIEW1: &str = "wasi_snapshot_preview1";

/// Lists every entry of what was found so far; the first ones are those that a trigger would choose.
pub(crate) fn entries(facts: &Facts) -> Vec<Entry> {
    let mut entries: Vec<Entry> = match facts.kind {
        Kind::Component => facts.exports.iter().flat_map(of_export).collect(),
        Kind::Module => of_module(facts),
        Kind::WitPackage => Vec::new(),
    };
    entries.sort_by_key(rank);
    entries
}

fn rank(entry: &Entry) -> u8 {
    match entry {
        Entry::HttpHandler03 { .. } => 0,
        Entry::HttpIncomingHandler02 { .. } => 1,
        Entry::CliRun03 { .. } => 2,
        Entry::CliRun02 { .. } => 3,
        Entry::Preview1Command => 4,
        Entry::Library { .. } => 5,
    }
}

fn of_export(export: &Interface) -> Vec<Entry> {
    match export.kind {
        ExternKind::Instance => of_instance(export),
        ExternKind::Func => export.items.iter().map(|item| library(None, item)).collect(),
        _ => Vec::new(),
    }
}

fn of_instance(export: &Interface) -> Vec<Entry> {
    let name = || export.name.clone();
    let known = Name::parse(&export.name).and_then(|parsed| {
        if parsed.is("wasi:http/incoming-handler") && parsed.is_on_track("0.2") {
            Some(Entry::HttpIncomingHandler02 { export: name() })
        } else if parsed.is("wasi:http/handler") && parsed.is_on_track("0.3") {
            Some(Entry::HttpHandler03 { export: name() })
        } else if parsed.is("wasi:cli/run") && parsed.is_on_track("0.2") {
            Some(Entry::CliRun02 { export: name() })
        } else if parsed.is("wasi:cli/run") && parsed.is_on_track("0.3") {
            Some(Entry::CliRun03 { export: name() })
        } else {
            None
        }
    });
    match known {
        Some(known) => vec![known],
        // Each entry repeats the name: a very long one times many functions would fill the memory.
        None if export.name.len() > MAX_NAME_BYTES => Vec::new(),
        None => export
            .items
            .iter()
            .filter(|item| !item.starts_with("resource "))
            .map(|item| library(Some(name()), item))
            .collect(),
    }
}

fn of_module(facts: &Facts) -> Vec<Entry> {
    let has_start = facts.exports.iter().any(|export| export.name == "_start");
    let is_preview1 = facts.imports.iter().all(|import| import.name == PREVIEW1);
    if has_start && is_preview1 {
        return vec![Entry::Preview1Command];
    }
    let items = facts.exports.iter().flat_map(|export| &export.items);
    items.filter(|item| item.contains(": func(")).map(|item| library(None, item)).collect()
}

fn library(interface: Option<String>, item: &str) -> Entry {
    let name = item.split(": ").next().unwrap_or(item);
    Entry::Library { interface, name: name.to_owned(), signature: item.to_owned() }
}
