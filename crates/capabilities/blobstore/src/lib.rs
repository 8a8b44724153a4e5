//! Blobs for guests: objects of any size in containers, streamed both ways.
//!
//! In: calls of `wasi:blobstore`, and what a component is granted. Out: answers, streams. Next: a backend.
//!
//! Nobody sees an object that is not whole: not while it is written, not after a crash, not when the guest that wrote it is gone.

pub mod api;
pub mod backend;
pub mod wit;

use std::time::Duration;
use wharf_kit::Bounds;

pub use api::{Error, Store};
pub use backend::BACKENDS;
pub use wit::{View, add_to_linker};

/// The name of the capability: the key of its grants and bindings.
pub const CAPABILITY: &str = "blobstore";

/// The bounds that a label has when nobody says otherwise.
pub const BOUNDS: Bounds = Bounds {
    // Of one step: opening, a piece of a stream, finishing. Copying 5 GiB on a disk that does 200 MB/s is one step, too.
    timeout: Duration::from_secs(30),
    // Also how many values may be open at once. A value that is read costs a file or a connection, one that is written up to two parts.
    concurrency: 64,
    // Of one object. More than this an S3 server does not copy in one request.
    size_bytes: 5 << 30,
};
