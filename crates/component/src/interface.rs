//! One import or export of a component or module.

use serde::Serialize;

use crate::Capability;

/// What sort of thing an import or export is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ExternKind {
    /// An instance: a WIT interface.
    Instance,
    /// A function of the world itself.
    Func,
    /// A type of the world itself.
    Type,
    /// A whole core module.
    Module,
    /// A whole component.
    Component,
    /// A value.
    Value,
    /// What a core module imports from one module name, or one export of it.
    Core,
}

/// One import or export.
///
/// For a core module, all imports from the same module name are one `Interface`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Interface {
    /// The full name, for example `wasi:http/types@0.2.12`.
    pub name: String,
    /// `wasi`; none for a plain name.
    pub namespace: Option<String>,
    /// `http`; none for a plain name.
    pub package: Option<String>,
    /// `types`; none for a plain name.
    pub interface: Option<String>,
    /// `0.2.12`; none if the name has none.
    pub version: Option<String>,
    /// The interface that a plainly named instance stands for (Component Model `implements`).
    pub implements: Option<String>,
    /// What sort of thing it is.
    pub kind: ExternKind,
    /// Functions and resources in the words of WIT, for example `get: func(key: string) -> option<list<u8>>`.
    /// `get: func(…)` when the interface cannot be written as WIT.
    pub items: Vec<String>,
    /// True when it has no function and no resource of its own: such an import needs nobody who provides it.
    pub is_types_only: bool,
    /// What it means for the one who runs it.
    pub capability: Capability,
}
