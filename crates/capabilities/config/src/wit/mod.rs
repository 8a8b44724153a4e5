//! The interfaces. What differs between versions is in a file for each; what they do is [`Values`].

mod draft;
mod draft_2024_09_27;
mod rc1;

use crate::Values;
use wasmtime::component::{HasData, Linker};
use wharf_kit::{Names, Tally};

/// What one store lends the adapters for one call.
pub struct View<'a> {
    /// The component's values.
    pub values: &'a Values,
    /// The numbers of the invocation.
    pub tally: &'a mut Tally,
}

/// Marks the data of this capability in a store.
struct Config;

impl HasData for Config {
    type Data<'a> = View<'a>;
}

/// Links every version of `wasi:config`.
///
/// # Errors
/// When one of their names is linked already.
pub fn add_to_linker<T: Send + 'static>(
    linker: &mut Linker<T>,
    names: Names,
    view: fn(&mut T) -> View<'_>,
) -> wasmtime::Result<()> {
    rc1::add_to_linker(linker, names, view)?;
    draft::add_to_linker(linker, names, view)?;
    draft_2024_09_27::add_to_linker(linker, names, view)
}

impl View<'_> {
    fn get(&mut self, key: &str) -> Option<String> {
        self.values.get(key, self.tally).map(str::to_owned)
    }

    fn all(&mut self) -> Vec<(String, String)> {
        self.values.all(self.tally)
    }
}
