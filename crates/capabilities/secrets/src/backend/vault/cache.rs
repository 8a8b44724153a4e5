//! Values that were read a short while ago.

use crate::Value;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};
use wharf_telemetry::clock;

/// How long it is believed that a secret is not there: whoever waits for one that is being made waits no longer.
const NOTHING_TTL: Duration = Duration::from_secs(1);

/// Values by the path of their entries, for all namespaces and cores. Paths come from manifests, so that there are no more of them than
/// of grants.
pub(super) struct Cache {
    ttl: Duration,
    entries: Mutex<HashMap<String, Entry>>,
}

struct Entry {
    until: Instant,
    /// Absent for a secret that is not there.
    value: Option<Value>,
}

impl Cache {
    pub(super) fn new(ttl: Duration) -> Self {
        Self { ttl, entries: Mutex::default() }
    }

    /// Returns what is known of a path. The inner is absent for a secret that is not there.
    pub(super) fn get(&self, path: &str) -> Option<Option<Value>> {
        let entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        let entry = entries.get(path).filter(|entry| clock::now() < entry.until)?;
        Some(entry.value.clone())
    }

    /// Keeps what was read. What is too old goes: it should not stay in memory.
    pub(super) fn put(&self, path: String, value: Option<Value>) {
        let now = clock::now();
        let ttl = if value.is_some() { self.ttl } else { self.ttl.min(NOTHING_TTL) };
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        entries.retain(|_, entry| now < entry.until);
        entries.insert(path, Entry { until: now + ttl, value });
    }
}
