//! Outbound HTTP against real servers on loopback.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod framing;
mod grants;
mod heads;
mod pool;
mod quota;
mod streams;
mod support;
mod timeouts;
mod tls;
mod wit;
