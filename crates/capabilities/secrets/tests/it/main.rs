//! Every backend does the same, what each does when the world does not, and that no value is ever seen.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on says so by ending")]

mod conformance;
mod fixture;
mod guest;
mod local;
mod tls;
mod vault;
