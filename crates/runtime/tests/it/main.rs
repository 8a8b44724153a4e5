//! Real guests in a real runtime, without sockets.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on says so by ending")]

mod http;
mod parts;
