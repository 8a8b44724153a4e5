//! One connection: how a file is opened, what is allowed on it, and what ends a statement that takes too long.

use super::policy::{self, Refusal};
use super::{Config, Synchronous};
use crate::api::{Call, Error};
use rusqlite::config::DbConfig;
use rusqlite::limits::Limit;
use rusqlite::{Connection, OpenFlags};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use wharf_kit::BackendError;
use wharf_telemetry::clock;

/// Bytes of a page, SQLite's own default.
const PAGE_BYTES: u64 = 4096;

/// Steps of the virtual machine between two looks at the clock: some tens of microseconds.
const STEPS: i32 = 2000;

/// The longest wait for another process; SQLite counts milliseconds in 31 bits.
const BUSY_MAX: Duration = Duration::from_secs(3600);

/// What a connection may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// Everything but writing.
    Reads,
    /// Everything; there is one in the process.
    Writes,
}

/// How to open a database.
#[derive(Clone, Debug)]
pub(super) struct Setup {
    pub(super) path: PathBuf,
    pub(super) config: Config,
}

impl Setup {
    /// Makes the file if there is none, and switches on the write-ahead log, so that everybody finds it so.
    pub(super) fn create(&self) -> Result<(), BackendError> {
        let error = |source| BackendError::Open { path: self.path.clone(), source };
        if let Some(folder) = self.path.parent() {
            std::fs::create_dir_all(folder).map_err(|source| error(source.into()))?;
        }
        self.open(Role::Writes).map(drop).map_err(|source| error(source.into()))
    }

