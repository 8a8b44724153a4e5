//! Imports and exports as the binary has them. `decode` puts WIT in the place of items where it can.

use std::collections::HashSet;

use wasmparser::component_types::{ComponentAnyTypeId, ComponentEntityType, ComponentItem, ResourceId};
use wasmparser::types::{EntityType, TypesRef};
use wasmparser::{
    ComponentExportSectionReader, ComponentExternName, ComponentExternalKind, ComponentImportSectionReader,
    ComponentTypeRef, CompositeInnerType, ExportSectionReader, ImportSectionReader, ValType,
};

use crate::name::Name;
use crate::weight::Weight;
use crate::{Capability, ExternKind, Interface, printable};

/// The imports of a component. `known` are the resources that earlier imports brought; they add to `weight`, and those
/// after the limit are not described.
pub(crate) fn imports(
    section: ComponentImportSectionReader<'_>,
    types: TypesRef<'_>,
    known: &mut HashSet<ResourceId>,
    weight: &mut Weight,
) -> wasmparser::Result<Vec<Interface>> {
    let mut import = |import: wasmparser::ComponentImport<'_>| {
        let kind = match import.ty {
            ComponentTypeRef::Module(_) => ExternKind::Module,
            ComponentTypeRef::Func(_) => ExternKind::Func,
            ComponentTypeRef::Value(_) => ExternKind::Value,
            ComponentTypeRef::Type(_) => ExternKind::Type,
            ComponentTypeRef::Instance(_) => ExternKind::Instance,
            ComponentTypeRef::Component(_) => ExternKind::Component,
        };
        let asked = import.name.implements.unwrap_or(import.name.name);
        let mut interface = interface(import.name, kind, Capability::of_import(asked));
        if let Some(item) = types.component_item_for_import(import.name.name) {
            weight.add(&item.ty, types);
            describe(&mut interface, item, types, known);
            if weight.is_over() {
                interface.items.clear();
            }
        }
        interface
    };
    section.into_iter().map(|item| item.map(&mut import)).collect()
}

/// The exports of a component; `weight` as with imports.
pub(crate) fn exports(
    section: ComponentExportSectionReader<'_>,
    types: TypesRef<'_>,
    weight: &mut Weight,
) -> wasmparser::Result<Vec<Interface>> {
    let mut export = |export: wasmparser::ComponentExport<'_>| {
        let kind = match export.kind {
            ComponentExternalKind::Module => ExternKind::Module,
            ComponentExternalKind::Func => ExternKind::Func,
            ComponentExternalKind::Value => ExternKind::Value,
            ComponentExternalKind::Type => ExternKind::Type,
            ComponentExternalKind::Instance => ExternKind::Instance,
            ComponentExternalKind::Component => ExternKind::Component,
        };
        let mut interface = interface(export.name, kind, Capability::of_export(export.name.name));
        if let Some(item) = types.component_item_for_export(export.name.name) {
            weight.add(&item.ty, types);
            describe(&mut interface, item, types, &mut HashSet::new());
            if weight.is_over() {
                interface.items.clear();
            }
        }
        interface
    };
    section.into_iter().map(|item| item.map(&mut export)).collect()
}

/// Adds what the type says without WIT: the names of functions, and whether somebody must implement something.
///
/// A resource that an earlier import brought is only named here; the linker wants it once.
fn describe(interface: &mut Interface, item: &ComponentItem, types: TypesRef<'_>, known: &mut HashSet<ResourceId>) {
    let mut is_only_type = |entity: &ComponentEntityType| match entity {
        ComponentEntityType::Type { created: ComponentAnyTypeId::Resource(id), .. } => !known.insert(id.resource()),
        ComponentEntityType::Type { .. } => true,
        _ => false,
    };
    let ComponentEntityType::Instance(id) = item.ty else {
        if interface.kind == ExternKind::Func {
            interface.items.push(format!("{}: func(…)", interface.name));
        }
        interface.is_types_only = is_only_type(&item.ty);
        return;
    };
    let exports = &types[id].exports;
    // Each is asked, whatever the others said: it takes note of the resources.
    interface.is_types_only = exports.values().filter(|export| !is_only_type(&export.ty)).count() == 0;
    let functions = exports.iter().filter(|(_, export)| matches!(export.ty, ComponentEntityType::Func(_)));
    interface.items = functions.map(|(name, _)| format!("{name}: func(…)")).collect();
}

