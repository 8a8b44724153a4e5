//! The numbers: calls, errors, bytes and time, for each component and label, and for each invocation.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// What calls came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Calls that ended, well or not.
    pub calls: u64,
    /// Those that ended in an error of the host or the backend; what a component is told in due course, such as that a key is not
    /// there, is none.
    pub errors: u64,
    /// Calls that were refused because nothing grants them.
    pub denied: u64,
    /// Bytes that the component sent.
    pub sent_bytes: u64,
    /// Bytes that it got.
    pub received_bytes: u64,
    /// Time between call and answer, in nanoseconds.
    pub nanos: u64,
}

/// What one invocation did with one capability. Part of a store: plain numbers, no allocation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally(Counts);

impl Tally {
    /// Returns the numbers.
    pub fn counts(&self) -> Counts {
        self.0
    }

    /// Adds one call, for capabilities whose calls do not pass a [`Gate`](crate::Gate).
    pub fn add(&mut self, call: &Counts) {
        let sum = &mut self.0;
        sum.calls += call.calls;
        sum.errors += call.errors;
        sum.denied += call.denied;
        sum.sent_bytes += call.sent_bytes;
        sum.received_bytes += call.received_bytes;
        sum.nanos += call.nanos;
    }
}

/// The sum over all invocations of one component, for one label.
#[derive(Debug, Default)]
pub struct Usage {
    calls: AtomicU64,
    errors: AtomicU64,
    denied: AtomicU64,
    sent_bytes: AtomicU64,
    received_bytes: AtomicU64,
    nanos: AtomicU64,
}

impl Usage {
    /// Adds one call, for capabilities whose calls do not pass a [`Gate`](crate::Gate).
    pub fn add(&self, call: &Counts) {
        // The numbers are read by people, one at a time: nothing depends on their order.
        self.calls.fetch_add(call.calls, Ordering::Relaxed);
        self.nanos.fetch_add(call.nanos, Ordering::Relaxed);
        for (sum, more) in [
            (&self.errors, call.errors),
            (&self.denied, call.denied),
            (&self.sent_bytes, call.sent_bytes),
            (&self.received_bytes, call.received_bytes),
        ] {
            if more > 0 {
                sum.fetch_add(more, Ordering::Relaxed);
            }
        }
    }

    /// Returns the numbers as they are now.
    pub fn counts(&self) -> Counts {
        let read = |number: &AtomicU64| number.load(Ordering::Relaxed);
        Counts {
            calls: read(&self.calls),
            errors: read(&self.errors),
            denied: read(&self.denied),
            sent_bytes: read(&self.sent_bytes),
            received_bytes: read(&self.received_bytes),
            nanos: read(&self.nanos),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    app: String,
    component: String,
    capability: &'static str,
    label: String,
}

/// The usage of every component and label of a process. A new version of an app goes on with the numbers of the old one.
///
/// What it holds is named by manifests, never by guests or clients, so that it cannot grow by their doing.
#[derive(Debug, Default)]
pub struct UsageTable(Mutex<BTreeMap<Key, Arc<Usage>>>);

impl UsageTable {
    /// Returns the usage of one label, the same each time. `label` is empty for a capability without labels.
    pub fn of(&self, app: &str, component: &str, capability: &'static str, label: &str) -> Arc<Usage> {
        let key = Key { app: app.into(), component: component.into(), capability, label: label.into() };
        let mut table = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(table.entry(key).or_default())
    }

    /// Writes the numbers in the text format of Prometheus (version 0.0.4).
    pub fn write_metrics(&self, out: &mut String) {
        let rows: Vec<(Key, Counts)> = {
            let table = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            table.iter().map(|(key, usage)| (key.clone(), usage.counts())).collect()
        };
        type Read = fn(&Counts) -> String;
        let metrics: [(&str, &str, Read); 6] = [
            ("calls_total", "Calls of a capability that ended", |c| c.calls.to_string()),
            ("errors_total", "Calls that ended in an error of the host or the backend", |c| c.errors.to_string()),
            ("denied_total", "Calls that were refused because nothing grants them", |c| c.denied.to_string()),
            ("sent_bytes_total", "Bytes that components sent", |c| c.sent_bytes.to_string()),
            ("received_bytes_total", "Bytes that components got", |c| c.received_bytes.to_string()),
            ("seconds_total", "Time between call and answer", |c| {
                Duration::from_nanos(c.nanos).as_secs_f64().to_string()
            }),
        ];
        for (name, help, read) in metrics {
            let _ = writeln!(out, "# HELP wharf_capability_{name} {help}.\n# TYPE wharf_capability_{name} counter");
            for (key, counts) in &rows {
                // Names of apps, components and labels have no character that would have to be escaped.
                let Key { app, component, capability, label } = key;
                let _ = writeln!(
                    out,
                    "wharf_capability_{name}{{app=\"{app}\",component=\"{component}\",capability=\"{capability}\",label=\"{label}\"}} {}",
                    read(counts)
                );
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_survive_a_new_version_and_are_written_for_prometheus() {
        let table = UsageTable::default();
        table.of("shop", "api", "keyvalue", "default").add(&Counts {
            calls: 2,
            nanos: 1_500_000_000,
            ..Counts::default()
        });
        table.of("shop", "api", "keyvalue", "default").add(&Counts { calls: 1, errors: 1, ..Counts::default() });
        let mut text = String::new();
        table.write_metrics(&mut text);
        let labels = "{app=\"shop\",component=\"api\",capability=\"keyvalue\",label=\"default\"}";
        for line in [
            format!("wharf_capability_calls_total{labels} 3"),
            format!("wharf_capability_errors_total{labels} 1"),
            format!("wharf_capability_seconds_total{labels} 1.5"),
        ] {
            assert!(text.lines().any(|found| found == line), "{line} in\n{text}");
        }
    }
}
