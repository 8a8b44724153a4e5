//! Clocks that are read in steps: who sees only every millisecond measures less of what its neighbours do. And waiting for a time, which
//! in the world of a test is another thing.
//!
//! In: calls of `wasi:clocks/monotonic-clock`, 0.2 and 0.3. Out: times. Next: the engine's own clocks, or [`Simulation`].
//!
//! Only what is read is coarse. What waits, waits as long as it says.

use crate::simulation::MONOTONIC_START;
use crate::{Ctx, Simulation};
use std::sync::Arc;
use std::time::Duration;
use wasmtime::component::{Accessor, HasData, Linker, Resource};
use wasmtime_wasi::clocks::WasiClocksCtxView;
use wasmtime_wasi::p2::bindings::clocks::monotonic_clock as p2;
use wasmtime_wasi::p2::{DynPollable, Pollable, subscribe};
use wasmtime_wasi::p3::bindings::clocks::monotonic_clock as p3;
use wasmtime_wasi::{HostMonotonicClock, HostWallClock};

/// What one store lends for one call.
pub(crate) struct View<'a> {
    /// The world of a test, if the guest is in one.
    pub(crate) world: Option<Arc<Simulation>>,
    pub(crate) engine: WasiClocksCtxView<'a>,
}

struct Timer;

impl HasData for Timer {
    type Data<'a> = View<'a>;
}

/// Links the interface of 0.2 in the place of the engine's, which waits in real time.
pub(crate) fn add_p2_to_linker(linker: &mut Linker<Ctx>) -> wasmtime::Result<()> {
    linker.allow_shadowing(true);
    p2::add_to_linker::<Ctx, Timer>(linker, |ctx| ctx.lend(0).timer())?;
    linker.allow_shadowing(false);
    Ok(())
}

/// Links the interface of 0.3 in the place of the engine's, which waits in real time.
pub(crate) fn add_p3_to_linker(linker: &mut Linker<Ctx>) -> wasmtime::Result<()> {
    linker.allow_shadowing(true);
    p3::add_to_linker::<Ctx, Timer>(linker, |ctx| ctx.lend(0).timer())?;
    linker.allow_shadowing(false);
    Ok(())
}

impl p2::Host for View<'_> {
    fn now(&mut self) -> wasmtime::Result<p2::Instant> {
        p2::Host::now(&mut self.engine)
    }

    fn resolution(&mut self) -> wasmtime::Result<p2::Instant> {
        p2::Host::resolution(&mut self.engine)
    }

    fn subscribe_instant(&mut self, when: p2::Instant) -> wasmtime::Result<Resource<DynPollable>> {
        let Some(world) = self.world.clone() else { return self.engine.subscribe_instant(when) };
        self.wait(world, Duration::from_nanos(when).saturating_sub(MONOTONIC_START))
    }

    fn subscribe_duration(&mut self, duration: p2::Duration) -> wasmtime::Result<Resource<DynPollable>> {
        let Some(world) = self.world.clone() else { return self.engine.subscribe_duration(duration) };
        let until = world.elapsed().saturating_add(Duration::from_nanos(duration));
        self.wait(world, until)
    }
}

impl View<'_> {
    fn wait(&mut self, world: Arc<Simulation>, until: Duration) -> wasmtime::Result<Resource<DynPollable>> {
        let deadline = self.engine.table.push(Deadline { world, until })?;
        subscribe(self.engine.table, deadline)
    }
}

/// A moment in the world of a test that a guest waits for.
struct Deadline {
    world: Arc<Simulation>,
    until: Duration,
}

#[wasmtime_wasi::async_trait]
impl Pollable for Deadline {
    async fn ready(&mut self) {
        // As the engine does: who polls in a loop lets others have a turn.
        tokio::task::yield_now().await;
        self.world.sleep_until(self.until).await;
    }
}

impl p3::Host for View<'_> {
    fn now(&mut self) -> wasmtime::Result<p3::Mark> {
        p3::Host::now(&mut self.engine)
    }

    fn get_resolution(&mut self) -> wasmtime::Result<p3::Duration> {
        p3::Host::get_resolution(&mut self.engine)
    }
}

impl<T: Send> p3::HostWithStore<T> for Timer {
    async fn wait_until(store: &Accessor<T, Self>, when: p3::Mark) -> wasmtime::Result<()> {
        let (world, now) = store.with(|mut access| {
            let mut view = access.get();
            (view.world.clone(), p3::Host::now(&mut view))
        });
        wait(world, Duration::from_nanos(when.saturating_sub(now?))).await;
        Ok(())
    }

    async fn wait_for(store: &Accessor<T, Self>, duration: p3::Duration) -> wasmtime::Result<()> {
        let world = store.with(|mut access| access.get().world);
        wait(world, Duration::from_nanos(duration)).await;
        Ok(())
    }
}

async fn wait(world: Option<Arc<Simulation>>, duration: Duration) {
    match world {
        _ if duration.is_zero() => {}
        Some(world) => world.sleep(duration).await,
        None => tokio::time::sleep(duration).await,
    }
}

/// A clock whose times are rounded down to a multiple of the resolution. They never go back: rounding keeps the order.
pub(crate) struct Coarse<C> {
    clock: C,
    nanos: u64,
}

impl<C> Coarse<C> {
    /// Returns the clock in steps of `resolution`, which is more than nothing.
    pub(crate) fn new(clock: C, resolution: Duration) -> Self {
        Self { clock, nanos: u64::try_from(resolution.as_nanos()).unwrap_or(u64::MAX).max(1) }
    }
}

impl<C: HostMonotonicClock> HostMonotonicClock for Coarse<C> {
    fn resolution(&self) -> u64 {
        self.nanos.max(self.clock.resolution())
    }

    fn now(&self) -> u64 {
        let now = self.clock.now();
        now - now % self.nanos
    }
}

impl<C: HostWallClock> HostWallClock for Coarse<C> {
    fn resolution(&self) -> Duration {
        Duration::from_nanos(self.nanos).max(self.clock.resolution())
    }

    fn now(&self) -> Duration {
        let now = self.clock.now();
        let rest = now.as_nanos() % u128::from(self.nanos);
        // Less than `nanos`, which has 64 bits.
        now - Duration::from_nanos(u64::try_from(rest).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Fixed(u64);

    impl HostMonotonicClock for Fixed {
        fn resolution(&self) -> u64 {
            1
        }

        fn now(&self) -> u64 {
            self.0
        }
    }

    impl HostWallClock for Fixed {
        fn resolution(&self) -> Duration {
            Duration::from_secs(1)
        }

        fn now(&self) -> Duration {
            Duration::from_nanos(self.0)
        }
    }

    #[test]
    fn times_are_rounded_down_to_the_resolution() {
        let step = Duration::from_millis(1);
        for (now, seen) in [(0, 0), (999_999, 0), (1_000_000, 1_000_000), (7_654_321, 7_000_000)] {
            let clock = Coarse::new(Fixed(now), step);
            assert_eq!(HostMonotonicClock::now(&clock), seen);
            assert_eq!(HostWallClock::now(&clock), Duration::from_nanos(seen));
        }
        assert_eq!(HostMonotonicClock::resolution(&Coarse::new(Fixed(0), step)), 1_000_000);
    }

    #[test]
    fn a_clock_does_not_claim_to_be_finer_than_it_is() {
        let clock = Coarse::new(Fixed(0), Duration::from_millis(1));
        assert_eq!(HostWallClock::resolution(&clock), Duration::from_secs(1));
    }
}
