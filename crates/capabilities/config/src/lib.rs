//! Configuration for guests: `wasi:config`, in the versions that components are built with.
//!
//! In: calls of a guest. Out: values that were resolved when the app was loaded. Next: nothing: a call is a look-up in a map, it waits
//! for nobody and cannot fail.

mod values;
mod wit;

pub use values::Values;
pub use wit::{View, add_to_linker};

/// The capability's name, which is the key of its grants.
pub const CAPABILITY: &str = "config";
