//! Every backend does the same, and what each does when the world does not.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails there")]

mod classes;
mod fixture;
mod postgres;
mod results;
mod sqlite;
mod statements;
mod transactions;
mod values;
