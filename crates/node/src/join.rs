//! Puts together what is loaded as one: a component, all that is fused into it, and what stays outside and is linked to it.
//!
//! In: a component of an app, with its dependencies. Out: [`Joined`]. Next: [`crate::live`], which loads it.
//!
//! Names are matched here, types are compared by those who join: `compose` for what is fused, `runtime` for what is isolated.

use crate::error::ComponentError;
use crate::files::Files;
use crate::inherit;
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use wharf_app::{App, Component, Dependency, Inherit, Link};
use wharf_component::{Capability, Match, Outline};
use wharf_compose::{Part, Plug};
use wharf_host::MEMBERS;
use wharf_kit::Names;

/// How deep dependencies may be nested. The deepest chains that people wrote by hand had five.
const DEPTH: usize = 64;

/// A component with all that is fused into it.
pub(crate) struct Joined<'a> {
    /// The bytes to load.
    pub(crate) bytes: Arc<[u8]>,
    /// Whether one of the parts is seen to need an engine with tasks.
    pub(crate) is_concurrent: bool,
    /// What the outermost part's imports reach, without those that are satisfied, and with what others inherit from it.
    pub(crate) capabilities: BTreeSet<Capability>,
    /// The parts that have grants of their own, by their numbers from one on.
    pub(crate) members: Vec<Member<'a>>,
    /// All parts, the outermost first, for checks.
    pub(crate) parts: Vec<Joint<'a>>,
    /// What stays outside.
    pub(crate) isolated: Vec<Isolated<'a>>,
}

/// A part of a fused component that has grants of its own.
pub(crate) struct Member<'a> {
    /// What it may touch.
    pub(crate) declared: Cow<'a, Component>,
    /// What its imports reach.
    pub(crate) capabilities: BTreeSet<Capability>,
}

/// One part.
pub(crate) struct Joint<'a> {
    pub(crate) declared: Cow<'a, Component>,
    pub(crate) bytes: Arc<[u8]>,
    outline: Outline,
    /// Its imports that others satisfy, by who asked for it.
    pub(crate) satisfied: BTreeMap<String, &'a Dependency>,
    plugs: Vec<Plug>,
    renamed: BTreeMap<String, String>,
    /// Whose grants it shares, if not its own.
    shares: Option<u8>,
    number: u8,
}

/// An import that an instance of its own satisfies.
pub(crate) struct Isolated<'a> {
    pub(crate) import: String,
    pub(crate) export: String,
    /// What satisfies it, with the grants that it has here: an instance is shared only by those that say the same.
    pub(crate) supplier: Cow<'a, Component>,
}

/// Whether the imports of each part are told apart, by names that only this host knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Apart {
    /// Each part has its own grants.
    Yes,
    /// All parts have what the outermost has: a component for any host.
    No,
}

/// Joins `root` with its dependencies.
///
/// # Errors
/// What cannot be read, matched or composed.
pub(crate) fn join<'a>(
    app: &'a App,
    files: &Files<'_>,
    root: Cow<'a, Component>,
    apart: Apart,
) -> Result<Joined<'a>, ComponentError> {
    let name = root.name.clone();
    let span = root.name_span.clone();
    let mut joiner = Joiner {
        app,
        files,
        apart,
        parts: Vec::new(),
        members: Vec::new(),
        isolated: Vec::new(),
        inherited: BTreeSet::new(),
    };
    joiner.add(root, Some(0), 0)?;
    let Joiner { parts, members, isolated, inherited, .. } = joiner;
    let is_fused = parts.len() > 1;
    let bytes = if is_fused {
        let fused: Vec<Part<'_>> = parts.iter().map(Joint::part).collect();
        let fused = wharf_compose::fuse(&fused);
        fused.map_err(|error| ComponentError::Compose { component: name, span, source: Box::new(error) })?.into()
    } else {
        Arc::clone(&parts[0].bytes)
    };
    Ok(Joined {
        bytes,
        is_concurrent: parts.iter().any(|part| part.outline.is_concurrent()),
        capabilities: &parts[0].capabilities() | &inherited,
        members,
        parts,
        isolated,
    })
}

impl Joint<'_> {
    fn part(&self) -> Part<'_> {
        Part { name: &self.declared.name, bytes: &self.bytes, plugs: self.plugs.clone(), renamed: self.renamed.clone() }
    }

    fn capabilities(&self) -> BTreeSet<Capability> {
        let open = self.outline.imports().iter().filter(|import| !self.satisfied.contains_key(*import));
        open.map(|import| Capability::of_import(import)).collect()
    }
}

/// Tells whether a fused dependency touches what its dependant does, and nothing else. Then they are one to the host, and handles of what
/// was granted can cross between them.
fn shares_grants(dependency: &Dependency) -> bool {
    dependency.link == Link::Fused && dependency.inherit == Inherit::Everything
}

fn misfit(component: String, dependency: &Dependency, reason: String) -> ComponentError {
    let (span, import) = (dependency.span.clone(), dependency.import.as_str().to_owned());
    ComponentError::Dependency { component, span, import, reason }
}

struct Joiner<'a, 'f> {
    app: &'a App,
    files: &'f Files<'f>,
    apart: Apart,
    parts: Vec<Joint<'a>>,
    members: Vec<Member<'a>>,
    isolated: Vec<Isolated<'a>>,
    /// What those reach that inherit grants of the outermost part.
    inherited: BTreeSet<Capability>,
}

