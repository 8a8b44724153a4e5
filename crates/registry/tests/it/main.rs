//! The fetcher against a registry on loopback that is good, strict, or bad.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on says so by ending")]

mod fetch;
