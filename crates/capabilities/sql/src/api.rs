//! What a database is to Wharf, whatever is behind it.
//!
//! In: statements from [`crate::wit`]. Out: results, numbers, and one [`Error`]. Next: a backend.

use crate::value::{Row, Value};
use async_trait::async_trait;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;
use wharf_kit::{Kind, Payload, Refused};
use wharf_telemetry::clock;

/// The database of one namespace.
///
/// Dropping a future of any of these ends the statement, in the server too, and leaves nothing behind.
#[async_trait]
pub trait Database: Send + Sync {
    /// Runs a statement and returns its rows.
    async fn query(&self, statement: Statement, call: Call) -> Result<Results, Error>;

    /// Runs a statement and returns how many rows it changed.
    async fn execute(&self, statement: Statement, call: Call) -> Result<u64, Error>;

    /// Runs statements in one transaction, and returns how many rows each changed.
    async fn batch(&self, statements: Vec<Statement>, call: Call) -> Result<Vec<u64>, Error>;

    /// Opens a transaction.
    async fn begin(&self, options: Options, call: Call) -> Result<Box<dyn Transaction>, Error>;
}

/// An open transaction. Dropping it rolls it back, at once and off the caller's path.
#[async_trait]
pub trait Transaction: Send {
    /// Runs a statement and returns its rows. They may be read while other statements run.
    async fn query(&mut self, statement: Statement, call: Call) -> Result<Results, Error>;

    /// Runs a statement and returns how many rows it changed.
    async fn execute(&mut self, statement: Statement, call: Call) -> Result<u64, Error>;

    /// Makes it last.
    async fn commit(self: Box<Self>, call: Call) -> Result<(), Error>;

    /// Takes it back.
    async fn rollback(self: Box<Self>, call: Call) -> Result<(), Error>;
}

/// A statement with what its parameters stand for.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Statement {
    /// The text, with parameters `$1`, `$2` and so on.
    pub sql: String,
    /// The first stands for `$1`.
    pub params: Vec<Value>,
}

/// What one call may use.
#[derive(Clone, Copy, Debug)]
pub struct Call {
    /// Time of the call.
    pub timeout: Duration,
    /// When it ends at the latest.
    pub deadline: std::time::Instant,
    /// Whether the component may only read.
    pub read_only: bool,
    /// Bytes of one row, and of one page of rows.
    pub size_bytes: usize,
}

/// What a transaction is opened with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// How much it sees of others, at least.
    pub isolation: Isolation,
    /// Whether it only reads.
    pub read_only: bool,
}

/// How much a transaction sees of others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Isolation {
    /// What was committed before each statement.
    #[default]
    ReadCommitted,
    /// What was committed before its first statement.
    RepeatableRead,
    /// As if transactions ran one after another.
    Serializable,
}

/// A column of a result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// The name.
    pub name: String,
    /// The type in the backend's own words; empty where it has none.
    pub type_name: String,
}

/// Which rule of a schema a statement would have broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// A unique or primary key.
    Unique,
    /// A reference.
    ForeignKey,
    /// A value that has to be there.
    NotNull,
    /// A condition.
    Check,
    /// Two rows that exclude each other.
    Exclusion,
}

/// Why a call failed. Shown to the component: no password, no address with one, no path of the host.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The gate did not let it through, or ended it.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// The statement changes something, and the grant or the transaction only reads.
    #[error("this changes something, and only reading is allowed")]
    ReadOnly,
    /// A statement that no component may run.
    #[error("no component may run this: {0}")]
    Forbidden(String),
    /// A rule of the schema.
    #[error("{detail}")]
    Constraint {
        /// Which kind.
        rule: Rule,
        /// Which one, in the backend's words.
        detail: String,
    },
    /// Another transaction was in the way.
    #[error("{0}")]
    Serialization(String),
    /// The backend is away or overloaded.
    #[error("{0}")]
    Unavailable(String),
    /// The statement is wrong.
    #[error("{0}")]
    Syntax(String),
    /// A value does not fit its type, or a type has no value here.
    #[error("{0}")]
    TypeMismatch(String),
    /// Too large or too many.
    #[error("{0}")]
    Limit(String),
    /// The database has no more room.
    #[error("the database is full")]
    Full,
    /// The transaction or the result is over.
    #[error("{0}")]
    Closed(&'static str),
    /// The backend answered what it should not.
    #[error("{0}")]
    Backend(String),
}

