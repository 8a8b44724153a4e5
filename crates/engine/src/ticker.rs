//! The clock that makes busy guests give the core back: one thread that advances the engine's epoch.
//!
//! It sleeps while no guest runs, so that an idle node costs nothing.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread::Thread;
use std::time::Duration;
use wasmtime::{EngineWeak, Result};

/// Ticks without a guest after which the thread goes to sleep.
const IDLE_TICKS: u32 = 100;

/// The ticking thread, ended when the engine is.
pub struct Ticker {
    state: Arc<State>,
    thread: Thread,
}

#[derive(Default)]
struct State {
    /// Set by guests, cleared at each tick.
    used: AtomicBool,
    parked: AtomicBool,
    ended: OnceLock<()>,
}

impl Ticker {
    pub(crate) fn start(engine: &wasmtime::Engine, period: Duration) -> Result<Self> {
        let state = Arc::new(State::default());
        let engine = engine.weak();
        let shared = Arc::clone(&state);
        let handle =
            std::thread::Builder::new().name("wharf-ticker".into()).spawn(move || shared.run(&engine, period))?;
        Ok(Self { state, thread: handle.thread().clone() })
    }

    /// Says that a guest is about to run. Two relaxed loads, unless the ticker slept.
    #[inline]
    pub fn touch(&self) {
        if !self.state.used.load(Ordering::Relaxed) {
            self.state.used.store(true, Ordering::SeqCst);
            if self.state.parked.load(Ordering::SeqCst) {
                self.thread.unpark();
            }
        }
    }
}

impl Drop for Ticker {
    fn drop(&mut self) {
        let _ = self.state.ended.set(());
        self.thread.unpark();
    }
}

impl State {
    fn run(&self, engine: &EngineWeak, period: Duration) {
        let mut idle = 0;
        while self.ended.get().is_none() {
            std::thread::sleep(period);
            let Some(engine) = engine.upgrade() else {
                return;
            };
            engine.increment_epoch();
            drop(engine);
            idle = if self.used.swap(false, Ordering::SeqCst) { 0 } else { idle + 1 };
            if idle >= IDLE_TICKS {
                self.park();
                idle = 0;
            }
        }
    }

    /// Sleeps until a guest runs. The flag is raised before the last look at `used`, and a guest looks at the flag after it
    /// set `used`: one of the two sees the other.
    fn park(&self) {
        self.parked.store(true, Ordering::SeqCst);
        while !self.used.load(Ordering::SeqCst) && self.ended.get().is_none() {
            std::thread::park();
        }
        self.parked.store(false, Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wakes_for_each_guest_after_each_sleep() {
        let engine = wasmtime::Engine::default();
        let ticker = Ticker::start(&engine, Duration::from_micros(10)).unwrap();
        for _ in 0..3 {
            while !ticker.state.parked.load(Ordering::SeqCst) {
                std::thread::yield_now();
            }
            ticker.touch();
            while ticker.state.parked.load(Ordering::SeqCst) {
                std::thread::yield_now();
            }
        }
    }
}
