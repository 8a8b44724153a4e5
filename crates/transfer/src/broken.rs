//! What the reader of a stream or a future is told whose writer's instance failed.

use crate::shared::Open;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

/// Comes when an instance has ended: the failure as people read it.
pub type Wait = Pin<Box<dyn Future<Output = String> + Send>>;

/// Where a reader asks why there is no more.
pub struct Broken {
    /// Whether a future of the same call says it: then a stream just ends.
    pub(crate) is_told: bool,
    why: Arc<dyn Fn() -> Wait + Send + Sync>,
    /// The wait for it, once somebody waits.
    wait: Option<Wait>,
    open: Option<Open>,
}

impl fmt::Debug for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Broken").field("is_told", &self.is_told).finish_non_exhaustive()
    }
}

impl Broken {
    /// Returns it for a call. `is_told` says whether a future of the call tells of a failure; `open` is held by whoever reads.
    pub fn new(is_told: bool, open: Option<Open>, why: impl Fn() -> Wait + Send + Sync + 'static) -> Self {
        Self { is_told, why: Arc::new(why), wait: None, open }
    }

    /// Returns the same for another reader, of a stream or a future beside which something tells of a failure, or nothing does.
    pub(crate) fn again(&self, is_told: bool) -> Self {
        Self { is_told, why: Arc::clone(&self.why), wait: None, open: self.open.clone() }
    }

    /// Waits until the instance has ended, and returns the failure as people read it.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<String> {
        self.wait.get_or_insert_with(|| (self.why)()).as_mut().poll(cx)
    }
}
