//! Sets up what tests and benchmarks need: packages of Debian, servers, and guests in every language.
//!
//! In: the root of the repository. Out: programs and components under `target`. Next: `xtask`, which runs the tests, and `xtask-bench`.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a command talks to its user")]
#![allow(clippy::disallowed_methods, reason = "a task reads the environment and measures itself; nothing simulates it")]

pub mod debian;
pub mod guests;
pub mod run;
pub mod services;