impl<'a> Joiner<'a, '_> {
    /// Adds a part and all that it depends on. `shares` is whose grants it shares; absent for a part with its own.
    fn add(&mut self, declared: Cow<'a, Component>, shares: Option<u8>, depth: usize) -> Result<usize, ComponentError> {
        let bytes = self.files.read(&declared)?;
        let outline = wharf_component::outline(&bytes);
        let place = self.parts.len();
        let dependencies = self.dependencies(&declared);
        self.parts.push(Joint {
            declared,
            bytes,
            outline,
            satisfied: BTreeMap::new(),
            plugs: Vec::new(),
            renamed: BTreeMap::new(),
            shares,
            number: shares.unwrap_or(0),
        });
        let mut matched = Vec::new();
        for (dependency, supplier) in dependencies {
            let found = self.satisfy(place, dependency, &supplier, depth)?;
            matched.push((dependency, supplier, found));
        }
        let lends = matched.iter().any(|(dependency, ..)| shares_grants(dependency));
        self.set_apart(place, lends)?;
        for (dependency, supplier, found) in matched {
            match dependency.link {
                Link::Isolated => self.isolate(place, dependency, supplier, found)?,
                Link::Fused => self.fuse(place, dependency, supplier, found, depth)?,
            }
        }
        Ok(place)
    }

    /// Returns a part's dependencies, each with what satisfies it.
    fn dependencies(&self, declared: &Cow<'a, Component>) -> Vec<(&'a Dependency, Cow<'a, Component>)> {
        // What is no component of the app has no dependencies that the manifest could name.
        let Some(own) = self.app.component(&declared.name) else { return Vec::new() };
        let with = |dependency| Some((dependency, inherit::supplier(self.app, declared, dependency)?));
        own.dependencies.iter().filter_map(with).collect()
    }

    /// Matches the imports that a dependency is for with what it exports.
    fn satisfy(
        &mut self,
        place: usize,
        dependency: &'a Dependency,
        supplier: &Component,
        depth: usize,
    ) -> Result<Vec<Match>, ComponentError> {
        let exports = wharf_component::outline(&self.files.read(supplier)?);
        if place == 0 && dependency.inherit != Inherit::Nothing {
            self.inherited.extend(exports.capabilities());
        }
        let part = &mut self.parts[place];
        let name = part.declared.name.clone();
        if depth == DEPTH {
            return Err(misfit(name, dependency, format!("dependencies are nested deeper than {DEPTH}")));
        }
        let found = wharf_component::matches(dependency.import.as_str(), part.outline.imports(), exports.exports());
        let found = found.map_err(|mismatch| misfit(name.clone(), dependency, mismatch.to_string()))?;
        for one in &found {
            if let Some(first) = part.satisfied.insert(one.import.clone(), dependency) {
                let reason = format!("{} is satisfied by `{}` already", one.import, first.import.as_str());
                return Err(misfit(name, dependency, reason));
            }
        }
        Ok(found)
    }

    fn isolate(
        &mut self,
        place: usize,
        dependency: &'a Dependency,
        supplier: Cow<'a, Component>,
        found: Vec<Match>,
    ) -> Result<(), ComponentError> {
        let dependant = &self.parts[place].declared;
        for Match { import, export } in found {
            if let Some(other) = self.isolated.iter().find(|other| other.import == import && other.supplier != supplier)
            {
                let reason = format!(
                    "{import} comes from {} for a component that is fused with this one, and would come from {} for this one; fuse \
                     one of them",
                    other.supplier.name, supplier.name
                );
                return Err(misfit(dependant.name.clone(), dependency, reason));
            }
            self.isolated.push(Isolated { import, export, supplier: supplier.clone() });
        }
        Ok(())
    }

    fn fuse(
        &mut self,
        place: usize,
        dependency: &'a Dependency,
        supplier: Cow<'a, Component>,
        found: Vec<Match>,
        depth: usize,
    ) -> Result<(), ComponentError> {
        let shares = shares_grants(dependency).then_some(self.parts[place].number);
        let known = self.parts.iter().position(|part| part.declared == supplier && part.shares == shares);
        let from = known.map_or_else(|| self.add(supplier, shares, depth + 1), Ok)?;
        let plugs = found.into_iter().map(|Match { import, export }| Plug { import, from, export });
        self.parts[place].plugs.extend(plugs);
        Ok(())
    }

    /// Gives the imports that draw on grants the names of the member whose grants they are. One that `lends` its grants needs a number
    /// though it may draw on none itself.
    fn set_apart(&mut self, place: usize, lends: bool) -> Result<(), ComponentError> {
        let part = &self.parts[place];
        let open = part.outline.imports().iter().filter(|import| !part.satisfied.contains_key(*import));
        let powers: Vec<String> = open.filter(|import| Capability::of_import(import).needs_grant()).cloned().collect();
        if self.apart == Apart::No || (powers.is_empty() && !lends) || part.shares == Some(0) {
            return Ok(());
        }
        let number = match part.shares {
            Some(number) => number,
            None => self.new_member(place)?,
        };
        let names = Names::member(number);
        let part = &mut self.parts[place];
        part.number = number;
        part.renamed = powers.into_iter().map(|import| (import.clone(), names.of(&import).into_owned())).collect();
        Ok(())
    }

    fn new_member(&mut self, place: usize) -> Result<u8, ComponentError> {
        let part = &self.parts[place];
        self.members.push(Member { declared: part.declared.clone(), capabilities: part.capabilities() });
        match u8::try_from(self.members.len()) {
            Ok(number) if usize::from(number) <= MEMBERS => Ok(number),
            _ => Err(ComponentError::Dependency {
                component: part.declared.name.clone(),
                span: part.declared.name_span.clone(),
                import: part.declared.name.clone(),
                reason: format!(
                    "a fused component has at most {MEMBERS} dependencies with grants of their own; link some with \
                     `link = \"isolated\"`, or let them `inherit`"
                ),
            }),
        }
    }
}
