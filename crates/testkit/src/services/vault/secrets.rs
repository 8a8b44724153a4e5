//! The versions of one secret.

use serde_json::{Value, json};

/// When everything happened: no client does more with it than show it.
pub(super) const TIME: &str = "2026-01-01T00:00:00.000000000Z";

/// The versions of a secret, the first one first.
#[derive(Debug, Default)]
pub(super) struct Versions(Vec<Version>);

#[derive(Debug)]
struct Version {
    data: Value,
    is_deleted: bool,
    is_destroyed: bool,
}

impl Versions {
    pub(super) fn put(&mut self, data: Value) -> u64 {
        self.0.push(Version { data, is_deleted: false, is_destroyed: false });
        self.latest()
    }

    pub(super) fn set_deleted(&mut self, version: u64, is_deleted: bool) {
        self.get_mut(version).is_deleted = is_deleted;
    }

    pub(super) fn destroy(&mut self, version: u64) {
        let version = self.get_mut(version);
        version.is_destroyed = true;
        version.data = Value::Null;
    }

    /// Returns the `data` of an answer about a version, and whether it can be read. Version 0 is the latest.
    pub(super) fn read(&self, version: u64) -> Option<(bool, Value)> {
        let number = if version == 0 { self.latest() } else { version };
        let version = self.0.get(index(number)?)?;
        let is_readable = !version.is_deleted && !version.is_destroyed;
        let metadata = json!({
            "created_time": TIME,
            "custom_metadata": null,
            "deletion_time": if version.is_deleted { TIME } else { "" },
            "destroyed": version.is_destroyed,
            "version": number,
        });
        let data = if is_readable { version.data.clone() } else { Value::Null };
        Some((is_readable, json!({ "data": data, "metadata": metadata })))
    }

    fn latest(&self) -> u64 {
        self.0.len() as u64
    }

    #[track_caller]
    fn get_mut(&mut self, number: u64) -> &mut Version {
        let version = index(number).and_then(|index| self.0.get_mut(index));
        version.unwrap_or_else(|| panic!("there is no version {number}"))
    }
}

fn index(number: u64) -> Option<usize> {
    usize::try_from(number.checked_sub(1)?).ok()
}