impl Error {
    /// Returns whose fault it is.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Refused(refused) => refused.kind(),
            Self::ReadOnly | Self::Forbidden(_) => Kind::Denied,
            Self::Serialization(_) => Kind::Conflict,
            Self::Unavailable(_) => Kind::Unavailable,
            Self::Constraint { .. } | Self::Syntax(_) | Self::TypeMismatch(_) | Self::Limit(_) | Self::Closed(_) => {
                Kind::Invalid
            }
            Self::Full | Self::Backend(_) => Kind::Backend,
        }
    }
}

impl Call {
    /// Returns the time that is left.
    pub fn left(&self) -> Duration {
        self.deadline.saturating_duration_since(clock::now())
    }

    /// Refuses a call that may change something to a component that only reads.
    ///
    /// # Errors
    /// [`Error::ReadOnly`].
    pub fn check_write(&self) -> Result<(), Error> {
        if self.read_only { Err(Error::ReadOnly) } else { Ok(()) }
    }

    /// Returns the error of a call whose time is over.
    pub fn late(&self) -> Error {
        Refused::Deadline(self.timeout).into()
    }
}

/// Some rows of a result.
#[derive(Debug, Default)]
pub struct Page {
    /// The rows.
    pub rows: Vec<Row>,
    /// Whether there are no more.
    pub is_last: bool,
}

/// The rest of a result, in the backend. Dropping it ends the statement.
#[async_trait]
pub trait Rest: Send {
    /// Returns at most `max` rows and at least one, or the last page.
    async fn next(&mut self, max: usize, call: Call) -> Result<Page, Error>;
}

/// A result: its first page, and where the rest comes from. What the component does not ask for stays in the backend.
pub struct Results {
    columns: Arc<[Column]>,
    first: VecDeque<Row>,
    rest: Option<Box<dyn Rest>>,
    failed: Option<Error>,
}

impl Results {
    /// Returns a result.
    pub fn new(columns: Arc<[Column]>, first: Vec<Row>, rest: Option<Box<dyn Rest>>) -> Self {
        Self { columns, first: first.into(), rest, failed: None }
    }

    /// Returns the columns.
    pub fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// Returns the next rows, at most `max`; none at the end. After an error that error is returned again.
    ///
    /// # Errors
    /// What ended the statement.
    pub async fn next(&mut self, max: usize, call: Call) -> Result<Vec<Row>, Error> {
        if let Some(error) = &self.failed {
            return Err(error.clone());
        }
        if !self.first.is_empty() {
            let count = max.min(self.first.len());
            return Ok(self.first.drain(..count).collect());
        }
        // Taken out, so that a call which is dropped drops the rest too: what it would have returned is lost.
        let Some(mut rest) = self.rest.take() else { return Ok(Vec::new()) };
        self.failed = Some(Error::Closed("a call of `next` did not end"));
        match rest.next(max, call).await {
            Ok(page) => {
                self.rest = (!page.is_last).then_some(rest);
                self.failed = None;
                Ok(page.rows)
            }
            Err(error) => {
                self.failed = Some(error.clone());
                Err(error)
            }
        }
    }
}

impl Payload for Results {
    fn size_bytes(&self) -> usize {
        // Rows are counted when the component gets them.
        0
    }
}

impl Payload for Box<dyn Transaction> {
    fn size_bytes(&self) -> usize {
        0
    }
}

impl Payload for Statement {
    fn size_bytes(&self) -> usize {
        self.sql.len() + self.params.iter().map(Payload::size_bytes).sum::<usize>()
    }
}
