//! Samples what guests do at each tick, for the Firefox Profiler.
//!
//! In: a store that runs, once a tick. Out: a profile for each component, as JSON. Next: `cli` writes them to files.
//!
//! Only processor time is seen: a guest that waits in a host call runs no tick.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use wasmtime::{AsContext, Engine, GuestProfiler, Module};
use wharf_engine::Code;
use wharf_engine::TICK;

/// Samples of one component: four minutes of processor time. Each is kept in memory until the profile is written.
const SAMPLES: usize = 240_000;

/// Versions of components in one profile: with `--watch`, each that is put in place begins a new one.
const VERSIONS: usize = 64;

/// The samples of one process.
#[derive(Debug, Default)]
pub struct Profiles {
    /// By name, in the order in which versions came. Absent once they are taken.
    sampled: Mutex<Option<BTreeMap<String, Vec<Arc<Sampled>>>>>,
    /// Requests after which it ends; none for no such end.
    requests: Option<usize>,
    ended: AtomicUsize,
    is_closed: AtomicBool,
    end: (Mutex<bool>, Condvar),
}

/// The samples of one version of a component.
#[derive(Debug)]
pub(crate) struct Sampled {
    profiler: Mutex<Option<GuestProfiler>>,
    samples: AtomicUsize,
}

/// A finished profile.
#[derive(Debug)]
pub struct Profile {
    /// The component.
    pub component: String,
    /// How many samples it has: milliseconds of processor time.
    pub samples: usize,
    /// Whether samples were left out, because there were too many.
    pub is_cut: bool,
    /// The profile, as the Firefox Profiler reads it.
    pub json: Vec<u8>,
}

/// One request that is counted. Counted as ended when dropped.
#[derive(Debug)]
pub(crate) struct Counted(Arc<Profiles>);

impl Profiles {
    /// Begins. With `requests` it ends after as many.
    pub fn new(requests: Option<usize>) -> Self {
        Self { requests, sampled: Mutex::new(Some(BTreeMap::new())), ..Self::default() }
    }

    /// Begins to sample a component. Takes some milliseconds: all names of functions are read.
    pub(crate) fn component(&self, name: &str, engine: &Engine, code: &Code) -> Option<Arc<Sampled>> {
        let parts = code.modules.iter().map(|(import, module)| (import.to_string(), module.clone()));
        self.add(name, GuestProfiler::new_component(engine, name, TICK, code.component.clone(), parts))
    }

    /// Begins to sample a core module.
    pub(crate) fn module(&self, name: &str, engine: &Engine, module: &Module) -> Option<Arc<Sampled>> {
        let shown = module.name().unwrap_or(name).to_owned();
        self.add(name, GuestProfiler::new(engine, name, TICK, [(shown, module.clone())]))
    }

    fn add(&self, name: &str, profiler: wasmtime::Result<GuestProfiler>) -> Option<Arc<Sampled>> {
        let profiler = profiler.map_err(|error| tracing::warn!("{name} cannot be profiled: {error}")).ok()?;
        let mut sampled = self.sampled.lock().unwrap_or_else(PoisonError::into_inner);
        let versions = sampled.as_mut()?.entry(name.to_owned()).or_default();
        // A version that did nothing is none.
        versions.retain(|version| version.samples.load(Ordering::Relaxed) > 0);
        if versions.len() >= VERSIONS {
            tracing::warn!("{name} is profiled no longer: {VERSIONS} versions of it were");
            return None;
        }
        let version = Arc::new(Sampled { profiler: Mutex::new(Some(profiler)), samples: AtomicUsize::new(0) });
        versions.push(Arc::clone(&version));
        Some(version)
    }

    /// Counts a request that begins.
    pub(crate) fn count(self: &Arc<Self>) -> Counted {
        Counted(Arc::clone(self))
    }

    /// Blocks until as many requests ended as were asked for, or until [`Profiles::finish`] was called. For ever without a number.
    pub fn wait(&self) {
        let (closed, changed) = &self.end;
        let closed = closed.lock().unwrap_or_else(PoisonError::into_inner);
        drop(changed.wait_while(closed, |closed| !*closed));
    }

    /// Ends, and returns the profile of each component that did something; nothing if that was done before.
    pub fn finish(&self) -> Option<Vec<Profile>> {
        self.is_closed.store(true, Ordering::Relaxed);
        let sampled = self.sampled.lock().unwrap_or_else(PoisonError::into_inner).take()?;
        let profiles = sampled.into_iter().flat_map(|(component, versions)| {
            versions.into_iter().filter_map(move |version| version.finish(&component))
        });
        let profiles = profiles.collect();
        self.close();
        Some(profiles)
    }

    fn close(&self) {
        self.is_closed.store(true, Ordering::Relaxed);
        *self.end.0.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.end.1.notify_all();
    }

    fn is_open(&self) -> bool {
        !self.is_closed.load(Ordering::Relaxed)
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        let ended = self.0.ended.fetch_add(1, Ordering::Relaxed) + 1;
        if self.0.requests == Some(ended) {
            self.0.close();
        }
    }
}

impl Sampled {
    /// Takes a sample of a guest that runs.
    pub(crate) fn sample(&self, profiles: &Profiles, store: impl AsContext) {
        if !profiles.is_open() || self.samples.fetch_add(1, Ordering::Relaxed) >= SAMPLES {
            return;
        }
        if let Some(profiler) = self.profiler.lock().unwrap_or_else(PoisonError::into_inner).as_mut() {
            profiler.sample(store, TICK);
        }
    }

    fn finish(&self, component: &str) -> Option<Profile> {
        let profiler = self.profiler.lock().unwrap_or_else(PoisonError::into_inner).take()?;
        let samples = self.samples.load(Ordering::Relaxed);
        if samples == 0 {
            return None;
        }
        let mut json = Vec::new();
        match profiler.finish(&mut json) {
            Ok(()) => Some(Profile {
                component: component.to_owned(),
                samples: samples.min(SAMPLES),
                is_cut: samples > SAMPLES,
                json,
            }),
            Err(error) => {
                tracing::warn!("the profile of {component} cannot be written: {error}");
                None
            }
        }
    }
}
