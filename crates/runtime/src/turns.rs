//! Lets busy guests of one core run one tick each turn of the event loop, in the order in which they gave way.
//!
//! A guest that only yielded would be polled again in the same turn as every other busy guest: with eight of them a request of a
//! good neighbour waits eight ticks. Here it waits for one, however many there are.

use futures_util::task::AtomicWaker;
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};
use wharf_telemetry::clock;

thread_local! {
    static WAITING: RefCell<VecDeque<Arc<Place>>> = const { RefCell::new(VecDeque::new()) };
    static PUMP: RefCell<Option<Waker>> = const { RefCell::new(None) };
    static PUMPED: Cell<bool> = const { Cell::new(false) };
}

/// A place in the queue of busy guests.
#[derive(Default)]
struct Place {
    called: AtomicBool,
    waker: AtomicWaker,
}

impl Place {
    fn call(&self) {
        self.called.store(true, Ordering::Relaxed);
        self.waker.wake();
    }
}

thread_local! {
    /// When the guest that runs on this thread was last given the core.
    static RESUMED: Cell<Option<Instant>> = const { Cell::new(None) };
}

/// Notes that a guest is given the core now.
#[inline]
pub(crate) fn resumed(at: Instant) {
    RESUMED.set(Some(at));
}

/// Tells whether the guest that runs has had the core for a whole tick. The engine's clock is one for all: a guest that was only
/// just given the core sees its hand move too, and must not give way for that.
pub(crate) fn is_due(tick: Duration) -> bool {
    RESUMED.get().is_none_or(|at| clock::since(at) >= tick)
}

/// Gives way once. Ready when it is this guest's turn, however often it is polled before.
#[derive(Default)]
pub(crate) struct Turn(Option<Arc<Place>>);

impl Future for Turn {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let first = self.0.is_none();
        let place = self.0.get_or_insert_default();
        if place.called.load(Ordering::Relaxed) {
            return Poll::Ready(());
        }
        place.waker.register(cx.waker());
        if first {
            if PUMPED.get() {
                WAITING.with_borrow_mut(|waiting| waiting.push_back(Arc::clone(place)));
                if let Some(pump) = PUMP.take() {
                    pump.wake();
                }
            } else {
                // A thread without a pump (`wharf run`, a test) has no neighbours to give way to.
                place.call();
            }
        }
        Poll::Pending
    }
}

/// Hands out the turns of this thread, for ever. Each core runs it as one of its tasks.
pub async fn pump() {
    struct Pumped;
    impl Drop for Pumped {
        fn drop(&mut self) {
            PUMPED.set(false);
            // Whoever still waits must not wait for a pump that is gone.
            WAITING.take().iter().for_each(|place| place.call());
        }
    }
    PUMPED.set(true);
    let _pumped = Pumped;
    loop {
        std::future::poll_fn(|cx| {
            if WAITING.with_borrow(VecDeque::is_empty) {
                PUMP.set(Some(cx.waker().clone()));
                return Poll::Pending;
            }
            Poll::Ready(())
        })
        .await;
        if let Some(next) = WAITING.with_borrow_mut(VecDeque::pop_front) {
            next.call();
        }
        // The executor polls sockets and timers before it comes back here.
        tokio::task::yield_now().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::rc::Rc;

    #[tokio::test]
    async fn gives_way_once_without_a_pump() {
        Turn::default().await;
    }

    #[tokio::test]
    async fn busy_guests_take_turns_in_order() {
        let order = Rc::new(RefCell::new(Vec::new()));
        let local = tokio::task::LocalSet::new();
        let pumping = local.spawn_local(pump());
        local.run_until(tokio::task::yield_now()).await;
        let guests: Vec<_> = (0..3)
            .map(|guest| {
                let order = Rc::clone(&order);
                local.spawn_local(async move {
                    for _ in 0..2 {
                        Turn::default().await;
                        order.borrow_mut().push(guest);
                    }
                })
            })
            .collect();
        local
            .run_until(async {
                for guest in guests {
                    guest.await.unwrap();
                }
            })
            .await;
        assert_eq!(*order.borrow(), [0, 1, 2, 0, 1, 2]);
        pumping.abort();
    }
}
