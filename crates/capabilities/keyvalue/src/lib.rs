//! Key-value stores for guests: `wasi:keyvalue`, in the versions that components are built with, over several backends.
//!
//! In: calls of a guest on a label that the manifest grants. Out: values. Next: the backend that the label is bound to.
//!
//! Everything but [`wit`] is plain Rust: an interface version is one file there, a backend is one file in [`backend`].

mod api;
pub mod backend;
mod position;
pub mod wit;

pub use api::{
    BATCH_KEYS_MAX, BATCH_VALUES_MAX, Cursor, Error, KEY_BYTES_MAX, Key, PAGE_KEYS, Page, Snapshot, Store, Version,
};
pub use wit::{View, add_to_linker};

use std::time::Duration;
use wharf_kit::Bounds;

/// The capability's name, which is the key of its grants.
pub const CAPABILITY: &str = "keyvalue";

/// What a label may use when neither the manifest nor the operator says otherwise.
pub const BOUNDS: Bounds = Bounds {
    // A healthy store answers in milliseconds; a client that waits for a page gives up after a few seconds.
    timeout: Duration::from_secs(5),
    // Of one component: enough to keep a server busy, few enough that one component does not fill its queue.
    concurrency: 64,
    // What NATS allows in a message without being told otherwise, so that an app may move between backends. Bigger things are objects.
    size_bytes: 1 << 20,
};
