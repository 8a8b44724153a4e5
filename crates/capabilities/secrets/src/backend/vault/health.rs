//! Whether the server is there. While it is not, calls fail at once, and one now and then finds out whether it is back.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use wharf_telemetry::clock;

/// The first pause after a failure.
const PAUSE_MIN: Duration = Duration::from_millis(100);

/// The longest pause: how long a server that is back may go unnoticed.
const PAUSE_MAX: Duration = Duration::from_secs(3);

/// An attempt that was given up after so long counts as a failure, a shorter one as a guest that left.
const SLOW: Duration = Duration::from_millis(300);

/// What is known of a server, for all cores.
#[derive(Debug, Default)]
pub(super) struct Health(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    failures: u32,
    again: Option<Instant>,
}

/// A call that was let through. Says how it ended, or is dropped.
pub(super) struct Attempt<'a> {
    health: &'a Health,
    started: Instant,
    is_over: bool,
}

impl Health {
    /// Lets a call through; nothing while the server is known to be away.
    pub(super) fn admit(&self) -> Option<Attempt<'_>> {
        let now = clock::now();
        let mut state = self.state();
        match state.again {
            Some(again) if now < again => return None,
            // This call finds out; the others go on failing until it has.
            Some(_) => state.again = Some(now + pause(state.failures, now)),
            None => {}
        }
        Some(Attempt { health: self, started: now, is_over: false })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn failed(&self) -> bool {
        let now = clock::now();
        let mut state = self.state();
        state.failures = state.failures.saturating_add(1);
        state.again = Some(now + pause(state.failures, now));
        state.failures == 1
    }
}

impl Attempt<'_> {
    /// The server answered. Returns whether it was away before.
    pub(super) fn succeeded(mut self) -> bool {
        self.is_over = true;
        let mut state = self.health.state();
        let was_away = state.failures > 0;
        *state = State::default();
        was_away
    }

    /// It did not. Returns whether that is news.
    pub(super) fn failed(mut self) -> bool {
        self.is_over = true;
        self.health.failed()
    }
}

impl Drop for Attempt<'_> {
    fn drop(&mut self) {
        if !self.is_over && clock::since(self.started) >= SLOW && self.health.failed() {
            tracing::warn!("Vault does not answer");
        }
    }
}

/// Returns the pause after so many failures: twice as long each time, of which a part is left to chance, so that the nodes of a fleet
/// do not ask all at once.
fn pause(failures: u32, now: Instant) -> Duration {
    let whole = PAUSE_MIN.saturating_mul(1 << failures.min(10)).min(PAUSE_MAX);
    // The low digits of a clock are as good as chance for this.
    let chance = now.duration_since(*START).subsec_nanos() % 1000;
    whole / 2 + whole * chance / 2000
}

static START: std::sync::LazyLock<Instant> = std::sync::LazyLock::new(clock::now);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_that_is_away_is_asked_by_one_call_at_a_time() {
        let health = Health::default();
        assert!(health.admit().unwrap().failed(), "the first failure is news");
        assert!(health.admit().is_none());
        health.state().again = Some(clock::now());
        let attempt = health.admit().unwrap();
        assert!(health.admit().is_none(), "somebody is asking already");
        assert!(!attempt.failed());
        health.state().again = Some(clock::now());
        assert!(health.admit().unwrap().succeeded());
        assert!(!health.admit().unwrap().succeeded());
    }

    #[test]
    fn a_guest_that_leaves_at_once_is_no_failure() {
        let health = Health::default();
        drop(health.admit());
        assert!(health.admit().is_some());
        let mut attempt = health.admit().unwrap();
        attempt.started = clock::now().checked_sub(SLOW).unwrap();
        drop(attempt);
        assert!(health.admit().is_none());
    }

    #[test]
    fn pauses_have_bounds() {
        for failures in [0, 1, 5, 10, u32::MAX] {
            let pause = pause(failures, clock::now());
            assert!((PAUSE_MIN / 2..=PAUSE_MAX).contains(&pause), "{failures}: {pause:?}");
        }
    }
}
