//! Secrets for guests: `wharf:secrets`, granted one by one.
//!
//! In: calls of a guest. Out: a [`Value`], shown only to whom `reveal` is called for. Next: a backend.
//!
//! Invariant: nothing here prints, logs or formats a value. A [`Value`] has no `Display`, its `Debug` is `…`, and it is wiped from
//! memory when the last handle of it is dropped.

mod allowed;
mod api;
mod backend;
mod file;
mod value;
mod wit;

pub use allowed::{Allowed, stored};
pub use api::{Error, Store};
pub use backend::{BACKENDS, LOCAL, local_file};
pub use file::{Contents, FILE, FileError, IDENTITY, SecretFile};
pub use value::{Revealed, Value};
pub use wit::{View, add_to_linker};

use std::time::Duration;
use wharf_kit::Bounds;

/// The capability's name, which is the key of its grants.
pub const CAPABILITY: &str = "secrets";

/// The label of the store that all secrets of an app are in. A grant names secrets, an operator binds this.
pub const LABEL: &str = "default";

/// What calls may use unless an operator says otherwise.
pub const BOUNDS: Bounds = Bounds {
    // A guest waits for it before it can do anything, and a server in the same network answers in milliseconds.
    timeout: Duration::from_secs(2),
    // Most answers come from memory.
    concurrency: 64,
    // A chain of certificates with its key has 10 KiB.
    size_bytes: 64 << 10,
};
