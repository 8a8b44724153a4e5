//! SQLite, in the process: one file for each namespace.
//!
//! In: statements of [`crate::api`]. Out: their results. Next: [`lane`], threads with one connection each; one of them writes.

mod connection;
mod error;
mod lane;
mod policy;
mod session;
mod statement;
mod value;
mod write;

use crate::api::{Call, Database, Error, Options, Results, Statement, Transaction};
use async_trait::async_trait;
use connection::{Role, Setup};
use lane::{Alone, Lane};
use serde::Deserialize;
use session::{Begun, Opened as OpenedQuery};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use wharf_kit::{Backend, BackendError, Embedded, Namespace, Opened, Period, Size, settings};

/// The entry of the list.
pub(super) const BACKEND: Backend<dyn Database> = Backend {
    name: "sqlite",
    summary: "SQLite in this process, a file for each label",
    durability: "An acknowledged write is on the disk: it survives a kill of the process and a loss of power. With \
                 `synchronous = \"normal\"` the last ones may be lost with the power, and only with it.",
    example: "backend = \"sqlite\"\nmax-size = \"4GiB\"\nreaders = 8\n",
    open,
};

/// What can be set.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
struct Config {
    /// Bytes of the database. What would make it larger fails.
    max_size: Size,
    /// Results and transactions that are read at once; writes take turns.
    readers: usize,
    /// Whether a write waits until it is on the disk.
    synchronous: Synchronous,
    /// How long a transaction or a result may wait for its component.
    idle: Period,
    /// How long a transaction or a result may be open.
    lifetime: Period,
}

/// When a write is acknowledged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Synchronous {
    /// When it is on the disk.
    Full,
    /// When the system has it.
    Normal,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            // A component that fills its database must not fill the disk of all.
            max_size: Size(1 << 30),
            // Each is a thread with a cache of 2 MiB while it is needed.
            readers: 4,
            synchronous: Synchronous::Full,
            // While a transaction waits, nobody else writes.
            idle: Period(Duration::from_secs(5)),
            lifetime: Period(Duration::from_secs(60)),
        }
    }
}

fn open(table: toml::Table, embedded: &Embedded) -> Result<Arc<dyn Opened<dyn Database>>, BackendError> {
    let config: Config = settings(table)?;
    if config.readers == 0 {
        return Err(BackendError::Settings("`readers` has to be 1 at least".to_owned()));
    }
    Ok(Arc::new(Sqlite { embedded: embedded.clone(), config }))
}

struct Sqlite {
    embedded: Embedded,
    config: Config,
}

impl Sqlite {
    fn path(&self, namespace: &Namespace) -> PathBuf {
        self.embedded.path(namespace).with_added_extension("sqlite")
    }
}

impl Opened<dyn Database> for Sqlite {
    fn store(&self, namespace: &Namespace) -> Result<Arc<dyn Database>, BackendError> {
        let path = self.path(namespace);
        let setup = Setup { path, config: self.config };
        setup.create()?;
        let lane = |max, role| Lane::new(max, setup.clone(), role);
        let patience = Patience { idle: self.config.idle.0, lifetime: self.config.lifetime.0 };
        Ok(Arc::new(File { readers: lane(self.config.readers, Role::Reads), writer: lane(1, Role::Writes), patience }))
    }

    fn place(&self, namespace: &Namespace) -> String {
        self.path(namespace).display().to_string()
    }
}

/// How long a component is waited for.
#[derive(Clone, Copy, Debug)]
struct Patience {
    idle: Duration,
    lifetime: Duration,
}

/// One database.
struct File {
    readers: Lane,
    writer: Lane,
    patience: Patience,
}

#[async_trait]
impl Database for File {
    async fn query(&self, statement: Statement, call: Call) -> Result<Results, Error> {
        let patience = self.patience;
        let work = move |alone: Alone<'_, OpenedQuery>| session::query(alone, statement, patience);
        match self.readers.alone(call, work).await? {
            OpenedQuery::Results(results) => Ok(results),
            OpenedQuery::Changes(_) if call.read_only => Err(Error::ReadOnly),
            OpenedQuery::Changes(statement) => {
                let work = move |alone: Alone<'_, OpenedQuery>| session::query(alone, statement, patience);
                match self.writer.alone(call, work).await? {
                    OpenedQuery::Results(results) => Ok(results),
                    OpenedQuery::Changes(_) => Err(Error::ReadOnly),
                }
            }
        }
    }

    async fn execute(&self, statement: Statement, call: Call) -> Result<u64, Error> {
        call.check_write()?;
        let changed = self.writer.write(vec![statement], call).await?;
        Ok(changed.iter().sum())
    }

    async fn batch(&self, statements: Vec<Statement>, call: Call) -> Result<Vec<u64>, Error> {
        call.check_write()?;
        self.writer.write(statements, call).await
    }

    async fn begin(&self, options: Options, call: Call) -> Result<Box<dyn Transaction>, Error> {
        if !options.read_only {
            call.check_write()?;
        }
        let lane = if options.read_only { &self.readers } else { &self.writer };
        let patience = self.patience;
        let work = move |alone: Alone<'_, Begun>| session::transaction(alone, options.read_only, patience);
        Ok(Box::new(lane.alone(call, work).await?))
    }
}
