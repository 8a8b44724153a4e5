//! A world of one test: clocks that stand still until somebody waits, and random numbers that are the same each time.
//!
//! In: a start and a seed. Out: times and numbers for guests. Next: nothing.
//!
//! Time moves when everything that belongs to the world waits: then it jumps to the moment that the first of those who sleep waits for.
//! So a guest that sleeps for an hour wakes at once, and one that waits for an answer or a time-out, whichever comes first, gets the
//! answer if there is one. Limits of CPU and wall time are none of this world's business; they stay real.

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng, TryRng};
use std::collections::BTreeSet;
use std::convert::Infallible;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;
use wasmtime_wasi::{HostMonotonicClock, HostWallClock};

/// How long nothing happens before everything is taken to wait. Real time; a guest that computes is noticed at each tick, which is less.
const QUIET: Duration = Duration::from_millis(3);

/// How often everything else that is ready on this thread gets its turn, before the look at whether something happened.
const TURNS: usize = 16;

/// What the monotonic clock says at the start. No machine says zero, and some runtimes, Go's among them, refuse it.
pub(crate) const MONOTONIC_START: Duration = Duration::from_secs(1);

/// The world of one test. All that belongs to it runs on one thread.
pub struct Simulation {
    state: Mutex<State>,
    moved: Notify,
    /// Counts whatever happens.
    events: AtomicU64,
    /// Calls that are with a backend.
    busy: AtomicUsize,
    random: Mutex<StdRng>,
}

struct State {
    /// What the wall clock said at the start, since 1970.
    start: Duration,
    /// Since the start.
    elapsed: Duration,
    /// Until when who sleeps, since the start.
    sleepers: BTreeSet<(Duration, u64)>,
    next: u64,
}

impl Simulation {
    /// Returns a world whose wall clock starts at `start` after 1970, and whose random numbers come of `seed`.
    pub fn new(start: Duration, seed: u64) -> Self {
        let state = State { start, elapsed: Duration::ZERO, sleepers: BTreeSet::new(), next: 0 };
        Self {
            state: Mutex::new(state),
            moved: Notify::new(),
            events: AtomicU64::new(0),
            busy: AtomicUsize::new(0),
            random: Mutex::new(StdRng::seed_from_u64(seed)),
        }
    }

    /// Returns how much time went by.
    pub fn elapsed(&self) -> Duration {
        self.state().elapsed
    }

    /// Lets time go by.
    pub fn advance(&self, by: Duration) {
        let mut state = self.state();
        state.elapsed = state.elapsed.saturating_add(by);
        drop(state);
        self.touch();
        self.moved.notify_waiters();
    }

    /// Takes note that something happens: nobody's time has come.
    pub fn touch(&self) {
        self.events.fetch_add(1, Ordering::Relaxed);
    }

    /// Says that something is under way elsewhere, until what is returned is dropped: time stands still meanwhile.
    pub fn busy(self: &Arc<Self>) -> Busy {
        self.touch();
        self.busy.fetch_add(1, Ordering::Relaxed);
        Busy(Arc::clone(self))
    }

    /// Waits for `duration` of this world's time.
    pub async fn sleep(&self, duration: Duration) {
        let until = self.elapsed().saturating_add(duration);
        self.sleep_until(until).await;
    }

    /// Waits until so much time went by since the start.
    pub(crate) async fn sleep_until(&self, until: Duration) {
        let _asleep = Asleep::new(self, until);
        loop {
            let moved = self.moved.notified();
            if self.elapsed() >= until {
                return;
            }
            tokio::select! {
                () = moved => {}
                () = self.quiet() => self.jump(),
            }
        }
    }

    /// Waits until everything waits.
    async fn quiet(&self) {
        loop {
            let seen = self.events.load(Ordering::Relaxed);
            tokio::time::sleep(QUIET).await;
            for _ in 0..TURNS {
                tokio::task::yield_now().await;
            }
            let is_quiet = self.busy.load(Ordering::Relaxed) == 0 && self.events.load(Ordering::Relaxed) == seen;
            if is_quiet {
                return;
            }
        }
    }

