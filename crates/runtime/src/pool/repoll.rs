//! Polls a future again at once when it woke itself.
//!
//! The engine leaves its event loop for the executor's whenever a task of a guest yields, and each request of WASI 0.3 does once, when it
//! goes on after its answer. On an instance with many requests each would then wait for a turn of the core for every other one.

use futures_util::task::AtomicWaker;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;
use wharf_telemetry::clock;

/// For how long a future that wakes itself is polled again: a quarter of a tick, and enough for a batch of requests. A guest that does not
/// stop by itself in the last of these polls gives way at its tick.
const BOUND: Duration = Duration::from_micros(250);

/// Stands between a future and the waker of its task.
pub(super) struct Repoll {
    bound: Duration,
    shared: Arc<Shared>,
    waker: Waker,
}

#[derive(Default)]
struct Shared {
    polling: AtomicBool,
    woken: AtomicBool,
    task: AtomicWaker,
}

impl Wake for Shared {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.woken.store(true, SeqCst);
        // While it is polled, whoever polls looks afterwards.
        if !self.polling.load(SeqCst) {
            self.task.wake();
        }
    }
}

impl Repoll {
    pub(super) fn new() -> Self {
        Self::within(BOUND)
    }

    fn within(bound: Duration) -> Self {
        let shared = Arc::new(Shared::default());
        let waker = Waker::from(Arc::clone(&shared));
        Self { bound, shared, waker }
    }

    /// Polls until it is ready, waits for something else, or has had the core for as long as it may.
    pub(super) fn poll<T>(&self, cx: &Context<'_>, mut poll: impl FnMut(&mut Context<'_>) -> Poll<T>) -> Poll<T> {
        self.shared.task.register(cx.waker());
        let started = clock::now();
        loop {
            self.shared.woken.store(false, SeqCst);
            self.shared.polling.store(true, SeqCst);
            let polled = poll(&mut Context::from_waker(&self.waker));
            self.shared.polling.store(false, SeqCst);
            if polled.is_ready() || !self.shared.woken.load(SeqCst) {
                return polled;
            }
            if clock::since(started) >= self.bound {
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;

    #[derive(Default)]
    struct Task(AtomicBool);

    impl Wake for Task {
        fn wake(self: Arc<Self>) {
            self.0.store(true, SeqCst);
        }
    }

    fn task() -> (Arc<Task>, Waker) {
        let task = Arc::new(Task::default());
        (Arc::clone(&task), Waker::from(task))
    }

    #[test]
    fn a_future_that_wakes_itself_goes_on_at_once() {
        let (task, waker) = task();
        let polls = Cell::new(0);
        let polled = Repoll::within(Duration::MAX).poll(&Context::from_waker(&waker), |cx| {
            polls.set(polls.get() + 1);
            if polls.get() == 3 {
                return Poll::Ready(());
            }
            cx.waker().wake_by_ref();
            Poll::Pending
        });
        assert!(polled.is_ready() && polls.get() == 3 && !task.0.load(SeqCst));
    }

    #[test]
    fn one_that_never_stops_gives_the_core_back_and_is_woken() {
        let (task, waker) = task();
        let polled: Poll<()> = Repoll::within(Duration::ZERO).poll(&Context::from_waker(&waker), |cx| {
            cx.waker().wake_by_ref();
            Poll::Pending
        });
        assert!(polled.is_pending() && task.0.load(SeqCst));
    }

    #[test]
    fn what_others_wake_later_wakes_the_task() {
        let (task, waker) = task();
        let mut kept = None;
        let repoll = Repoll::new();
        let polled: Poll<()> = repoll.poll(&Context::from_waker(&waker), |cx| {
            kept = Some(cx.waker().clone());
            Poll::Pending
        });
        assert!(polled.is_pending() && !task.0.load(SeqCst));
        kept.unwrap().wake();
        assert!(task.0.load(SeqCst));
    }
}
