//! The backends, in one list. One more is one more file and one more line here.

mod memory;

use crate::api::Store;
use wharf_kit::Backend;

/// Every backend. The first one is what a label gets without an operator's word.
pub const BACKENDS: &[Backend<dyn Store>] = &[memory::BACKEND];
