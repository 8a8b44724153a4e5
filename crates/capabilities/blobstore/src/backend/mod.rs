//! The backends of blobs. The first one is what a label has when the operator says nothing.

pub mod files;
pub mod memory;

use crate::api::Store;
use wharf_kit::Backend;

/// Every backend.
pub const BACKENDS: &[Backend<dyn Store>] = &[files::BACKEND, memory::BACKEND];
