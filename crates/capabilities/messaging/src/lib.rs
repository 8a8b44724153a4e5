//! Messages for guests: `wasi:messaging` and `wasmcloud:messaging`, over several backends.
//!
//! In: messages of a guest for a label that the manifest grants. Out: acknowledged messages, and replies. Next: the backend that the
//! label is bound to.
//!
//! Everything but [`wit`] is plain Rust: an interface is one file there, a backend is one file in [`backend`].

mod api;
pub mod backend;
mod message;
mod replies;
mod subscription;
mod topic;
pub mod wit;

pub use api::{Error, Messenger};
pub use message::{METADATA_MAX, METADATA_VALUE_BYTES_MAX, Message};
pub use replies::{REPLIES_MAX, Replies};
pub use subscription::{Delivery, ReplyTo, Subscription};
pub use topic::{Filter, Prefix, TOPIC_BYTES_MAX, Topic};
pub use wit::{Held, View, add_to_linker};

use std::time::Duration;
use wharf_kit::Bounds;

/// The capability's name, which is the key of its grants.
pub const CAPABILITY: &str = "messaging";

/// What a label may use when neither the manifest nor the operator says otherwise.
pub const BOUNDS: Bounds = Bounds {
    // A server acknowledges in milliseconds; what asks for replies is most often a page that somebody waits for.
    timeout: Duration::from_secs(5),
    // Of one component: enough to keep a server busy, few enough that one component does not fill its queue.
    concurrency: 64,
    // What NATS takes without being told otherwise, so that an app may move between backends. Counts data, content type and metadata
    // of one message, and all replies to one request together.
    size_bytes: 1 << 20,
};
