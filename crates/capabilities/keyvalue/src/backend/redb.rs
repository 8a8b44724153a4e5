//! Embedded: one file of redb for each namespace, written by one thread, durable with each acknowledged change.
//!
//! Reads may meet the disk, so they run on threads for blocking work; changes of all callers are gathered by [`writer`] and made durable
//! together.

mod file;
mod writer;

use crate::api::{self, Cursor, Error, Key, Page, Snapshot, Store, Version};
use crate::position::{page, position};
use async_trait::async_trait;
use bytes::Bytes;
use file::{File, Latch, VALUES, split};
use redb::ReadableDatabase;
use serde::Deserialize;
use std::collections::HashMap;
use std::fs;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::{mpsc, oneshot};
use wharf_kit::{Backend, BackendError, Embedded, Namespace, Opened, Size};
use writer::{Answer, Change, Order};

pub(super) const BACKEND: Backend<dyn Store> = Backend {
    name: "redb",
    summary: "A file for each namespace, in the state folder of the node.",
    durability: "A change is on the disk before it is acknowledged, and survives the end of the process and of the machine. It is on this \
                 node only.",
    example: "backend = \"redb\"\ncache = \"64MiB\"\n",
    open,
};

/// Memory that holds what was read of one file: the working set of a small app, and little enough for a node with hundreds of labels.
const CACHE: Size = Size(16 << 20);

/// The settings of redb.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Config {
    /// Memory that holds what was read of each namespace's file.
    cache: Size,
}

impl Default for Config {
    fn default() -> Self {
        Self { cache: CACHE }
    }
}

fn open(settings: toml::Table, embedded: &Embedded) -> Result<Arc<dyn Opened<dyn Store>>, BackendError> {
    let Config { cache } = wharf_kit::settings(settings)?;
    let cache_bytes = usize::try_from(cache.0).unwrap_or(usize::MAX);
    Ok(Arc::new(Files { embedded: embedded.clone(), cache_bytes, open: Mutex::default() }))
}

/// The files of all namespaces that are bound with the same settings.
struct Files {
    embedded: Embedded,
    cache_bytes: usize,
    /// Which files were opened, and whether they are closed again: the thread of a store that is gone may still have something to write.
    open: Mutex<HashMap<PathBuf, Latch>>,
}

impl Files {
    fn path(&self, namespace: &Namespace) -> PathBuf {
        // No name has a dot, so that the ending replaces nothing.
        self.embedded.path(namespace).with_extension("redb")
    }
}

impl Opened<dyn Store> for Files {
    fn store(&self, namespace: &Namespace) -> Result<Arc<dyn Store>, BackendError> {
        let path = self.path(namespace);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)
                .map_err(|error| BackendError::Open { path: folder.to_owned(), source: error.into() })?;
        }
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(former) = open.get(&path) {
            former.wait();
        }
        let latch = Latch::default();
        let file = Arc::new(File::open(path.clone(), self.cache_bytes, latch.clone())?);
        open.insert(path, latch);
        let queue = writer::start(Arc::clone(&file))?;
        Ok(Arc::new(RedbStore { file, queue }))
    }

    fn place(&self, namespace: &Namespace) -> String {
        self.path(namespace).display().to_string()
    }
}

/// The fields are dropped in this order: the writer's thread holds the file last and closes it, which no core may wait for.
struct RedbStore {
    file: Arc<File>,
    queue: mpsc::Sender<Order>,
}

impl RedbStore {
    /// Reads off the core. A read whose caller is gone is finished and forgotten.
    async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Values) -> Result<T, Failed> + Send + 'static,
    ) -> Result<T, Error> {
        let file = Arc::clone(&self.file);
        let read = move || {
            let database = file.database()?;
            let result = Values::open(&database).and_then(|values| read(&values));
            result.map_err(|failed| match failed {
                Failed::Call(error) => error,
                Failed::Storage(error) => file.fail(&database, error),
            })
        };
        tokio::task::spawn_blocking(read).await.unwrap_or_else(|panic| Err(file::broken(panic)))
    }

    async fn change(&self, change: Change) -> Result<Answer, Error> {
        let (reply, answer) = oneshot::channel();
        let gone = || Error::Backend { why: "its writer has ended", source: None };
        self.queue.send(Order { change, reply }).await.map_err(|_| gone())?;
        answer.await.map_err(|_| gone())?
    }
}

