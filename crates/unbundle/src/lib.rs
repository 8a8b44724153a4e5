//! Takes the code of large modules out of a component, so that it is compiled once for all components that have it.
//!
//! In: a component. Out: the same component, which imports that code instead, and the code: core modules, each of which stays the same for
//! as long as its functions do. Next: `runtime` compiles the modules, or has them compiled, and gives them to the component.
//!
//! An interpreter with a script is the case that this is for. The script is data in the memory that the interpreter starts with; after a
//! change of it the functions, megabytes of them, are those of before. `wasm-tools component unbundle` is where the word is from. Here
//! the initial memory stays behind, too.

mod module;
mod shell;
#[cfg(test)]
mod tests;

use std::ops::Range;

/// A component without the code of its large modules.
#[derive(Clone, Debug)]
pub struct Unbundled {
    /// The component. It imports [`Code::import`] for each of `modules`.
    pub component: Vec<u8>,
    /// What was taken out.
    pub modules: Vec<Code>,
    /// What the largest of its modules starts with.
    pub needs: Needs,
}

/// What a module starts with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Needs {
    /// Its memory.
    pub memory_bytes: u64,
    /// Its table.
    pub table_elements: u64,
}

/// A module that was taken out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Code {
    /// The name by which the component imports it.
    pub import: String,
    /// The module.
    pub bytes: Vec<u8>,
}

/// A component that stays whole.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Whole {
    /// No module has that much code.
    #[error("it has no module with much code")]
    Small,
    /// It has what this crate does not know how to take apart.
    #[error("{0}")]
    Unfit(&'static str),
    /// It is not a sound component.
    #[error("it cannot be read: {0}")]
    Unreadable(#[from] wasmparser::BinaryReaderError),
}

/// Takes modules out whose functions are `from_bytes` or more. Costs about as much as copying the component.
///
/// The result is not validated, and neither is the component: that is the engine's business, with both.
///
/// # Errors
/// When there is nothing to take out, or when that cannot be done: see [`Whole`].
pub fn unbundle(component: &[u8], from_bytes: usize) -> Result<Unbundled, Whole> {
    shell::write(component, from_bytes)
}

fn slice(bytes: &[u8], range: Range<usize>) -> Result<&[u8], Whole> {
    bytes.get(range).ok_or(Whole::Unfit("a section ends after its component"))
}