fn interface(name: ComponentExternName<'_>, kind: ExternKind, capability: Capability) -> Interface {
    let mut interface = named(name.name, kind, capability);
    interface.implements = name.implements.map(str::to_owned);
    interface
}

fn named(name: &str, kind: ExternKind, capability: Capability) -> Interface {
    let name = printable::line(name);
    let parsed = Name::parse(&name);
    let part = |part: fn(&Name<'_>) -> String| parsed.as_ref().map(part);
    Interface {
        namespace: part(|name| name.namespace.to_owned()),
        package: part(|name| name.package.to_owned()),
        interface: part(|name| name.interface.to_owned()),
        version: parsed.and_then(|name| name.version.map(str::to_owned)),
        name,
        implements: None,
        kind,
        items: Vec::new(),
        is_types_only: false,
        capability,
    }
}

/// The imports of a core module, one for each module name, in the order of first mention.
pub(crate) fn core_imports(
    section: ImportSectionReader<'_>,
    types: TypesRef<'_>,
) -> wasmparser::Result<Vec<Interface>> {
    let mut found: Vec<Interface> = Vec::new();
    let mut index_of = std::collections::HashMap::new();
    for import in section.into_imports() {
        let import = import?;
        let index = *index_of.entry(import.module).or_insert_with(|| {
            found.push(named(import.module, ExternKind::Core, Capability::of_import(import.module)));
            found.len() - 1
        });
        let ty = types.entity_type_from_import(&import);
        found[index].items.push(format!("{}: {}", printable::line(import.name), words(ty, types)));
    }
    Ok(found)
}

/// The exports of a core module.
pub(crate) fn core_exports(
    section: ExportSectionReader<'_>,
    types: TypesRef<'_>,
) -> wasmparser::Result<Vec<Interface>> {
    let export = |export: wasmparser::Export<'_>| {
        let mut interface = named(export.name, ExternKind::Core, Capability::Other);
        let ty = types.entity_type_from_export(&export);
        interface.items.push(format!("{}: {}", printable::line(export.name), words(ty, types)));
        interface
    };
    section.into_iter().map(|item| item.map(export)).collect()
}

/// A core type in the manner of WIT: `func(i32, i32) -> i32`.
fn words(ty: Option<EntityType>, types: TypesRef<'_>) -> String {
    match ty {
        Some(EntityType::Func(id) | EntityType::FuncExact(id)) => match &types[id].composite_type.inner {
            CompositeInnerType::Func(func) => {
                let params = list(func.params());
                match func.results() {
                    [] => format!("func({params})"),
                    [one] => format!("func({params}) -> {one}"),
                    many => format!("func({params}) -> ({})", list(many)),
                }
            }
            _ => "func".to_owned(),
        },
        Some(EntityType::Table(_)) => "table".to_owned(),
        Some(EntityType::Memory(_)) => "memory".to_owned(),
        Some(EntityType::Global(global)) => format!("global {}", global.content_type),
        Some(EntityType::Tag(_)) => "tag".to_owned(),
        None => "unknown".to_owned(),
    }
}

/// Types after the 16th are left out: many imports can share one type with a thousand parameters.
fn list(types: &[ValType]) -> String {
    let mut words: Vec<String> = types.iter().take(16).map(ValType::to_string).collect();
    if types.len() > words.len() {
        words.push("…".to_owned());
    }
    words.join(", ")
}
