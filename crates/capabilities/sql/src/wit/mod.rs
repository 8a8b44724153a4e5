//! The interface: one file for each version. Only what is here sees generated types.

mod convert;
mod p01;

use crate::api::{Call, Database, Error, Results, Transaction};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use wasmtime::component::{HasData, Linker, ResourceTable};
use wharf_kit::{Access, Granted, Label, Names, Tally};
use wharf_telemetry::clock;

/// What one store lends an adapter for one call.
pub struct View<'a> {
    /// What the component may touch.
    pub granted: &'a Arc<Granted<dyn Database>>,
    /// The numbers of the invocation.
    pub tally: &'a mut Tally,
    /// Where resources are.
    pub table: &'a mut ResourceTable,
}

/// Marks the data of this capability in a store.
pub struct Sql;

impl HasData for Sql {
    type Data<'a> = View<'a>;
}

/// Links every version of `wharf:sql`.
///
/// # Errors
/// When one of their names is linked already.
pub fn add_to_linker<T: Send + 'static>(
    linker: &mut Linker<T>,
    names: Names,
    view: fn(&mut T) -> View<'_>,
) -> wasmtime::Result<()> {
    p01::add_to_linker(linker, names, view)
}

type Opened = Arc<Label<dyn Database>>;

/// An open label. Holds nothing of the backend.
#[expect(unreachable_pub, reason = "what is generated exports it again")]
pub struct Connection {
    label: Opened,
    /// Whether a transaction of it is open, which then is the only way in.
    locked: Arc<AtomicBool>,
}

/// An open transaction; without one after its end.
#[expect(unreachable_pub, reason = "what is generated exports it again")]
pub struct Open {
    label: Opened,
    transaction: Option<Box<dyn Transaction>>,
    locked: Arc<AtomicBool>,
}

impl Drop for Open {
    fn drop(&mut self) {
        self.unlock();
    }
}

impl Open {
    fn unlock(&self) {
        // A store runs on one thread at a time; this is no lock between threads.
        self.locked.store(false, std::sync::atomic::Ordering::Relaxed);
    }
}

/// A result.
#[expect(unreachable_pub, reason = "what is generated exports it again")]
pub struct Rows {
    label: Opened,
    results: Results,
}

/// Returns what a call to the label may use.
fn call(label: &Label<dyn Database>) -> Call {
    let bounds = label.gate.bounds();
    Call {
        timeout: bounds.timeout,
        deadline: clock::now() + bounds.timeout,
        read_only: label.access == Access::Read,
        size_bytes: bounds.size_bytes,
    }
}

/// The error of a transaction that is over.
const OVER: Error = Error::Closed("the transaction is over");

#[cfg(test)]
mod tests;
