//! Makes components of sources: what is stale or changes, the commands that make it, and what the toolchains lack.
//!
//! In: an app and its folder. Out: files that are components, or why not. Next: `node` reads them, `cli` says what happened.
//!
//! Invariant: this crate prints nothing and reads no environment; what a tool says is captured, and returned when it matters.

mod build;
mod command;
mod error;
mod file;
mod lock;
mod module;
mod preinit;
mod sources;
mod watch;

pub mod tools;

pub use build::{Built, Event, Options, Outcome, build, output};
pub use error::{Error, ModuleError, PreinitError};
pub use lock::{LOCK, Lock, Locked, digest};
pub use sources::{Fingerprint, Sources};
pub use watch::{Changes, QUIET_COMPILERS, QUIET_EDITORS, Watch};
pub use wharf_preinit::PreinitFault;
