//! The connections that one app may have, over all its components and cores.
//!
//! A connection that is kept for later holds a place like every other. So whoever waits for a place makes one of those be given up: one
//! that is unused, or the next that is returned.

use crate::Error;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::futures::Notified;
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};

/// The places for connections of one app.
#[derive(Debug)]
pub struct Quota {
    places: usize,
    free: Arc<Semaphore>,
    queue: Mutex<Queue>,
    pressure: Notify,
}

#[derive(Debug, Default)]
struct Queue {
    /// Those who wait for a place.
    waiting: usize,
    /// Of their wishes, those that nobody closes a connection for yet. Never more than wait; together with the connections that are being
    /// closed never fewer, so that nobody waits while a connection is unused.
    open: usize,
}

impl Quota {
    /// Returns as many places.
    pub fn new(places: usize) -> Self {
        let places = places.clamp(1, Semaphore::MAX_PERMITS);
        Self { places, free: Arc::new(Semaphore::new(places)), queue: Mutex::default(), pressure: Notify::new() }
    }

    /// Returns how many connections there may be.
    pub fn places(&self) -> usize {
        self.places
    }

    /// Returns how many connections there are.
    pub fn used(&self) -> usize {
        self.places - self.free.available_permits()
    }

    /// Returns the error of one who waited in vain.
    pub(crate) fn exhausted(&self) -> Error {
        Error::Connections(self.places)
    }

    /// Waits for a place, which is free again when the permit is dropped. Dropping the future gives up waiting.
    pub(crate) async fn place(&self) -> Result<OwnedSemaphorePermit, Error> {
        if let Ok(permit) = Arc::clone(&self.free).try_acquire_owned() {
            return Ok(permit);
        }
        let _waiting = Waiting::new(self);
        self.pressure.notify_waiters();
        // Fails only when the semaphore is closed, which nobody does.
        Arc::clone(&self.free).acquire_owned().await.map_err(|_| self.exhausted())
    }

    /// Takes it upon the caller to close its connection for one who waits. False if nobody does, or others are doing it.
    pub(crate) fn claim(&self) -> bool {
        let mut queue = self.queue();
        let is_wanted = queue.open > 0;
        queue.open -= usize::from(is_wanted);
        is_wanted
    }

    /// Completes when somebody begins to wait, from the call on.
    pub(crate) fn pressure(&self) -> Notified<'_> {
        self.pressure.notified()
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct Waiting<'a>(&'a Quota);

impl<'a> Waiting<'a> {
    fn new(quota: &'a Quota) -> Self {
        let mut queue = quota.queue();
        queue.waiting += 1;
        queue.open += 1;
        Self(quota)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        let mut queue = self.0.queue();
        queue.waiting -= 1;
        queue.open = queue.open.min(queue.waiting);
    }
}
