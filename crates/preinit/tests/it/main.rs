//! Modules and components that initialise themselves, and those that may not.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on says so by ending")]

mod preinit;
