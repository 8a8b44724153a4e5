//! What is known about one WebAssembly file.

use serde::Serialize;

use crate::{Entry, Interface};

/// What sort of WebAssembly binary a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Kind {
    /// A component.
    Component,
    /// A core module.
    Module,
    /// WIT in binary form: interfaces without code.
    WitPackage,
}

/// Everything [`inspect`](crate::inspect) finds out. Its JSON form has these field names and is stable: fields are added, not renamed.
///
/// Its texts can be printed: control and direction characters of the file are replaced.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Facts {
    /// The size of the file.
    pub size_bytes: u64,
    /// Component, module or WIT package.
    pub kind: Kind,
    /// The world, guessed from the exports: a binary does not record it. Exact for a core module with embedded WIT.
    pub world: Option<String>,
    /// Imports in the order of the file.
    pub imports: Vec<Interface>,
    /// Exports in the order of the file.
    pub exports: Vec<Interface>,
    /// What can be called, and how.
    pub entries: Vec<Entry>,
    /// The interface as WIT text; empty when there is none or it could not be written as WIT.
    pub wit: String,
    /// Proposals it needs beyond what every engine profile has, for example `gc`. They select the engine profile.
    pub proposals: Vec<String>,
    /// Where the bytes are, all nested modules and components summed, largest first. The sizes add up to `size_bytes`.
    pub sections: Vec<SectionSize>,
    /// The core modules, in the order of the file. A core module has one: itself.
    pub modules: Vec<CoreModule>,
    /// The memories that the core modules define.
    pub memories: Vec<Memory>,
    /// The tools that made it, of all nested modules, without repetitions.
    pub producers: Vec<Producer>,
    /// The languages it was written in, as far as the tools say.
    pub languages: Vec<String>,
    /// True when it carries DWARF: backtraces can name files and lines.
    pub has_dwarf: bool,
    /// True for a core module with an embedded world that has not been made a component yet.
    pub has_embedded_world: bool,
}

/// The bytes of all sections of one sort.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SectionSize {
    /// `code`, `data`, `component types`, or for a custom section `custom "name"`.
    pub name: String,
    /// How many such sections there are.
    pub count: usize,
    /// The size of their contents; headers are summed as `section headers`.
    pub bytes: u64,
}

/// One core module, alone or inside a component.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct CoreModule {
    /// Its name from the name section.
    pub name: Option<String>,
    /// The size of the module.
    pub bytes: u64,
    /// The size of its code section.
    pub code_bytes: u64,
    /// The size of its data section.
    pub data_bytes: u64,
    /// The size of its custom sections: names, debug information.
    pub custom_bytes: u64,
    /// How many functions it defines.
    pub functions: u32,
}

/// One linear memory that a core module defines.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Memory {
    /// The index of the module in [`Facts::modules`].
    pub module: usize,
    /// Pages at the start.
    pub initial_pages: u64,
    /// Pages it may grow to, if it says so itself.
    pub maximum_pages: Option<u64>,
    /// Bytes of a page; 65536 unless the module says otherwise.
    pub page_size_bytes: u64,
}

/// One tool that had a part in making the file.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
pub struct Producer {
    /// `language`, `processed-by` or `sdk`.
    pub field: String,
    /// The name of the tool or language.
    pub name: String,
    /// Its version; may be empty.
    pub version: String,
}
