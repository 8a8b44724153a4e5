//! The outline of a component: what its own imports and exports are called, without reading what is in it.
//!
//! In: bytes. Out: [`Outline`]. Costs microseconds for a component of any size: nested modules and components are passed over, nothing
//! is validated. For decisions that the engine checks again, not for verdicts; those are [`inspect`](crate::inspect)'s.

use std::collections::BTreeSet;

use wasmparser::{CanonicalFunction, CanonicalOption, Chunk, ComponentExternalKind, Parser, Payload};

use crate::Capability;
use crate::name::Name;

/// How many names are read; no component has so many, and a file could claim any number.
const NAMES: usize = 10_000;

/// What can be seen of a component from outside.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outline {
    imports: Vec<String>,
    exports: Vec<String>,
    has_async_calls: bool,
}

/// Returns what a component imports and exports, as far as the bytes can be read. Empty for a core module.
pub fn outline(bytes: &[u8]) -> Outline {
    let mut outline = Outline::default();
    let mut parser = Parser::new(0);
    let mut at = 0;
    while let Some(rest) = bytes.get(at..).filter(|rest| !rest.is_empty()) {
        let Ok(Chunk::Parsed { consumed, payload }) = parser.parse(rest, true) else { break };
        at += consumed;
        match payload {
            Payload::ModuleSection { unchecked_range, .. } | Payload::ComponentSection { unchecked_range, .. } => {
                // Its parser is not asked; what follows it is.
                at = unchecked_range.end;
            }
            Payload::ComponentImportSection(section) => {
                for import in section.into_iter().map_while(Result::ok).take(NAMES) {
                    outline.imports.push(import.name.name.to_owned());
                }
            }
            Payload::ComponentExportSection(section) => {
                let exports = section.into_iter().map_while(Result::ok).take(NAMES);
                for export in exports.filter(|export| is_callable(export.kind)) {
                    outline.exports.push(export.name.name.to_owned());
                }
            }
            Payload::ComponentCanonicalSection(section) => {
                outline.has_async_calls |= section.into_iter().map_while(Result::ok).any(|call| !is_plain(&call));
            }
            Payload::End(_) => break,
            _ => {}
        }
    }
    outline
}

/// Tells whether there is something to call in what is exported.
fn is_callable(kind: ComponentExternalKind) -> bool {
    matches!(kind, ComponentExternalKind::Instance | ComponentExternalKind::Func)
}

/// Tells whether a call crosses the component's border without anything of the asynchronous part of the Component Model.
fn is_plain(call: &CanonicalFunction) -> bool {
    match call {
        CanonicalFunction::Lift { options, .. } | CanonicalFunction::Lower { options, .. } => {
            !options.iter().any(|option| matches!(option, CanonicalOption::Async | CanonicalOption::Callback(_)))
        }
        CanonicalFunction::ResourceNew { .. }
        | CanonicalFunction::ResourceDrop { .. }
        | CanonicalFunction::ResourceRep { .. } => true,
        _ => false,
    }
}

impl Outline {
    /// Tells whether the component is seen to need an engine with tasks, streams and futures: it names an interface of WASI 0.3, or its own
    /// calls are asynchronous. A component inside of it may need one too; that is found out when it is compiled.
    pub fn is_concurrent(&self) -> bool {
        let names = self.imports.iter().chain(&self.exports);
        let mut names = names.filter_map(|name| Name::parse(name));
        self.has_async_calls || names.any(|name| name.namespace == "wasi" && name.is_on_track("0.3"))
    }

    /// Returns the full names of the imports, in the order of the file.
    pub fn imports(&self) -> &[String] {
        &self.imports
    }

    /// Returns the full names of the exported interfaces and functions, in the order of the file.
    pub fn exports(&self) -> &[String] {
        &self.exports
    }

    /// Returns what the imports let the component ask for.
    pub fn capabilities(&self) -> BTreeSet<Capability> {
        self.imports.iter().map(|name| Capability::of_import(name)).collect()
    }
}
