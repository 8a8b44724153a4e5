//! Outbound HTTP: what a component's requests to servers pass, from its grants to the socket.
//!
//! In: requests of `wasi:http` 0.2 `outgoing-handler` and 0.3 `client`, by [`wit::send`]. Out: answers with bodies that stream. Next: the
//! server.
//!
//! Everything but [`wit`] is plain `http`: requests and answers are values that a test can make, and a journal can keep.

mod body;
mod client;
mod config;
mod connect;
mod connection;
mod error;
mod grants;
mod meter;
mod pool;
mod quota;
mod resolve;
mod settings;
mod stream;
mod target;
mod tls;
pub mod wit;

pub use body::{Body, ResponseBody, Sent};
pub use client::{Client, Network};
pub use config::ConfigError;
pub use error::Error;
pub use quota::Quota;
pub use resolve::{Lookup, Resolver, System};
pub use settings::{Asked, Limits, ServerTimeouts, Settings, Timeouts};
pub use target::Target;
pub use tls::{Pem, ServerTls, TlsError, Trust};

/// The capability's name, which is the key of its grants.
pub const CAPABILITY: &str = "http";
