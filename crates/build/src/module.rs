//! Core module → component: the world embedded where it lacks one, imports of WASI preview 1 adapted, the rest encoded.
//!
//! In: the bytes of a module that was inspected, and what the manifest says of it. Out: the bytes of a component. Next: [`crate::build`].

use crate::ModuleError;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use wasi_preview1_component_adapter_provider as adapters;
use wasmparser::{Parser, Payload};
use wharf_app::{Adapter, Build};
use wit_component::{ComponentEncoder, StringEncoding};
use wit_parser::{Resolve, UnresolvedPackageGroup};

/// What decides how a module becomes a component.
#[derive(Debug, Default, PartialEq, Eq)]
struct Outline {
    has_world: bool,
    imports_preview1: bool,
    is_command: bool,
}

/// Makes a component of a valid core module. `dir` is where `wit` starts.
pub(crate) fn componentize(module: &[u8], build: Option<&Build>, dir: &Path) -> Result<Vec<u8>, ModuleError> {
    // The encoder trusts what tools wrote into the module; a damaged world must not end the process.
    let encoded = catch_unwind(AssertUnwindSafe(|| encode(module, build, dir)));
    encoded.unwrap_or_else(|_| Err(ModuleError::Encode { why: "its embedded world is damaged".to_owned() }))
}

fn encode(module: &[u8], build: Option<&Build>, dir: &Path) -> Result<Vec<u8>, ModuleError> {
    let outline = Outline::of(module);
    let mut module = module.to_vec();
    let wit = build.and_then(|build| build.wit.as_ref()).map(|wit| dir.join(wit));
    match wit {
        Some(wit) if !outline.has_world => embed(&mut module, &wit, build.and_then(|build| build.world.as_deref()))?,
        // A command needs none: its world is that of the adapter.
        None if !outline.has_world && !outline.is_command => return Err(ModuleError::NoWorld),
        _ => {}
    }
    let failed = |error| ModuleError::Encode { why: causes(error) };
    let mut encoder = ComponentEncoder::default().validate(true).module(&module).map_err(failed)?;
    if outline.imports_preview1
        && let Some(bytes) = adapter(build.and_then(|build| build.adapter), &outline)
    {
        encoder = encoder.adapter(adapters::WASI_SNAPSHOT_PREVIEW1_ADAPTER_NAME, bytes).map_err(failed)?;
    }
    encoder.encode().map_err(failed)
}

fn adapter(wanted: Option<Adapter>, outline: &Outline) -> Option<&'static [u8]> {
    let usual = if outline.is_command { Adapter::Command } else { Adapter::Reactor };
    match wanted.unwrap_or(usual) {
        Adapter::Command => Some(adapters::WASI_SNAPSHOT_PREVIEW1_COMMAND_ADAPTER),
        Adapter::Reactor => Some(adapters::WASI_SNAPSHOT_PREVIEW1_REACTOR_ADAPTER),
        Adapter::Proxy => Some(adapters::WASI_SNAPSHOT_PREVIEW1_PROXY_ADAPTER),
        Adapter::None => None,
    }
}

fn embed(module: &mut Vec<u8>, wit: &Path, world: Option<&str>) -> Result<(), ModuleError> {
    let path = || PathBuf::from(wit);
    let mut resolve = Resolve::default();
    let pushed = resolve.push_path(wit).map_err(|error| {
        // Of a mistake in the package itself there is an excerpt with its place.
        let excerpt = wit.is_dir().then(|| UnresolvedPackageGroup::parse_dir(wit).err()).flatten();
        ModuleError::Wit { path: path(), why: excerpt.map_or_else(|| causes(error), |excerpt| excerpt.to_string()) }
    })?;
    let world = resolve.select_world(&[pushed.0], world);
    let world = world.map_err(|error| ModuleError::World { path: path(), why: causes(error) })?;
    wit_component::embed_component_metadata(module, &resolve, world, StringEncoding::UTF8)
        .map_err(|error| ModuleError::Encode { why: causes(error) })
}

/// Returns an error with all its causes on one line.
fn causes(error: impl std::fmt::Display) -> String {
    format!("{error:#}").trim().to_owned()
}

impl Outline {
    fn of(module: &[u8]) -> Self {
        let mut outline = Self::default();
        for payload in Parser::new(0).parse_all(module).map_while(Result::ok) {
            match payload {
                Payload::ImportSection(section) => {
                    let mut imports = section.into_imports().map_while(Result::ok);
                    outline.imports_preview1 |=
                        imports.any(|import| import.module == adapters::WASI_SNAPSHOT_PREVIEW1_ADAPTER_NAME);
                }
                Payload::ExportSection(section) => {
                    outline.is_command |=
                        section.into_iter().map_while(Result::ok).any(|export| export.name == "_start");
                }
                Payload::CustomSection(section) => outline.has_world |= section.name().starts_with("component-type"),
                _ => {}
            }
        }
        outline
    }
}

#[cfg(test)]
mod tests;
