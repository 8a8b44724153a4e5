//! The bodies of answers that somebody still reads: what they are made of may be the host's own stream, of a file for example, which moves
//! only while the store lives. The guest has returned by then and does not keep it alive.
//!
//! In: an answer. Out: an [`OpenBody`], which goes with it. Next: whoever drives the store asks [`OpenBodies::poll_read`].

use futures_util::task::AtomicWaker;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::task::{Context, Poll};

/// The bodies of the answers of one store that are not read to their ends.
#[derive(Clone, Default)]
pub(crate) struct OpenBodies(Arc<State>);

#[derive(Default)]
struct State {
    open: AtomicUsize,
    all_read: AtomicWaker,
}

/// One of them. Dropped when it was read to its end, or when nobody will.
pub(crate) struct OpenBody(Option<Arc<State>>);

impl OpenBodies {
    pub(crate) fn open(&self) -> OpenBody {
        self.0.open.fetch_add(1, SeqCst);
        OpenBody(Some(Arc::clone(&self.0)))
    }

    /// Ready when none is open.
    pub(crate) fn poll_read(&self, cx: &Context<'_>) -> Poll<()> {
        if self.0.open.load(SeqCst) == 0 {
            return Poll::Ready(());
        }
        self.0.all_read.register(cx.waker());
        if self.0.open.load(SeqCst) == 0 { Poll::Ready(()) } else { Poll::Pending }
    }
}

impl OpenBody {
    /// Closes it without waking anybody: for who drives the store next.
    pub(crate) fn close(mut self) {
        if let Some(state) = self.0.take() {
            state.open.fetch_sub(1, SeqCst);
        }
    }
}

impl Drop for OpenBody {
    fn drop(&mut self) {
        let Some(state) = self.0.take() else { return };
        if state.open.fetch_sub(1, SeqCst) == 1 {
            state.all_read.wake();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::AtomicBool;
    use std::task::{Wake, Waker};

    #[derive(Default)]
    struct Woken(AtomicBool);

    impl Wake for Woken {
        fn wake(self: Arc<Self>) {
            self.0.store(true, SeqCst);
        }
    }

    #[test]
    fn who_waits_is_woken_by_the_last() {
        let bodies = OpenBodies::default();
        let woken = Arc::new(Woken::default());
        let waker = Waker::from(Arc::clone(&woken));
        let cx = Context::from_waker(&waker);
        assert!(bodies.poll_read(&cx).is_ready());
        let (first, second) = (bodies.open(), bodies.open());
        assert!(bodies.poll_read(&cx).is_pending());
        drop(first);
        assert!(bodies.poll_read(&cx).is_pending() && !woken.0.load(SeqCst));
        drop(second);
        assert!(woken.0.swap(false, SeqCst) && bodies.poll_read(&cx).is_ready());
        let third = bodies.open();
        assert!(bodies.poll_read(&cx).is_pending());
        third.close();
        assert!(!woken.0.load(SeqCst) && bodies.poll_read(&cx).is_ready());
    }
}
