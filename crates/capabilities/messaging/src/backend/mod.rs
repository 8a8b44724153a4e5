//! The backends: one file each, and one line each in the list.
//!
//! In: a checked message of [`Messenger`]. Out: its acknowledgement, or replies. Next: a server, or the subscribers in this process.

mod broker;
#[cfg(feature = "mqtt")]
mod mqtt;
#[cfg(feature = "nats")]
mod nats;
#[cfg(feature = "redis")]
mod redis;

use crate::Messenger;
use wharf_kit::Backend;

/// Every backend. The first one is what a label gets when the operator says nothing.
pub const BACKENDS: &[Backend<dyn Messenger>] = &[
    broker::BACKEND,
    #[cfg(feature = "nats")]
    nats::BACKEND,
    #[cfg(feature = "mqtt")]
    mqtt::BACKEND,
    #[cfg(feature = "redis")]
    redis::BACKEND,
];
