//! The numbers of one request, counted once, when it is over.

use crate::Error;
use crate::body::Progress;
use std::sync::Arc;
use wharf_kit::{Counts, Kind, Usage};
use wharf_telemetry::clock;

/// One request. It is counted when this is dropped, so that one that nobody waited for is counted too.
pub(crate) struct Call {
    usage: Arc<Usage>,
    /// The numbers of the invocation.
    invocation: Option<Arc<Usage>>,
    progress: Arc<Progress>,
    counts: Counts,
    is_answered: bool,
}

impl Call {
    pub(crate) fn new(usage: Arc<Usage>, invocation: Option<Arc<Usage>>, progress: Arc<Progress>) -> Self {
        let counts = Counts { calls: 1, ..Counts::default() };
        Self { usage, invocation, progress, counts, is_answered: false }
    }

    /// The head of the answer is there: the time ends.
    pub(crate) fn answered(&mut self) {
        self.counts.nanos = self.nanos();
        self.is_answered = true;
    }

    /// A piece of the answer.
    pub(crate) fn received(&mut self, bytes: usize) {
        self.counts.received_bytes += bytes as u64;
    }

    /// It ended in an error. One that the component made itself is none of ours.
    pub(crate) fn failed(&mut self, error: &Error) {
        match error.kind() {
            Kind::Denied => self.counts.denied = 1,
            Kind::Unavailable | Kind::Backend => self.counts.errors = 1,
            _ => {}
        }
    }

    fn nanos(&self) -> u64 {
        u64::try_from(clock::since(self.progress.started()).as_nanos()).unwrap_or(u64::MAX)
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        if !self.is_answered {
            self.counts.nanos = self.nanos();
        }
        self.counts.sent_bytes = self.progress.bytes();
        self.usage.add(&self.counts);
        if let Some(invocation) = &self.invocation {
            invocation.add(&self.counts);
        }
    }
}
