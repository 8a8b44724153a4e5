//! An app on disk: found by a path, read, and made complete with values, downloads and the operator's file.
//!
//! In: a path, what flags say, and the [`Environment`]. Out: an app that can be loaded, or an [`Error`] that says what to do. Next: `build`
//! makes its components, `node` loads them.
//!
//! Invariant: nothing is printed here, and nothing of the process is read but what is handed in. Whoever calls is told of warnings and
//! downloads when they happen.

mod environment;
mod error;
mod fetch;
mod operator;
mod project;
mod variables;

pub use environment::Environment;
pub use error::Error;
pub use fetch::{Download, Pin, Pins, fetch, fetcher, is_fetched};
pub use operator::{Bindings, read_operator};
pub use project::{Project, Read, Text};
pub use variables::Values;
