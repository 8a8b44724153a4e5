//! What a session, the task that runs its instance, and the streams and futures between the two stores share.
//!
//! In: calls and open streams as they come and go. Out: whether somebody waits for the instance, whether it runs, and what is on its way.
//! Next: whoever runs the instance, and keeps its budgets by it.

use crate::held::Held;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use wasmtime::Result;

/// Shared by both sides of a session, which are on the same thread.
#[derive(Debug, Default)]
pub struct Shared {
    /// Calls that were made and are not answered, and streams and futures that are open.
    busy: AtomicUsize,
    /// Whether there were none before the last one.
    woke: AtomicBool,
    /// Whether the instance's event loop runs at this moment.
    at_work: AtomicBool,
    /// Bytes of elements that one side has written and the other has not read.
    waiting_bytes: AtomicUsize,
}

impl Shared {
    /// Tells whether anybody waits for the instance.
    pub fn is_busy(&self) -> bool {
        self.busy.load(Relaxed) > 0
    }

    /// Tells, once, that somebody began to wait after nobody did.
    pub fn has_woken(&self) -> bool {
        self.woke.swap(false, Relaxed)
    }

    /// Tells whether the instance's event loop runs at this moment. An end of a stream that is dropped at another moment goes down with
    /// its store.
    pub(crate) fn is_at_work(&self) -> bool {
        self.at_work.load(Relaxed)
    }

    /// Says that the event loop runs, until the value is dropped.
    pub fn work(self: &Arc<Self>) -> AtWork {
        self.at_work.store(true, Relaxed);
        AtWork(Arc::clone(self))
    }

    /// Says that the instance failed: what it still has is dropped with its store.
    pub fn fail(&self) {
        self.at_work.store(false, Relaxed);
    }

    /// Returns the bytes that wait to be read, in all streams and futures of the session.
    pub(crate) fn waiting_bytes(&self) -> usize {
        self.waiting_bytes.load(Relaxed)
    }

    pub(crate) fn add_waiting(&self, bytes: usize) {
        self.waiting_bytes.fetch_add(bytes, Relaxed);
    }

    pub(crate) fn remove_waiting(&self, bytes: usize) {
        self.waiting_bytes.fetch_sub(bytes, Relaxed);
    }
}

/// What a stream or a future between two stores is part of.
#[derive(Clone, Debug, Default)]
pub struct Line {
    /// What its open streams are counted by.
    pub shared: Arc<Shared>,
    /// The resources of the session; absent for what comes from no session.
    pub held: Option<Arc<Held>>,
    /// Held by the ends in the store of the caller, which lives as long as they do.
    pub open: Option<Open>,
}

impl Line {
    pub(crate) fn held(&self) -> Result<&Arc<Held>> {
        self.held.as_ref().ok_or_else(|| wasmtime::format_err!("a resource comes from nowhere"))
    }
}

/// Counts what is open by how often it is held.
pub type Open = Arc<()>;

/// The instance's event loop runs.
#[derive(Debug)]
pub struct AtWork(Arc<Shared>);

impl Drop for AtWork {
    fn drop(&mut self) {
        self.0.fail();
    }
}

/// Counts a call while it runs, or a stream while it is open.
#[derive(Debug)]
pub struct Busy(Arc<Shared>);

impl Busy {
    /// Counts from now on.
    pub fn new(shared: &Arc<Shared>) -> Self {
        if shared.busy.fetch_add(1, Relaxed) == 0 {
            shared.woke.store(true, Relaxed);
        }
        Self(Arc::clone(shared))
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.busy.fetch_sub(1, Relaxed);
    }
}
