//! Servers that backends of several capabilities use: how each is reached, and what it means when it is not.
//!
//! In: what a backend's settings say. Out: a connection, or [`NoConnection`](wharf_kit::NoConnection) with words for the guest. Next: the
//! server.
//!
//! Knows connections and nothing of what is said over them: that is each capability's business. A capability declares its settings itself,
//! so that its documentation and its errors are its own.

#[cfg(feature = "nats")]
pub mod nats;
#[cfg(feature = "redis")]
pub mod redis;
