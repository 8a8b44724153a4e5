//! One file: opened, closed, and opened again after the disk refused something.
//!
//! redb answers every call with an error once one has failed, also when the disk has room again; so a file that failed is closed and the
//! next call opens it.

use crate::api::{Cause, Error};
use redb::{Database, DatabaseError, ReadableDatabase, TableDefinition};
use std::io::ErrorKind;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use wharf_kit::BackendError;
use wharf_telemetry::clock;

/// Keys in the order of listings. A value has the number of its last change in front, 8 bytes, little-endian.
pub(super) const VALUES: TableDefinition<(u64, &'static str), &'static [u8]> = TableDefinition::new("values");

/// One entry: the number of the last change.
pub(super) const CHANGES: TableDefinition<(), u64> = TableDefinition::new("changes");

/// Bytes of the number in front of a value.
pub(super) const REVISION_BYTES: usize = 8;

/// The time between two attempts to open a file that failed: what waits for the disk should not keep it busy.
const REOPEN_EVERY: Duration = Duration::from_millis(100);

/// The time that a store waits for its forerunner: one last commit, on a slow disk.
const CLOSE_MAX: Duration = Duration::from_secs(10);

/// Takes the revision off the value.
pub(super) fn split(entry: &[u8]) -> Result<(u64, &[u8]), Error> {
    let (revision, value) = entry.split_first_chunk::<REVISION_BYTES>().ok_or_else(damaged)?;
    Ok((u64::from_le_bytes(*revision), value))
}

pub(super) struct File {
    path: PathBuf,
    cache_bytes: usize,
    state: Mutex<State>,
    /// After the state, so that it tells when that is dropped.
    _closed: Closing,
}

enum State {
    Open(Arc<Database>),
    Failed { tried: Instant },
}

impl File {
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Opens a file, or makes it.
    pub(super) fn open(path: PathBuf, cache_bytes: usize, latch: Latch) -> Result<Self, BackendError> {
        let _closed = latch.close();
        match open(&path, cache_bytes) {
            Ok(database) => {
                let state = Mutex::new(State::Open(Arc::new(database)));
                Ok(Self { path, cache_bytes, state, _closed })
            }
            Err(source) => Err(BackendError::Open { path, source }),
        }
    }

    /// Returns the open file. Blocks on it.
    pub(super) fn database(&self) -> Result<Arc<Database>, Error> {
        let mut state = self.state();
        match &*state {
            State::Open(database) => return Ok(Arc::clone(database)),
            State::Failed { tried } if clock::since(*tried) < REOPEN_EVERY => return Err(closed(None)),
            State::Failed { .. } => {}
        }
        match open(&self.path, self.cache_bytes) {
            Ok(database) => {
                tracing::info!(path = %self.path.display(), "the file of a keyvalue store is open again");
                let database = Arc::new(database);
                *state = State::Open(Arc::clone(&database));
                Ok(database)
            }
            Err(cause) => {
                *state = State::Failed { tried: clock::now() };
                Err(closed(Some(cause)))
            }
        }
    }

    /// Takes note of an error, and returns what the guest is told.
    pub(super) fn fail(&self, database: &Arc<Database>, error: redb::Error) -> Error {
        let mut state = self.state();
        if matches!(&*state, State::Open(open) if Arc::ptr_eq(open, database)) {
            tracing::warn!(path = %self.path.display(), %error, "the file of a keyvalue store failed; the next call opens it again");
            let long_ago = clock::now().checked_sub(REOPEN_EVERY).unwrap_or_else(clock::now);
            *state = State::Failed { tried: long_ago };
        }
        let why = match &error {
            redb::Error::Io(io) if is_full(io.kind()) => "the disk is full",
            redb::Error::Io(_) => "its file cannot be read or written",
            redb::Error::PreviousIo | redb::Error::DatabaseClosed => return closed(Some(error.into())),
            _ => "its file is damaged",
        };
        Error::Backend { why, source: Some(error.into()) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn is_full(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge)
}

fn closed(source: Option<Cause>) -> Error {
    Error::Unavailable { why: "its file failed and is not open again yet", source }
}

fn damaged() -> Error {
    Error::Backend { why: "its file is damaged", source: None }
}

/// Returns the error of a call that panicked: redb does so on what it finds in a damaged file.
pub(super) fn broken(panic: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::Backend { why: "its file is damaged", source: Some(panic.into()) }
}

fn open(path: &Path, cache_bytes: usize) -> Result<Database, Cause> {
    let open = || {
        let database = Database::builder().set_cache_size(cache_bytes).create(path).map_err(explain)?;
        prepare(&database)?;
        Ok(database)
    };
    catch_unwind(AssertUnwindSafe(open)).unwrap_or_else(|_| Err("the file is damaged, or no file of redb".into()))
}

/// Makes the tables of a new file, so that readers find them.
fn prepare(database: &Database) -> Result<(), Cause> {
    let known = database.begin_read()?.list_tables()?.count();
    if known == 2 {
        return Ok(());
    }
    let change = database.begin_write()?;
    change.open_table(VALUES)?;
    change.open_table(CHANGES)?;
    Ok(change.commit()?)
}

fn explain(error: DatabaseError) -> Cause {
    match error {
        DatabaseError::DatabaseAlreadyOpen => {
            "it is open already: by another process, or by another label of the same namespace whose binding has other settings".into()
        }
        DatabaseError::Storage(redb::StorageError::Io(error)) => error.into(),
        other => other.into(),
    }
}

// === Latch ===

/// Tells when a file is closed.
#[derive(Clone, Default)]
pub(super) struct Latch(Arc<(Mutex<bool>, Condvar)>);

/// Tells it.
struct Closing(Latch);

impl Latch {
    fn close(self) -> Closing {
        Closing(self)
    }

    /// Waits until the file is closed, for as long as that may take. Whoever opens it then is told if it is not.
    pub(super) fn wait(&self) {
        let (is_closed, changed) = &*self.0;
        let is_closed = is_closed.lock().unwrap_or_else(PoisonError::into_inner);
        drop(changed.wait_timeout_while(is_closed, CLOSE_MAX, |is_closed| !*is_closed));
    }
}

impl Drop for Closing {
    fn drop(&mut self) {
        let (is_closed, changed) = &*self.0.0;
        *is_closed.lock().unwrap_or_else(PoisonError::into_inner) = true;
        changed.notify_all();
    }
}