    /// Opens a connection.
    pub(super) fn open(&self, role: Role) -> rusqlite::Result<Guarded> {
        let mut flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        if role == Role::Writes {
            flags |= OpenFlags::SQLITE_OPEN_CREATE;
        }
        let mut connection = Connection::open_with_flags(&self.path, flags)?;
        for (config, is_on) in [
            (DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true),
            (DbConfig::SQLITE_DBCONFIG_ENABLE_FKEY, true),
            (DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false),
            (DbConfig::SQLITE_DBCONFIG_DQS_DML, false),
            (DbConfig::SQLITE_DBCONFIG_DQS_DDL, false),
            (DbConfig::SQLITE_DBCONFIG_ENABLE_ATTACH_CREATE, false),
            (DbConfig::SQLITE_DBCONFIG_ENABLE_ATTACH_WRITE, false),
        ] {
            connection.set_db_config(config, is_on)?;
        }
        policy::limit(&connection)?;
        let synchronous = match self.config.synchronous {
            Synchronous::Full => "FULL",
            Synchronous::Normal => "NORMAL",
        };
        let pages = (self.config.max_size.0 / PAGE_BYTES).clamp(1, u64::from(u32::MAX - 2));
        let is_reader = role == Role::Reads;
        // The heap is that of the process: caches give memory back at the first number, statements fail at the second.
        connection.execute_batch(&format!(
            "PRAGMA busy_timeout = 1000; PRAGMA page_size = {PAGE_BYTES}; PRAGMA journal_mode = WAL;
             PRAGMA synchronous = {synchronous}; PRAGMA max_page_count = {pages}; PRAGMA query_only = {is_reader};
             PRAGMA journal_size_limit = 16777216; PRAGMA cell_size_check = ON; PRAGMA cache_size = -2000;
             PRAGMA soft_heap_limit = 268435456; PRAGMA hard_heap_limit = 1073741824;"
        ))?;
        let watch = Arc::new(Watch::default());
        let seen = Arc::clone(&watch);
        connection.authorizer(Some(move |context: rusqlite::hooks::AuthContext<'_>| seen.authorize(&context)))?;
        let seen = Arc::clone(&watch);
        connection.progress_handler(STEPS, Some(move || seen.is_over()))?;
        Ok(Guarded { connection, role, watch })
    }
}

/// A connection that a component's statements may run on.
pub(super) struct Guarded {
    pub(super) connection: Connection,
    role: Role,
    pub(super) watch: Arc<Watch>,
}

impl Guarded {
    /// Tells whether statements may change something.
    pub(super) fn may_write(&self) -> bool {
        self.role == Role::Writes
    }

    /// Runs a statement of our own.
    pub(super) fn own(&self, sql: &str) -> Result<(), Error> {
        self.watch.set(State::Own);
        // Never one that is kept: a component that sent the same text would get it, past all that is refused.
        let result = self.connection.execute_batch(sql);
        self.watch.set(State::Idle);
        result.map_err(|error| super::error::of(error, &self.watch, None))
    }

    /// Lets statements of a component run, for the time of its call.
    pub(super) fn lend(&self, call: Call, ticket: &Arc<Ticket>) -> Result<(), Error> {
        let length = i32::try_from(call.size_bytes).unwrap_or(i32::MAX);
        let limit = self.connection.set_limit(Limit::SQLITE_LIMIT_LENGTH, length);
        // Only another process can hold the file. Its turn is waited for, though not for longer than the call.
        let busy = self.connection.busy_timeout(call.left().min(BUSY_MAX));
        self.watch.set(State::Lent { call, ticket: Arc::clone(ticket) });
        limit.map(drop).and(busy).map_err(|error| super::error::of(error, &self.watch, None))
    }

    /// Takes it back after a component, in the state that the next one expects.
    pub(super) fn reclaim(&self) -> Result<(), Error> {
        self.watch.set(State::Idle);
        if self.connection.is_autocommit() { Ok(()) } else { self.own("ROLLBACK") }
    }
}

/// Who uses a connection, for the callbacks of SQLite.
#[derive(Default)]
pub(super) struct Watch {
    state: Mutex<State>,
    refusal: Mutex<Option<Refusal>>,
}

#[derive(Default)]
enum State {
    /// Nobody.
    #[default]
    Idle,
    /// We do.
    Own,
    /// A component does.
    Lent { call: Call, ticket: Arc<Ticket> },
}

impl Watch {
    fn set(&self, state: State) {
        *self.state.lock().unwrap_or_else(PoisonError::into_inner) = state;
    }

    fn is_over(&self) -> bool {
        match &*self.state.lock().unwrap_or_else(PoisonError::into_inner) {
            State::Idle | State::Own => false,
            State::Lent { call, ticket } => ticket.is_gone() || call.deadline <= clock::now(),
        }
    }

    fn authorize(&self, context: &rusqlite::hooks::AuthContext<'_>) -> rusqlite::hooks::Authorization {
        if matches!(*self.state.lock().unwrap_or_else(PoisonError::into_inner), State::Own) {
            return rusqlite::hooks::Authorization::Allow;
        }
        match policy::refusal(&context.action, context.database_name) {
            None => rusqlite::hooks::Authorization::Allow,
            Some(refusal) => {
                *self.refusal.lock().unwrap_or_else(PoisonError::into_inner) = Some(refusal);
                rusqlite::hooks::Authorization::Deny
            }
        }
    }

    /// Returns why the last statement was refused.
    pub(super) fn take_refusal(&self) -> Option<Refusal> {
        self.refusal.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Returns the call of the component that uses it.
    pub(super) fn call(&self) -> Option<Call> {
        match &*self.state.lock().unwrap_or_else(PoisonError::into_inner) {
            State::Lent { call, .. } => Some(*call),
            State::Idle | State::Own => None,
        }
    }
}

/// Where a call is: in the queue, running, or given up by its component.
#[derive(Debug, Default)]
pub(super) struct Ticket(AtomicU8);

const QUEUED: u8 = 0;
const RUNNING: u8 = 1;
const GONE: u8 = 2;

impl Ticket {
    /// Takes it out of the queue. False if its component gave up.
    pub(super) fn start(&self) -> bool {
        self.0.compare_exchange(QUEUED, RUNNING, Ordering::AcqRel, Ordering::Acquire).is_ok()
    }

    /// Gives it up if it is still in the queue.
    pub(super) fn withdraw(&self) -> bool {
        self.0.compare_exchange(QUEUED, GONE, Ordering::AcqRel, Ordering::Acquire).is_ok()
    }

    /// Gives it up wherever it is.
    pub(super) fn leave(&self) {
        self.0.store(GONE, Ordering::Release);
    }

    fn is_gone(&self) -> bool {
        self.0.load(Ordering::Acquire) == GONE
    }
}
