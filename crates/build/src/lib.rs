//! Makes components of sources: what is stale, the commands that make it, and what the toolchains lack.
//!
//! In: an app and its folder. Out: files that are components, or why not. Next: `node` reads them, `cli` says what happened.
//!
//! Invariant: this crate prints nothing and reads no environment; what a tool says is captured, and returned when it matters.

pub mod tools;
