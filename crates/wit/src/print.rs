//! A package, or one world or interface of it with all that it needs, as WIT text or JSON.

use std::collections::BTreeSet;

use wit_parser::{InterfaceId, PackageId, Resolve, WorldId, WorldItem};

/// What to print.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part<'a> {
    /// The package.
    Whole,
    /// One world with the interfaces that it names.
    World(&'a str),
    /// One interface with those that it uses.
    Interface(&'a str),
}

/// Why a part cannot be printed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PartError {
    /// The package does not have it; these are there.
    Unknown(Vec<String>),
    /// Its text would be longer than 4 MiB.
    TooLong,
}

/// Writes WIT text that can be parsed again. A part may be in another package: `wasi:http/types@0.2.6`.
pub fn print(resolve: &Resolve, package: PackageId, part: Part<'_>) -> Result<String, PartError> {
    let mut resolve = resolve.clone();
    let package = match part {
        Part::Whole => package,
        Part::World(name) => {
            let (id, package) = find(&resolve, package, name, |package| &package.worlds).map_err(PartError::Unknown)?;
            keep(&mut resolve, Some(id), None);
            package
        }
        Part::Interface(name) => {
            let (id, package) =
                find(&resolve, package, name, |package| &package.interfaces).map_err(PartError::Unknown)?;
            keep(&mut resolve, None, Some(id));
            package
        }
    };
    wharf_component::wit_text(&resolve, package).ok_or(PartError::TooLong)
}

/// Returns everything that is known about the package and its dependencies, in the form that `wasm-tools component wit --json` has.
pub fn json(resolve: &Resolve) -> Option<serde_json::Value> {
    serde_json::to_value(resolve).ok()
}

/// Finds by its own name, or by its full name with or without version. Otherwise returns what is there.
fn find<T: Copy>(
    resolve: &Resolve,
    package: PackageId,
    wanted: &str,
    items: impl Fn(&wit_parser::Package) -> &wit_parser::IndexMap<String, T>,
) -> Result<(T, PackageId), Vec<String>> {
    if let Some(id) = items(&resolve.packages[package]).get(wanted) {
        return Ok((*id, package));
    }
    let mut known = Vec::new();
    for (package, content) in resolve.packages.iter() {
        for (name, id) in items(content) {
            let full = content.name.interface_id(name);
            if full == wanted || full.split('@').next() == Some(wanted) {
                return Ok((*id, package));
            }
            known.push(full);
        }
    }
    Err(known)
}

/// Removes what neither the world nor the interface needs.
fn keep(resolve: &mut Resolve, world: Option<WorldId>, interface: Option<InterfaceId>) {
    let mut needed = BTreeSet::new();
    let mut open: Vec<InterfaceId> = interface.into_iter().collect();
    if let Some(world) = world.map(|world| &resolve.worlds[world]) {
        for item in world.imports.values().chain(world.exports.values()) {
            match item {
                WorldItem::Interface { id, .. } => open.push(*id),
                WorldItem::Type { id, .. } => open.extend(resolve.type_interface_dep(*id)),
                WorldItem::Function(_) => {}
            }
        }
    }
    while let Some(id) = open.pop() {
        if needed.insert(id) {
            open.extend(resolve.interface_direct_deps(id));
        }
    }
    let mut packages: BTreeSet<PackageId> = needed.iter().filter_map(|id| resolve.interfaces[*id].package).collect();
    packages.extend(world.and_then(|world| resolve.worlds[world].package));
    for (id, package) in resolve.packages.iter_mut() {
        package.interfaces.retain(|_, id| needed.contains(id));
        package.worlds.retain(|_, id| Some(*id) == world);
        if !packages.contains(&id) {
            package.docs.contents = None;
        }
    }
}
