//! The interface of a binary as WIT: text, and the signatures of its imports and exports.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use wit_component::DecodedWasm;
use wit_parser::{PackageId, Resolve, WorldId, WorldItem, WorldKey};

use crate::{Facts, Interface, Kind, print, signature};

/// What the interface of a binary says.
struct Decoded {
    wit: String,
    world: Option<String>,
    imports: Vec<Item>,
    exports: Vec<Item>,
    is_package: bool,
}

struct Item {
    name: String,
    items: Vec<String>,
}

/// Adds the WIT text and the signatures. Where the interface cannot be written as WIT, the facts stay without them: the binary is
/// valid and may still run.
pub(crate) fn add_wit(facts: &mut Facts, bytes: &[u8]) {
    let kind = facts.kind;
    if kind == Kind::Module && !facts.has_embedded_world {
        return;
    }
    // The decoder asserts what components made by tools have; a component made by hand can be valid without it.
    // Nothing that outlives the closure is changed inside.
    let decoded = catch_unwind(AssertUnwindSafe(|| match kind {
        Kind::Module => embedded(bytes),
        _ => component(bytes),
    }));
    let Ok(Some(decoded)) = decoded else { return };
    facts.wit = decoded.wit;
    facts.world = decoded.world;
    if decoded.is_package {
        facts.kind = Kind::WitPackage;
    } else if kind == Kind::Component {
        fill(&mut facts.imports, decoded.imports);
        fill(&mut facts.exports, decoded.exports);
    }
}

fn component(bytes: &[u8]) -> Option<Decoded> {
    match wit_component::decode(bytes).ok()? {
        DecodedWasm::Component(resolve, world) => Some(Decoded {
            wit: text(&resolve, resolve.worlds[world].package?).unwrap_or_default(),
            world: None,
            imports: items(&resolve, resolve.worlds[world].imports.iter()),
            exports: items(&resolve, resolve.worlds[world].exports.iter()),
            is_package: false,
        }),
        DecodedWasm::WitPackage(resolve, package) => Some(Decoded {
            wit: text(&resolve, package).unwrap_or_default(),
            world: None,
            imports: Vec::new(),
            exports: Vec::new(),
            is_package: true,
        }),
    }
}

/// The world that `wit-bindgen` or `wasm-tools component embed` left in a core module.
fn embedded(bytes: &[u8]) -> Option<Decoded> {
    let (_, bindgen) = wit_component::metadata::decode(bytes).ok()?;
    let resolve = &bindgen.resolve;
    // The decoder merges all embedded worlds into a nameless one; when there is only one, that one is exact.
    let mut own = resolve.worlds.iter().map(|(id, _)| id).filter(|id| *id != bindgen.world);
    let world = match (own.next(), own.next()) {
        (Some(only), None) => only,
        _ => bindgen.world,
    };
    Some(Decoded {
        wit: text(resolve, resolve.worlds[world].package?).unwrap_or_default(),
        world: (world != bindgen.world).then(|| world_name(resolve, world)),
        imports: Vec::new(),
        exports: Vec::new(),
        is_package: false,
    })
}

fn world_name(resolve: &Resolve, id: WorldId) -> String {
    let world = &resolve.worlds[id];
    match world.package {
        Some(package) => resolve.id_of_name(package, &world.name),
        None => world.name.clone(),
    }
}

pub(crate) fn text(resolve: &Resolve, package: PackageId) -> Option<String> {
    let has_content = |package: &wit_parser::Package| !package.interfaces.is_empty() || !package.worlds.is_empty();
    let others = resolve.packages.iter().filter(|(id, other)| *id != package && has_content(other));
    let others: Vec<PackageId> = others.map(|(id, _)| id).collect();
    print(resolve, package, &others)
}

/// The text of one package, without those that it uses.
pub(crate) fn text_alone(resolve: &Resolve, package: PackageId) -> Option<String> {
    print(resolve, package, &[])
}

fn print(resolve: &Resolve, package: PackageId, others: &[PackageId]) -> Option<String> {
    let mut printer = print::printer(print::MAX_WIT_BYTES);
    printer.print(resolve, package, others).ok()?;
    printer.output.text()
}

fn items<'a>(resolve: &Resolve, world: impl Iterator<Item = (&'a WorldKey, &'a WorldItem)>) -> Vec<Item> {
    let mut budget = print::MAX_WIT_BYTES;
    world
        .map(|(key, item)| {
            let name = resolve.name_world_key(key);
            match item {
                WorldItem::Interface { id, .. } => {
                    let items = signature::of_interface(resolve, *id, &mut budget);
                    Item { name, items }
                }
                WorldItem::Function(function) => {
                    let item = signature::of_function(resolve, function);
                    let within = budget.checked_sub(item.len());
                    budget = within.unwrap_or_default();
                    Item { name, items: within.map(|_| item).into_iter().collect() }
                }
                WorldItem::Type { .. } => Item { name, items: Vec::new() },
            }
        })
        .collect()
}

/// Puts the signatures in the place of the bare names, where there are any.
fn fill(interfaces: &mut [Interface], items: Vec<Item>) {
    let mut items: HashMap<String, Item> = items.into_iter().map(|item| (item.name.clone(), item)).collect();
    for interface in interfaces {
        if let Some(item) = items.remove(&interface.name).filter(|item| !item.items.is_empty()) {
            interface.items = item.items;
        }
    }
}
