//! Servers that backends of several capabilities use: how each is reached, and what it means when it is not.
//!
//! In: what a backend's settings say. Out: a connection, or [`NoConnection`](wharf_kit::NoConnection) with words for the guest. Next: the
//! server.
//!
//! Knows connections and nothing of what is said over them: that is each capability's business. A capability declares its settings itself,
//! so that its documentation and its errors are its own; what they are by default is here.

#[cfg(feature = "nats")]
pub mod nats;
#[cfg(feature = "redis")]
pub mod redis;
pub mod tls;

use std::time::Duration;
use wharf_kit::Period;

/// How long a new connection may take, where the settings do not say: long enough for a lost packet and the next one, short enough for a
/// request to wait.
pub fn connect_timeout() -> Period {
    Period(Duration::from_secs(1))
}

/// How long a server may take to answer, where the settings do not say: far beyond what a healthy one takes for the largest batch, and
/// within the time of a call.
pub fn response_timeout() -> Period {
    Period(Duration::from_secs(2))
}
