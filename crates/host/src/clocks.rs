//! Clocks that are read in steps: who sees only every millisecond measures less of what its neighbours do.
//!
//! Only what is read is coarse. What waits, waits as long as it says.

use std::time::Duration;
use wasmtime_wasi::{HostMonotonicClock, HostWallClock};

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