/// The table, as of one moment.
struct Values(redb::ReadOnlyTable<(u64, &'static str), &'static [u8]>);

/// Why a read fails.
enum Failed {
    Call(Error),
    Storage(redb::Error),
}

impl From<redb::TransactionError> for Failed {
    fn from(error: redb::TransactionError) -> Self {
        Self::Storage(error.into())
    }
}

impl From<redb::TableError> for Failed {
    fn from(error: redb::TableError) -> Self {
        Self::Storage(error.into())
    }
}

impl From<redb::StorageError> for Failed {
    fn from(error: redb::StorageError) -> Self {
        Self::Storage(error.into())
    }
}

impl Values {
    fn open(database: &redb::Database) -> Result<Self, Failed> {
        Ok(Self(database.begin_read()?.open_table(VALUES)?))
    }

    /// Calls `take` with the revision and the value of a key.
    fn find<T>(&self, key: &Key, take: impl FnOnce(u64, &[u8]) -> Result<T, Error>) -> Result<Option<T>, Failed> {
        let Some(entry) = self.0.get((position(key), key.as_str()))? else { return Ok(None) };
        split(entry.value()).and_then(|(revision, value)| take(revision, value)).map(Some).map_err(Failed::Call)
    }
}

#[async_trait]
impl Store for RedbStore {
    async fn get(&self, key: &Key, limit_bytes: usize) -> Result<Option<Bytes>, Error> {
        let key = key.clone();
        self.read(move |values| {
            values.find(&key, |_, value| {
                api::check_bytes(value.len(), limit_bytes)?;
                Ok(Bytes::copy_from_slice(value))
            })
        })
        .await
    }

    async fn set(&self, key: &Key, value: Bytes) -> Result<(), Error> {
        self.change(Change::Set(vec![(key.clone(), value)])).await.map(drop)
    }

    async fn delete(&self, key: &Key) -> Result<(), Error> {
        self.change(Change::Delete(vec![key.clone()])).await.map(drop)
    }

    async fn exists(&self, key: &Key) -> Result<bool, Error> {
        let key = key.clone();
        self.read(move |values| Ok(values.find(&key, |_, _| Ok(()))?.is_some())).await
    }

    async fn keys(&self, after: Option<Cursor>) -> Result<Page, Error> {
        let from = match after {
            None => 0,
            Some(Cursor(last)) => match last.checked_add(1) {
                Some(from) => from,
                None => return Ok(Page::default()),
            },
        };
        self.read(move |values| {
            page(values.0.range((from, "")..)?.map(|entry| {
                let entry = entry?;
                let (position, key) = entry.0.value();
                Ok((position, Key::new(key).map_err(Failed::Call)?))
            }))
        })
        .await
    }

    async fn get_many(&self, keys: &[Key], limit_bytes: usize) -> Result<Vec<Option<Bytes>>, Error> {
        let keys = keys.to_vec();
        self.read(move |values| {
            let mut sum_bytes = 0;
            let mut get = |key| {
                values.find(key, |_, value| {
                    sum_bytes += value.len();
                    api::check_bytes(sum_bytes, limit_bytes)?;
                    Ok(Bytes::copy_from_slice(value))
                })
            };
            keys.iter().map(&mut get).collect()
        })
        .await
    }

    async fn set_many(&self, pairs: Vec<(Key, Bytes)>) -> Result<(), Error> {
        self.change(Change::Set(pairs)).await.map(drop)
    }

    async fn delete_many(&self, keys: &[Key]) -> Result<(), Error> {
        self.change(Change::Delete(keys.to_vec())).await.map(drop)
    }

    async fn increment(&self, key: &Key, delta: i64) -> Result<i64, Error> {
        self.change(Change::Add(key.clone(), delta)).await.map(|answer| answer.sum)
    }

    async fn snapshot(&self, key: &Key, limit_bytes: usize) -> Result<Snapshot, Error> {
        let key = key.clone();
        let found = self.read(move |values| {
            values.find(&key, |revision, value| {
                api::check_bytes(value.len(), limit_bytes)?;
                Ok((revision, Bytes::copy_from_slice(value)))
            })
        });
        Ok(match found.await? {
            Some((revision, value)) => Snapshot { value: Some(value), version: Version::Revision(revision) },
            None => Snapshot { value: None, version: Version::Absent },
        })
    }

    async fn swap(&self, key: &Key, expected: Version, value: Bytes) -> Result<bool, Error> {
        self.change(Change::Swap(key.clone(), expected, value)).await.map(|answer| answer.is_swapped)
    }
}
