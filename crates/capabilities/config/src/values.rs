//! The values of one component.

use std::collections::BTreeMap;
use std::sync::Arc;
use wharf_kit::{Counts, Tally, Usage};

/// The values of one component, shared by all its instances. They never change: a new version of an app has new ones.
#[derive(Debug, Default)]
pub struct Values {
    values: BTreeMap<String, String>,
    usage: Arc<Usage>,
}

impl Values {
    /// Returns values whose look-ups are counted in `usage`.
    pub fn new(values: BTreeMap<String, String>, usage: Arc<Usage>) -> Self {
        Self { values, usage }
    }

    /// Returns the value of a key.
    pub fn get(&self, key: &str, tally: &mut Tally) -> Option<&str> {
        let value = self.values.get(key).map(String::as_str);
        self.count(key.len(), value.map_or(0, str::len), tally);
        value
    }

    /// Returns every key with its value, in the order of the keys.
    pub fn all(&self, tally: &mut Tally) -> Vec<(String, String)> {
        let all: Vec<_> = self.values.iter().map(|(key, value)| (key.clone(), value.clone())).collect();
        self.count(0, all.iter().map(|(key, value)| key.len() + value.len()).sum(), tally);
        all
    }

    /// Returns the keys, for people. Values are not shown: what is not secret today may be tomorrow.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.values.keys().map(String::as_str)
    }

    /// Counts a call. No clock is read: that would take longer than the call.
    fn count(&self, sent: usize, received: usize, tally: &mut Tally) {
        let (sent_bytes, received_bytes) = (sent as u64, received as u64);
        let call = Counts { calls: 1, sent_bytes, received_bytes, ..Counts::default() };
        tally.add(&call);
        self.usage.add(&call);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn look_ups_are_counted_for_the_invocation_and_for_all() {
        let usage = Arc::new(Usage::default());
        let values = Values::new(BTreeMap::from([("url".into(), "https://a".into())]), Arc::clone(&usage));
        let mut tally = Tally::default();
        assert_eq!(values.get("url", &mut tally), Some("https://a"));
        assert_eq!(values.get("URL", &mut tally), None);
        assert_eq!(values.all(&mut tally), [("url".to_owned(), "https://a".to_owned())]);
        let expected = Counts { calls: 3, sent_bytes: 6, received_bytes: 9 + 12, ..Counts::default() };
        assert_eq!((tally.counts(), usage.counts()), (expected, expected));
    }
}
