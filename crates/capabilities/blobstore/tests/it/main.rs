//! Every backend does the same, and what each does when the world does not.

#![allow(clippy::unwrap_used, reason = "a test may fail by a panic")]
#![expect(clippy::disallowed_methods, reason = "some tests run this program again, and say by the environment as what")]

mod children;
mod containers;
mod copies;
mod files;
mod fixture;
mod kills;
mod names;
mod objects;
mod servers;
mod streams;
mod tls;
