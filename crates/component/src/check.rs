//! Which imports this host cannot satisfy.
//!
//! In: [`Facts`] and the list of what is provided. Out: [`Missing`], each with what to do. Next: `verdict`.

use serde::Serialize;

use crate::entry::PREVIEW1;
use crate::name::{Name, track_of};
use crate::provided::PREVIEW1_FUNCTIONS;
use crate::{ExternKind, Facts, Interface, Kind, Provided, help};

/// Why an import is missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum MissingReason {
    /// The interface is here in another version.
    Version,
    /// Nobody provides an interface of this name.
    Interface,
    /// A function, module or component of the world itself: only other components can provide it.
    Bare,
    /// An import of a core module from something other than WASI preview 1.
    Core,
}

/// One import that this host cannot satisfy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Missing {
    /// The full name; for a core module `module.name`.
    pub import: String,
    /// Why.
    pub reason: MissingReason,
    /// What comes nearest, for example `wasi:http/types@0.2.12 and @0.3.0`.
    pub nearest: Option<String>,
    /// One sentence: what it is and what to do.
    pub help: String,
}

/// Compares the imports with what is provided. An empty answer means that it can be linked.
///
/// The same rule as the engine's linker: `0.2.x` is satisfied by any `0.2.y`, `1.x` by any `1.y`, a pre-release by itself only.
/// Imports that are only types need nobody.
pub fn check(facts: &Facts, provided: &[Provided]) -> Vec<Missing> {
    match facts.kind {
        Kind::Module => facts.imports.iter().flat_map(missing_in_module).collect(),
        _ => facts.imports.iter().filter_map(|import| missing(import, provided)).collect(),
    }
}

fn missing(import: &Interface, provided: &[Provided]) -> Option<Missing> {
    if import.is_types_only {
        return None;
    }
    let Some(name) = Name::parse(&import.name) else {
        let is_provided =
            import.kind == ExternKind::Instance && provided.iter().any(|one| one.full_name() == import.name);
        return (!is_provided).then(|| bare(import));
    };
    if provided.iter().any(|one| satisfies(one, &name)) {
        return None;
    }
    let near = nearest(&name, provided);
    let reason = if near.is_some() { MissingReason::Version } else { MissingReason::Interface };
    let help = match &near {
        Some(near) => help::version(&import.name, name.version, near, best_version(&name, provided)),
        None => help::interface(&import.name),
    };
    Some(Missing { import: import.name.clone(), reason, nearest: near, help })
}

fn bare(import: &Interface) -> Missing {
    let asked = import.implements.as_deref();
    Missing {
        import: import.name.clone(),
        reason: MissingReason::Bare,
        nearest: asked.map(str::to_owned),
        help: help::bare(&import.name, asked),
    }
}

/// Says whether the linker takes this provided interface for that import.
fn satisfies(provided: &Provided, wanted: &Name<'_>) -> bool {
    if !wanted.is(&provided.interface) {
        return false;
    }
    match (wanted.version, provided.version.as_deref()) {
        (wanted, has) if wanted == has => true,
        (Some(wanted), Some(has)) => track_of(wanted).is_some_and(|track| track_of(has) == Some(track)),
        _ => false,
    }
}

fn versions<'a>(wanted: &Name<'_>, provided: &'a [Provided]) -> impl Iterator<Item = &'a str> {
    provided.iter().filter(|one| wanted.is(&one.interface)).filter_map(|one| one.version.as_deref())
}

/// All versions of the same interface: `wasi:http/types@0.2.12 and @0.3.0`.
fn nearest(wanted: &Name<'_>, provided: &[Provided]) -> Option<String> {
    let found: Vec<String> = versions(wanted, provided).map(|version| format!("@{version}")).collect();
    let interface = format!("{}:{}/{}", wanted.namespace, wanted.package, wanted.interface);
    (!found.is_empty()).then(|| format!("{interface}{}", found.join(" and ")))
}

/// The version to rebuild with: the release of the wanted pre-release, else the highest.
fn best_version<'a>(wanted: &Name<'_>, provided: &'a [Provided]) -> Option<&'a str> {
    let release = wanted.version.and_then(|version| version.split_once('-')).and_then(|(release, _)| track_of(release));
    versions(wanted, provided)
        .find(|version| release.is_some() && track_of(version) == release)
        .or_else(|| versions(wanted, provided).last())
}

fn missing_in_module(import: &Interface) -> Vec<Missing> {
    let is_missing = |name: &str| import.name != PREVIEW1 || !PREVIEW1_FUNCTIONS.contains(&name);
    let names = import.items.iter().filter_map(|item| item.rsplit_once(": ")).map(|(name, _)| name);
    names
        .filter(|name| is_missing(name))
        .map(|name| Missing {
            import: format!("{}.{name}", import.name),
            reason: MissingReason::Core,
            nearest: None,
            help: help::core(&import.name, name).to_owned(),
        })
        .collect()
}
