//! The resources of one session that the caller holds, by their numbers.
//!
//! In: resources of the dependency, on their way out of its store. Out: the same, when they come back or are dropped. Next:
//! [`crate::carry`], which passes them on.
//!
//! A resource stays in the store of the component that made it. The other side holds a resource of the host's, whose representation is the
//! number; numbers are never used twice, so one that outlived its store stands for nothing.

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use wasmtime::Result;
use wasmtime::component::ResourceAny;

/// Shared by both sides of a session, which are on the same thread.
pub struct Held {
    held: Mutex<HashMap<u32, ResourceAny>>,
    /// The number of the next resource.
    next: Arc<AtomicU32>,
    abandon: Box<dyn Fn(u32) + Send + Sync>,
}

impl fmt::Debug for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Held").field("next", &self.next).finish_non_exhaustive()
    }
}

impl Held {
    /// Begins with the number that nobody had yet. `abandon` has one dropped by whoever owns the store, by [`Self::take`].
    pub fn new(next: Arc<AtomicU32>, abandon: impl Fn(u32) + Send + Sync + 'static) -> Self {
        Self { held: Mutex::default(), next, abandon: Box::new(abandon) }
    }

    /// Adds one that the caller gets. Returns its number.
    ///
    /// # Errors
    /// When there are no more numbers.
    pub(crate) fn add(&self, resource: ResourceAny) -> Result<u32> {
        let number = self.next.fetch_update(Relaxed, Relaxed, |number| number.checked_add(1));
        let number =
            number.map_err(|_| wasmtime::format_err!("too many resources went from component to component"))?;
        self.held.lock().unwrap_or_else(PoisonError::into_inner).insert(number, resource);
        Ok(number)
    }

    /// Returns one that is lent.
    ///
    /// # Errors
    /// When it is gone: the instance that made it has ended.
    pub(crate) fn lent(&self, number: u32) -> Result<ResourceAny> {
        let found = self.held.lock().unwrap_or_else(PoisonError::into_inner).get(&number).copied();
        found.ok_or_else(|| wasmtime::format_err!("the instance that made a resource has ended"))
    }

    /// Takes out one that comes back, or that is to be dropped.
    pub fn take(&self, number: u32) -> Option<ResourceAny> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner).remove(&number)
    }

    /// Has one dropped that nobody has any more.
    pub(crate) fn abandon(&self, number: u32) {
        (self.abandon)(number);
    }
}
