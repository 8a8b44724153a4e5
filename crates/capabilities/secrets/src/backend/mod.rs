//! Where secrets are. Each backend is a file here and a line in the list.

mod environment;
mod local;
#[cfg(feature = "vault")]
mod vault;

pub use local::{LOCAL, local_file};

use crate::Store;
use wharf_kit::Backend;

/// The backends. The first is the one that an app gets without an operator's word.
pub const BACKENDS: &[Backend<dyn Store>] = &[
    local::BACKEND,
    environment::BACKEND,
    #[cfg(feature = "vault")]
    vault::BACKEND,
];
