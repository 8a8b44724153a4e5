//! The backends, in one list. One more is one more file and one more line here.

mod memory;
pub mod names;
#[cfg(feature = "nats")]
mod nats;
mod redb;
#[cfg(feature = "redis")]
mod redis;

use crate::api::Store;
use wharf_kit::Backend;

/// Every backend. The first one is what a label gets without an operator's word.
pub const BACKENDS: &[Backend<dyn Store>] = &[
    redb::BACKEND,
    #[cfg(feature = "redis")]
    redis::BACKEND,
    #[cfg(feature = "nats")]
    nats::BACKEND,
    memory::BACKEND,
];
