//! Holds one invocation to its CPU and wall time, and keeps a panic in the engine from ending the process.
//!
//! In: the future that owns a store. Out: its result, or why it was ended. Dropping the meter drops the store, which cancels the guest.
//!
//! Time is kept here, outside the engine's own event loop: a busy guest stops that loop (bytecodealliance/wasmtime#11869).

use crate::turns;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};
use tokio::time::Sleep;
use wharf_engine::Ticker;
use wharf_telemetry::clock;

/// CPU time that is taken from the monotonic clock, which is cheap to read and at most too high. What comes after it is read from
/// the thread's CPU clock, a system call, so that a guest does not pay for time in which the operating system ran somebody else.
const ROUGH: Duration = Duration::from_millis(2);

/// Why an invocation was ended from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    Cpu(Duration),
    Wall(Duration),
    Panic,
}

/// A future that owns a store, on its budget.
pub(crate) struct Metered<T> {
    future: Option<Pin<Box<dyn Future<Output = T> + Send>>>,
    ticker: Arc<Ticker>,
    used: Duration,
    cpu: Duration,
    wall: Duration,
    /// Absent while nobody waits for the guest.
    deadline: Option<Instant>,
    alarm: Option<Pin<Box<Sleep>>>,
}

impl<T> Metered<T> {
    pub(crate) fn new(
        future: Pin<Box<dyn Future<Output = T> + Send>>,
        ticker: Arc<Ticker>,
        cpu: Duration,
        wall: Duration,
        started: Instant,
    ) -> Self {
        Self {
            future: Some(future),
            ticker,
            used: Duration::ZERO,
            cpu,
            wall,
            deadline: started.checked_add(wall),
            alarm: None,
        }
    }

    /// Starts both budgets anew, for an instance that goes on to its next request.
    pub(crate) fn renew(&mut self) {
        self.used = Duration::ZERO;
        self.deadline = Some(clock::now() + self.wall);
    }

    /// Stops the clock on the wall, for an instance that waits for a request.
    pub(crate) fn rest(&mut self) {
        self.deadline = None;
    }

    /// Runs the guest until it waits, ends, or has spent its budget. Must not be polled again after `Ready`.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<T, Ended>> {
        let Some(future) = self.future.as_mut() else {
            debug_assert!(false, "polled after it was ready");
            return Poll::Pending;
        };
        self.ticker.touch();
        let now = clock::now();
        turns::resumed(now);
        let stopwatch = if self.used > ROUGH { Stopwatch::Precise(thread_cpu()) } else { Stopwatch::Rough(now) };
        let polled = catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(cx)));
        self.used += stopwatch.stop();
        let ended = match polled {
            Ok(Poll::Ready(value)) => {
                self.future = None;
                return Poll::Ready(Ok(value));
            }
            Ok(Poll::Pending) => self.ended(cx),
            Err(_) => Some(Ended::Panic),
        };
        match ended {
            None => Poll::Pending,
            Some(ended) => {
                self.cancel();
                Poll::Ready(Err(ended))
            }
        }
    }

    fn ended(&mut self, cx: &mut Context<'_>) -> Option<Ended> {
        if self.used > self.cpu {
            return Some(Ended::Cpu(self.cpu));
        }
        let deadline = self.deadline?;
        let alarm = self.alarm.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(deadline.into())));
        // An alarm that was set for an earlier deadline is set again when it rings, not each time the deadline moves.
        while alarm.as_mut().poll(cx).is_ready() {
            if clock::now() >= deadline {
                return Some(Ended::Wall(self.wall));
            }
            alarm.as_mut().reset(deadline.into());
        }
        None
    }

    fn cancel(&mut self) {
        let future = self.future.take();
        // Dropping a store whose guest is suspended unwinds it: engine code again.
        let _ = catch_unwind(AssertUnwindSafe(|| drop(future)));
    }
}

impl<T> Drop for Metered<T> {
    fn drop(&mut self) {
        self.cancel();
    }
}

/// Measures one poll.
enum Stopwatch {
    Rough(Instant),
    Precise(Duration),
}

impl Stopwatch {
    #[inline]
    fn stop(self) -> Duration {
        match self {
            Self::Rough(start) => clock::since(start),
            Self::Precise(start) => thread_cpu().saturating_sub(start),
        }
    }
}

fn thread_cpu() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec.cast_unsigned(), u32::try_from(time.tv_nsec).unwrap_or(0))
}
