//! SQL for guests: statements, results that are streamed, transactions that end with their owner.
//!
//! In: calls of `wharf:sql` from a guest, through [`wit`]. Out: a [`Database`] of one of [`backend::BACKENDS`].
//! Next: [`wharf_kit::Gate`], then the backend.

pub mod api;
pub mod backend;
mod value;
mod wit;

pub use api::{Call, Database, Error, Results, Statement, Transaction};
pub use backend::BACKENDS;
pub use value::{Date, Instant, Row, Time, Timestamp, Value};
pub use wit::{Sql, View, add_to_linker};

use std::time::Duration;
use wharf_kit::Bounds;

/// The capability's name, which is the key of its grants.
pub const CAPABILITY: &str = "sql";

/// What calls may use, unless a grant or the operator says otherwise.
pub const BOUNDS: Bounds = Bounds {
    // A statement that takes longer lacks an index; reports are given more by the operator.
    timeout: Duration::from_secs(5),
    // Less than other capabilities have: each call under way holds a connection.
    concurrency: 32,
    // A statement with its parameters, a row, and a page of rows: this much a call may take of the node's memory.
    size_bytes: 4 * 1024 * 1024,
};
