//! Every backend, with real servers: the same promises everywhere, what other programs see, and servers that fail.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod conformance;
mod faults;
mod fixture;
mod jetstream;
mod native;
mod pace;
mod settings;
mod tls;
