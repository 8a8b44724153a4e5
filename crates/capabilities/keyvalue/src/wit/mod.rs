//! The interfaces: WIT ⇄ [`crate::api`]. What differs between versions is in a file for each; what they do is in `calls`.
//!
//! In: a call of a guest. Out: the interface's answer. Next: [`Store`], behind the label's gate.

mod calls;
mod draft;
mod draft2;

use crate::api::{Error, Key, Store, Version};
use bytes::Bytes;
use std::error::Error as _;
use std::sync::Arc;
use wasmtime::component::{HasData, Linker, ResourceTable};
use wharf_kit::{Granted, Label, Names, Tally};

/// What one store lends the adapters for one call.
pub struct View<'a> {
    /// What the component may touch.
    pub granted: &'a Arc<Granted<dyn Store>>,
    /// The numbers of the invocation.
    pub tally: &'a mut Tally,
    /// The guest's handles.
    pub table: &'a mut ResourceTable,
}

/// Marks the data of this capability in a store.
struct Keyvalue;

impl HasData for Keyvalue {
    type Data<'a> = View<'a>;
}

/// Links every version of `wasi:keyvalue`. The functions are asynchronous: they need a store that is called so.
///
/// # Errors
/// When one of their names is linked already.
pub fn add_to_linker<T: Send + 'static>(
    linker: &mut Linker<T>,
    names: Names,
    view: fn(&mut T) -> View<'_>,
) -> wasmtime::Result<()> {
    draft::add_to_linker(linker, names, view)?;
    draft2::add_to_linker(linker, names, view)
}

/// What a guest's bucket stands for. It holds no connection and nothing of the store's content.
pub struct Bucket {
    label: Arc<Label<dyn Store>>,
}

/// What a guest's compare-and-swap handle stands for.
pub struct Cas {
    label: Arc<Label<dyn Store>>,
    key: Key,
    version: Version,
    /// The value, where it is small; a guest may have many handles.
    value: Option<Option<Bytes>>,
}

/// Why a guest gets no answer.
#[derive(Debug)]
pub enum Failure {
    /// The label is not granted, or only for reading.
    Denied,
    /// The call failed.
    Call(Error),
    /// The guest has as many handles as it may have.
    Handles,
    /// The guest did what none can do that was compiled from the interface.
    Trap(wasmtime::Error),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Call(error)
    }
}

/// What every version's error says.
enum Told {
    Denied,
    Other(String),
}

impl Failure {
    /// Returns what the guest is told; an error is a trap. Causes are for the log.
    fn told(self) -> wasmtime::Result<Told> {
        match self {
            Self::Denied => Ok(Told::Denied),
            Self::Call(error) => {
                let cause = error.source().map(ToString::to_string).unwrap_or_default();
                tracing::debug!(cause, "a call of keyvalue failed: {error}");
                Ok(Told::Other(error.to_string()))
            }
            Self::Handles => Ok(Told::Other("the component has too many open handles".to_owned())),
            Self::Trap(trap) => Err(trap),
        }
    }
}

#[cfg(test)]
mod tests;
