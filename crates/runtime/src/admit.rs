//! Decides whether an invocation starts, waits, or is turned away.
//!
//! In: an invocation. Out: a [`Permit`], or [`Cause::Overloaded`]. Next: [`crate::instance`].
//!
//! Invariant: no more instances are started than the engine's pool has slots, and no queue is without a bound.

use crate::outcome::Cause;
use crate::profile::Counted;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The door of one component: so many at a time, so many waiting.
pub(crate) struct Gate {
    component: Arc<Semaphore>,
    process: Arc<Semaphore>,
    concurrency: usize,
    waiting: AtomicUsize,
    queue: usize,
}

/// The right to one running invocation. Given back when dropped.
pub(crate) struct Permit {
    _component: OwnedSemaphorePermit,
    /// Absent for an invocation on a reused instance: that instance holds its own.
    _slot: Option<Slot>,
    /// The request in the count of a profile, if one is made.
    pub(crate) counted: Option<Counted>,
}

/// The right to one instance in the engine's pool. Given back when dropped.
pub(crate) struct Slot(#[expect(dead_code, reason = "held for its drop")] OwnedSemaphorePermit);

/// What an invocation needs.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Need {
    /// An instance of its own.
    Instance,
    /// A place in an instance that is there, or that is admitted by [`Gate::slot`].
    Place,
}

impl Gate {
    /// Returns a gate of `concurrency` places and a queue of `queue`, within the `process`'s own.
    pub(crate) fn new(concurrency: usize, queue: usize, process: Arc<Semaphore>) -> Self {
        let concurrency = concurrency.clamp(1, Semaphore::MAX_PERMITS);
        let component = Arc::new(Semaphore::new(concurrency));
        Self { component, process, concurrency, waiting: AtomicUsize::new(0), queue }
    }

    /// Returns a gate of as many places, none of them taken, within the same process.
    pub(crate) fn again(&self, queue: usize) -> Self {
        Self::new(self.concurrency, queue, Arc::clone(&self.process))
    }

    /// Returns how many invocations run now.
    pub(crate) fn running(&self) -> usize {
        self.concurrency - self.component.available_permits()
    }

    /// Takes a place at once, or waits for one no longer than `patience`.
    pub(crate) async fn enter(&self, need: Need, patience: Duration) -> Result<Permit, Cause> {
        if let Some(permit) = self.try_enter(need) {
            return Ok(permit);
        }
        let _place = Place::take(&self.waiting, self.queue).ok_or(Cause::Overloaded)?;
        let wait = async {
            // Semaphores are never closed: an error here means the process is going down.
            let component = Arc::clone(&self.component).acquire_owned().await.ok()?;
            let slot = match need {
                Need::Instance => Some(Slot(Arc::clone(&self.process).acquire_owned().await.ok()?)),
                Need::Place => None,
            };
            Some(Permit { _component: component, _slot: slot, counted: None })
        };
        tokio::time::timeout(patience, wait).await.ok().flatten().ok_or(Cause::Overloaded)
    }

    /// Takes the right to one more instance, waiting no longer than `patience`.
    pub(crate) async fn slot(&self, patience: Duration) -> Result<Slot, Cause> {
        let wait = Arc::clone(&self.process).acquire_owned();
        let slot = tokio::time::timeout(patience, wait).await.ok().and_then(Result::ok);
        slot.map(Slot).ok_or(Cause::Overloaded)
    }

    fn try_enter(&self, need: Need) -> Option<Permit> {
        let component = Arc::clone(&self.component).try_acquire_owned().ok()?;
        let slot = match need {
            Need::Instance => Some(Slot(Arc::clone(&self.process).try_acquire_owned().ok()?)),
            Need::Place => None,
        };
        Some(Permit { _component: component, _slot: slot, counted: None })
    }
}

/// A place in the queue.
struct Place<'a>(&'a AtomicUsize);

impl<'a> Place<'a> {
    fn take(waiting: &'a AtomicUsize, queue: usize) -> Option<Self> {
        let place = Self(waiting);
        // Counted first and given back by `Drop` if there was no room: two threads cannot both take the last place.
        (waiting.fetch_add(1, Ordering::Relaxed) < queue).then_some(place)
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gate(concurrency: usize, queue: usize, slots: usize) -> Gate {
        Gate::new(concurrency, queue, Arc::new(Semaphore::new(slots)))
    }

    #[tokio::test(start_paused = true)]
    async fn turns_away_when_running_and_queue_are_full() {
        let gate = gate(1, 1, 10);
        let first = gate.enter(Need::Instance, Duration::from_secs(1)).await.ok();
        assert_eq!(gate.running(), 1);
        let (second, third) = tokio::join!(
            gate.enter(Need::Instance, Duration::from_secs(1)),
            gate.enter(Need::Instance, Duration::from_secs(60))
        );
        assert!(second.is_err(), "waited longer than its patience");
        assert!(third.is_err(), "found the queue full");
        drop(first);
        assert!(gate.enter(Need::Instance, Duration::from_secs(1)).await.is_ok());
        assert_eq!(gate.running(), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn the_process_has_a_bound_of_its_own() {
        let gate = gate(100, 0, 1);
        let first = gate.enter(Need::Instance, Duration::from_secs(1)).await;
        assert!(first.is_ok());
        assert!(gate.enter(Need::Instance, Duration::from_secs(1)).await.is_err());
        drop(first);
        assert!(gate.enter(Need::Instance, Duration::from_secs(1)).await.is_ok());
    }
}
