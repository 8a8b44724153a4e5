//! The backends: one file each, and one line each in the list.
//!
//! In: a checked message of [`Messenger`]. Out: its acknowledgement, or replies. Next: a server, or the subscribers in this process.

mod broker;

use crate::Messenger;
use wharf_kit::Backend;

/// Every backend. The first one is what a label gets when the operator says nothing.
pub const BACKENDS: &[Backend<dyn Messenger>] = &[broker::BACKEND];
