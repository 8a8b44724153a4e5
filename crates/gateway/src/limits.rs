//! Stop 4: what a client may ask of the gateway before a guest is involved.
//!
//! In: the operator's numbers. Out: [`Limits`], which [`crate::connection`] keeps. Next: [`crate::router`].

use std::time::Duration;

/// Bounds on connections and heads. Bodies are bounded a component at a time, in `trigger`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Connections at a time, over all cores. Further ones wait in the kernel's backlog.
    pub connections: usize,
    /// How long a client may take to send the head of a request, and how long an unused connection is kept.
    pub head: Duration,
    /// How long a client may take for the TLS handshake.
    pub handshake: Duration,
    /// How long a client may take nothing of what is sent to it.
    pub stall: Duration,
    /// How long a guest goes on for a client that closed its sending side: it may still read, or be gone.
    pub half_closed: Duration,
    /// Bytes of one request's head.
    pub head_bytes: usize,
    /// Header fields of one request.
    pub headers: usize,
    /// HTTP/2 requests of one connection at a time.
    pub streams: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 50_000,
            head: Duration::from_secs(30),
            handshake: Duration::from_secs(10),
            stall: Duration::from_secs(30),
            half_closed: Duration::from_secs(3),
            head_bytes: 64 << 10,
            headers: 128,
            streams: 256,
        }
    }
}
