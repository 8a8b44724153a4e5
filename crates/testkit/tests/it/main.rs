//! The servers of `services`, each started, used in its own protocol, killed and started again.

#![allow(clippy::unwrap_used, reason = "a test may fail by a panic")]
#![allow(clippy::disallowed_methods, reason = "a test that runs itself again tells it what to do by the environment")]

mod browser;
mod guard;
mod mqtt;
mod nats;
mod postgres;
mod redis;
mod s3;
mod skip;
mod vault;
mod wire;
