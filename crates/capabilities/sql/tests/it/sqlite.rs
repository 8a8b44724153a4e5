//! What only SQLite has: a file, and commands that reach beyond it.

mod bad;
mod kills;
mod policy;
