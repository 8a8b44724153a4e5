//! WIT: reads texts and binaries of interfaces, says all that is wrong with them, prints them, and tells what changed.
//!
//! In: a [`Folder`] of texts, or the bytes of a component. Out: [`Parsed`] with [`Finding`]s, printed WIT, a [`Diff`]. Next: `cli`
//! shows it.
//!
//! Pure computation: no I/O, no async, no engine. Reads what strangers wrote and does not panic on it.

pub mod check;
pub mod diff;
mod explain;
mod finding;
mod folder;
mod mend;
mod needed;
mod parse;
mod print;
mod scan;
mod stub;

#[cfg(test)]
mod tests;

pub use diff::{Diff, Side, diff};
pub use finding::{Finding, has_errors, render};
pub use folder::{Dependency, Folder, SourceFile, TEXT_LEN_MAX};
pub use needed::{Needed, is_version, needed, sort_versions};
pub use parse::{Parsed, parse};
pub use print::{Part, PartError, json, print};
pub use scan::{Reference, references};
