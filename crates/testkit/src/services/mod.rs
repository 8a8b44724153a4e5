//! Real servers for tests: on free ports of loopback, with folders that are thrown away, gone when dropped.
//!
//! ```no_run
//! use wharf_testkit::services::Redis;
//!
//! // Nothing, after telling why, where redis-server is not installed: the test counts as skipped.
//! let Some(redis) = Redis::start() else { return };
//! println!("connect to {}", redis.url());
//! redis.kill(); // SIGKILL: connections break, nothing is flushed
//! redis.restart(); // same port, same data
//! redis.pause(); // SIGSTOP: it accepts connections and never answers
//! redis.resume();
//! ```
//!
//! | server | is | data survives `kill` |
//! |---|---|---|
//! | [`Redis`] | redis-server | yes, unless [`redis::Options::in_memory`] |
//! | [`Postgres`] | postgres, each with a cluster of its own | yes |
//! | [`Nats`] | nats-server with JetStream | JetStream's does |
//! | [`Mqtt`] | mosquitto | retained messages and sessions that persist |
//! | [`S3`] | SeaweedFS behind its S3 gateway | yes |
//! | [`Vault`] | a double in this process: the read side of the KV API, version 2 | yes |
//! | [`Browser`] | Chromium behind chromedriver | no |
//!
//! All but [`Browser`] speak TLS when they are told to, by the option `tls`: with a certificate that is good, for another name or out of
//! date, and, if a test wants that, to clients of an [`Authority`](crate::Authority) only.
//!
//! Each has `start() -> Option<Self>`, and all but the browser `options()` with what can be set, which ends with `start()` too. All but
//! the Vault are a [`Daemon`], whose methods they have: `port`, `pid`, `is_alive`, `log`, `stop`, `kill`, `restart`, `pause`, `resume`.
//! They take `&self`, so that one task may kill what another one uses. The Vault always starts.
//!
//! [`registry::Registry`] is a registry and web server in this process, which serves what tests put into it, good or bad.
//!
//! `start` and `restart` return when the server has answered in its own protocol. A server dies with its test, however that ends.

mod browser;
mod daemon;
mod find;
mod folder;
mod guard;
pub mod mqtt;
pub mod nats;
mod ports;
pub mod postgres;
mod probe;
pub mod redis;
pub mod registry;
pub mod s3;
mod skip;
mod tls;
pub mod vault;

pub use browser::Browser;
pub use daemon::Daemon;
pub use mqtt::Mqtt;
pub use nats::Nats;
pub use postgres::Postgres;
pub use redis::Redis;
pub use s3::S3;
pub use skip::{not_allowed, skip};
pub use tls::Tls;
pub use vault::Vault;
