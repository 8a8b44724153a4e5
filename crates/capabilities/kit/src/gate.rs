//! The one place that every call of a capability passes: bounds, numbers, and later spans and the journal.
//!
//! In: a call that the grant allows. Out: its answer, or [`Refused`]. Next: the backend.

use crate::intercept::{Interceptor, Pass, Site};
use crate::usage::{Counts, Tally, Usage};
use crate::{Bounds, Kind, Refused};
use bytes::Bytes;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Instant;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, SemaphorePermit};
use wharf_telemetry::clock;

/// An answer whose bytes are counted.
pub trait Payload {
    /// Returns the bytes that the component gets; 0 where that is of no interest.
    fn size_bytes(&self) -> usize;
}

/// What holds the calls of one component to one label within its bounds, and counts them.
#[derive(Debug)]
pub struct Gate {
    bounds: Bounds,
    permits: Semaphore,
    holds: Arc<Semaphore>,
    usage: Arc<Usage>,
    /// Whoever looks at the calls of a test; nobody otherwise.
    tap: Option<Box<Tap>>,
}

/// Who is asked before each call, and what about.
struct Tap {
    interceptor: Arc<dyn Interceptor>,
    capability: &'static str,
    label: String,
}

/// A place among the things of a label that stay open between calls, given back when dropped.
#[derive(Debug)]
pub struct Held(#[expect(dead_code, reason = "dropping it is its use")] OwnedSemaphorePermit);

impl Gate {
    /// Returns a gate.
    pub fn new(bounds: Bounds, usage: Arc<Usage>) -> Self {
        let limit = bounds.concurrency.min(Semaphore::MAX_PERMITS);
        Self { bounds, permits: Semaphore::new(limit), holds: Arc::new(Semaphore::new(limit)), usage, tap: None }
    }

    /// Asks `interceptor` before each call.
    #[must_use]
    pub fn intercepted(self, interceptor: Arc<dyn Interceptor>, capability: &'static str, label: &str) -> Self {
        let tap = Tap { interceptor, capability, label: label.to_owned() };
        Self { tap: Some(Box::new(tap)), ..self }
    }

    /// Returns the bounds.
    pub fn bounds(&self) -> &Bounds {
        &self.bounds
    }

    /// Returns the sum of all calls.
    pub fn usage(&self) -> &Arc<Usage> {
        &self.usage
    }

    /// Refuses `bytes` that are over the limit.
    ///
    /// # Errors
    /// [`Refused::TooLarge`].
    pub fn check_size(&self, bytes: usize) -> Result<(), Refused> {
        let limit_bytes = self.bounds.size_bytes;
        if bytes > limit_bytes { Err(Refused::TooLarge { bytes, limit_bytes }) } else { Ok(()) }
    }

    /// Waits for a place for what stays open between calls, such as a value that is streamed: as many as there may be calls at once,
    /// counted apart from these.
    ///
    /// # Errors
    /// [`Refused::Busy`] when none gets free within the time of one call.
    pub async fn hold(&self) -> Result<Held, Refused> {
        let deadline = clock::now() + self.bounds.timeout;
        let permit = Arc::clone(&self.holds).acquire_owned();
        let permit = tokio::time::timeout_at(deadline.into(), permit).await.ok().and_then(Result::ok);
        permit.map(Held).ok_or(Refused::Busy(self.bounds.concurrency))
    }

    /// Waits for a turn, makes the call, and counts it. Dropping the future ends the call; backends clean up after it. `operation` is
    /// what the interface calls it.
    ///
    /// An error is counted as one if its `kind` is [`Kind::Unavailable`] or [`Kind::Backend`].
    ///
    /// # Errors
    /// The call's own, or one made of [`Refused`] when it is over the deadline or gets no turn.
    pub async fn call<T, E>(
        &self,
        tally: &mut Tally,
        operation: &'static str,
        sent_bytes: usize,
        kind: fn(&E) -> Kind,
        call: impl Future<Output = Result<T, E>>,
    ) -> Result<T, E>
    where
        T: Payload,
        E: From<Refused>,
    {
        let started = clock::now();
        let intercepted = match &self.tap {
            None => Ok(None),
            Some(tap) => tap.before(operation, &self.bounds).await.map(Some),
        };
        let result = match intercepted {
            Ok(_pass) => self.bounded(call).await,
            Err(refused) => Err(refused.into()),
        };
        let mut counts = Counts { calls: 1, sent_bytes: sent_bytes as u64, ..Counts::default() };
        match &result {
            Ok(value) => counts.received_bytes = value.size_bytes() as u64,
            Err(error) => counts.errors = u64::from(matches!(kind(error), Kind::Unavailable | Kind::Backend)),
        }
        counts.nanos = u64::try_from(clock::since(started).as_nanos()).unwrap_or(u64::MAX);
        tally.add(&counts);
        self.usage.add(&counts);
        result
    }

    async fn bounded<T, E: From<Refused>>(&self, call: impl Future<Output = Result<T, E>>) -> Result<T, E> {
        let Bounds { timeout, concurrency, .. } = self.bounds;
        let deadline = clock::now() + timeout;
        let _permit = match self.permits.try_acquire() {
            Ok(permit) => permit,
            Err(_) => self.turn(deadline).await.ok_or(Refused::Busy(concurrency))?,
        };
        let mut call = pin!(call);
        // Many calls are answered at once: those never touch a timer.
        if let Poll::Ready(result) = poll_fn(|cx| Poll::Ready(call.as_mut().poll(cx))).await {
            return result;
        }
        match tokio::time::timeout_at(deadline.into(), call).await {
            Ok(result) => result,
            Err(_) => Err(Refused::Deadline(timeout).into()),
        }
    }

    async fn turn(&self, deadline: Instant) -> Option<SemaphorePermit<'_>> {
        tokio::time::timeout_at(deadline.into(), self.permits.acquire()).await.ok()?.ok()
    }
}

impl Tap {
    async fn before(&self, operation: &'static str, bounds: &Bounds) -> Result<Pass, Refused> {
        let Self { interceptor, capability, label } = self;
        interceptor.before(Site { capability, label, operation, bounds: *bounds }).await
    }
}

impl std::fmt::Debug for Tap {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tap").field("capability", &self.capability).field("label", &self.label).finish_non_exhaustive()
    }
}

// === impl Payload ===

macro_rules! payload {
    ($($plain:ty),*) => { $(impl Payload for $plain { fn size_bytes(&self) -> usize { size_of::<$plain>() } })* };
}
payload!((), bool, i64, u64);

impl Payload for String {
    fn size_bytes(&self) -> usize {
        self.len()
    }
}

impl Payload for Bytes {
    fn size_bytes(&self) -> usize {
        self.len()
    }
}

impl<T: Payload> Payload for Option<T> {
    fn size_bytes(&self) -> usize {
        self.as_ref().map_or(0, Payload::size_bytes)
    }
}

impl<T: Payload> Payload for Vec<T> {
    fn size_bytes(&self) -> usize {
        self.iter().map(Payload::size_bytes).sum()
    }
}

impl<A: Payload, B: Payload> Payload for (A, B) {
    fn size_bytes(&self) -> usize {
        self.0.size_bytes() + self.1.size_bytes()
    }
}

#[cfg(test)]
mod tests;
