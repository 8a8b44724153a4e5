//! Every backend does the same, and what each does when the world does not.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod backends;
mod conformance;
mod durability;
mod fixture;
mod listing;
mod numbers;
#[cfg(feature = "nats")]
mod on_nats;
mod on_redb;
#[cfg(feature = "redis")]
mod on_redis;
mod proxy;
mod role;
mod swaps;
mod tls;
