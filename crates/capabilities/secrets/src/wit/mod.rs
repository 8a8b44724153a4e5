//! The interface `wharf:secrets@0.1.0`.

mod v0_1;

use crate::Allowed;
use wasmtime::component::{HasData, Linker, ResourceTable};
use wharf_kit::{Names, Tally};

/// What one store lends the adapter for one call.
pub struct View<'a> {
    /// What the component may have.
    pub allowed: &'a Allowed,
    /// The numbers of the invocation.
    pub tally: &'a mut Tally,
    /// The guest's handles.
    pub table: &'a mut ResourceTable,
}

/// Marks the data of this capability in a store.
struct Secrets;

impl HasData for Secrets {
    type Data<'a> = View<'a>;
}

/// Links every version of the interface.
///
/// # Errors
/// When one of their names is linked already.
pub fn add_to_linker<T: Send + 'static>(
    linker: &mut Linker<T>,
    names: Names,
    view: fn(&mut T) -> View<'_>,
) -> wasmtime::Result<()> {
    v0_1::add_to_linker(linker, names, view)
}
