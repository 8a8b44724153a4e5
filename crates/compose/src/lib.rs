//! Joins components into one: each import that another part satisfies is wired to that part's export, all others stay imports.
//!
//! In: the bytes of the parts and who satisfies what, by exact names. Out: the bytes of one component. Next: `runtime`, which compiles it
//! like any other.
//!
//! Pure: no I/O, no engine. What is written here are names and wires; the code of the parts is copied as it is. The library that does it
//! speaks another generation of the binary format's crates than the engine, so nothing but bytes goes in and comes out.

mod fuse;
mod rename;

pub use fuse::{Error, Part, Plug, fuse};
