//! How often each note was read: one counter for each, in the key-value store.

use crate::bindings::wasi::keyvalue::{atomics, store};

const LABEL: &str = "views";

fn key(id: i64) -> String {
    format!("note/{id}")
}

/// Counts a reader of a note, and returns how many there were with this one.
pub fn count(id: i64) -> Result<i64, store::Error> {
    atomics::increment(&store::open(LABEL)?, &key(id), 1)
}

/// Removes the counter of a note that is gone.
pub fn forget(id: i64) {
    if let Ok(bucket) = store::open(LABEL) {
        let _ = bucket.delete(&key(id));
    }
}