    /// Moves time to the moment that the first of those who sleep waits for.
    fn jump(&self) {
        let mut state = self.state();
        let Some((until, _)) = state.sleepers.first().copied() else { return };
        state.elapsed = state.elapsed.max(until);
        drop(state);
        self.touch();
        self.moved.notify_waiters();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the next number for who wants one to begin with.
    pub(crate) fn seed(&self) -> u128 {
        u128::from(self.draw(StdRng::next_u64)) << 64 | u128::from(self.draw(StdRng::next_u64))
    }

    pub(crate) fn random(self: &Arc<Self>) -> Random {
        Random(Arc::clone(self))
    }

    pub(crate) fn clock(self: &Arc<Self>) -> Clock {
        Clock(Arc::clone(self))
    }

    fn draw<T>(&self, draw: impl FnOnce(&mut StdRng) -> T) -> T {
        draw(&mut self.random.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Something that is under way.
pub struct Busy(Arc<Simulation>);

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.busy.fetch_sub(1, Ordering::Relaxed);
        self.0.touch();
    }
}

/// One who sleeps.
struct Asleep<'a> {
    world: &'a Simulation,
    place: (Duration, u64),
}

impl<'a> Asleep<'a> {
    fn new(world: &'a Simulation, until: Duration) -> Self {
        let mut state = world.state();
        let place = (until, state.next);
        state.next += 1;
        state.sleepers.insert(place);
        drop(state);
        world.touch();
        Self { world, place }
    }
}

impl Drop for Asleep<'_> {
    fn drop(&mut self) {
        self.world.state().sleepers.remove(&self.place);
        self.world.touch();
    }
}

/// The world's clocks, for a guest.
pub(crate) struct Clock(Arc<Simulation>);

impl HostMonotonicClock for Clock {
    fn resolution(&self) -> u64 {
        1
    }

    fn now(&self) -> u64 {
        u64::try_from(self.0.elapsed().saturating_add(MONOTONIC_START).as_nanos()).unwrap_or(u64::MAX)
    }
}

impl HostWallClock for Clock {
    fn resolution(&self) -> Duration {
        Duration::from_nanos(1)
    }

    fn now(&self) -> Duration {
        let state = self.0.state();
        state.start.saturating_add(state.elapsed)
    }
}

/// The world's random numbers, for a guest. All guests draw from one sequence, so that no two get the same.
pub(crate) struct Random(Arc<Simulation>);

impl TryRng for Random {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok(self.0.draw(|random| random.next_u32()))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(self.0.draw(|random| random.next_u64()))
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        self.0.draw(|random| random.fill_bytes(bytes));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);

    #[tokio::test]
    async fn who_sleeps_wakes_in_order_and_time_says_so() {
        let world = Arc::new(Simulation::new(Duration::ZERO, 1));
        let woken = Mutex::new(Vec::new());
        let sleeper = async |hours: u32| {
            world.sleep(HOUR * hours).await;
            woken.lock().unwrap().push((hours, world.elapsed()));
        };
        tokio::join!(sleeper(3), sleeper(1), sleeper(2));
        assert_eq!(*woken.lock().unwrap(), [(1, HOUR), (2, HOUR * 2), (3, HOUR * 3)]);
        assert_eq!(HostWallClock::now(&world.clock()), HOUR * 3);
    }

    #[tokio::test]
    async fn an_answer_that_comes_wins_over_a_time_out() {
        let world = Arc::new(Simulation::new(Duration::ZERO, 1));
        let answer = async {
            let _busy = world.busy();
            // As a backend with threads of its own.
            tokio::time::sleep(QUIET * 5).await;
        };
        tokio::select! {
            () = world.sleep(Duration::from_secs(1)) => panic!("the time-out came first"),
            () = answer => {}
        }
        assert_eq!(world.elapsed(), Duration::ZERO);
        assert!(world.state().sleepers.is_empty());
    }

    #[tokio::test]
    async fn who_sleeps_wakes_when_time_is_moved_past_it() {
        let world = Arc::new(Simulation::new(HOUR, 1));
        let _busy = world.busy();
        tokio::join!(world.sleep(HOUR), async { world.advance(HOUR * 2) });
        assert_eq!(HostWallClock::now(&world.clock()), HOUR * 3);
    }

    #[test]
    fn the_monotonic_clock_never_says_zero_and_the_wall_clock_starts_where_it_should() {
        let world = Arc::new(Simulation::new(HOUR, 1));
        assert_eq!(HostMonotonicClock::now(&world.clock()), 1_000_000_000);
        assert_eq!(HostWallClock::now(&world.clock()), HOUR);
    }

    #[test]
    fn the_same_seed_gives_the_same_numbers_and_no_two_guests_get_the_same() {
        let numbers = |seed| {
            let world = Arc::new(Simulation::new(Duration::ZERO, seed));
            [world.random().next_u64(), world.random().next_u64(), world.random().next_u64()]
        };
        assert_eq!(numbers(7), numbers(7));
        assert_ne!(numbers(7), numbers(8));
        let [one, two, three] = numbers(7);
        assert!(one != two && two != three);
    }
}
