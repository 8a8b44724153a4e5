//! Reads a WebAssembly file and says what it is: imports, exports, capabilities, sizes, and whether this host can serve it.
//!
//! In: the bytes of a `.wasm` file. Out: [`Facts`], [`Missing`], [`Verdict`]. Next: `runtime` compiles what passed, `cli` prints the report.
//!
//! Pure computation: no I/O, no async, no engine. [`inspect`] reads bytes that anybody may have sent and never panics.

mod capability;
mod check;
mod compare;
mod decode;
mod entry;
mod error;
mod externs;
mod facts;
mod features;
mod guess;
mod help;
mod inspect;
mod interface;
mod lookalike;
mod name;
mod nesting;
mod outline;
mod plug;
mod print;
mod printable;
mod provided;
mod report;
mod scan;
mod signature;
mod verdict;
mod weight;
mod wit;

#[cfg(test)]
mod tests;

pub use capability::Capability;
pub use check::{Missing, MissingReason, check};
pub use compare::{Comparison, Power, PowerChange, ProducerChange, SectionChange, SizeChange, compare};
pub use entry::Entry;
pub use error::{Error, ErrorKind};
pub use facts::{CoreModule, Facts, Kind, Memory, Producer, SectionSize};
pub use inspect::inspect;
pub use interface::{ExternKind, Interface};
pub use lookalike::Lookalike;
pub use outline::{Outline, outline};
pub use plug::{Match, Mismatch, covers, matches};
pub use provided::{PROVIDED, Provided};
pub use report::render_text;
pub use verdict::Verdict;
pub use wit::{Wit, function_text, package_text, printable_line, type_text, wit, wit_text};
