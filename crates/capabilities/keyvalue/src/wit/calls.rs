//! What the calls do, in every version: grant, access, sizes, gate, store.

use super::{Bucket, Cas, Failure, View};
use crate::api::{BATCH_KEYS_MAX, BATCH_VALUES_MAX, Cursor, Error, Key, Page, Snapshot, Store};
use bytes::Bytes;
use std::sync::Arc;
use wasmtime::component::{Resource, ResourceTable, ResourceTableError};
use wharf_kit::{Access, Gate, Label, Payload};

/// What a guest means that names no label: `""` is what `wasmtime serve` calls its one store.
const UNNAMED: &str = "default";

/// Bytes of the largest value that a compare-and-swap handle keeps: enough for counters and records, so that reading them again costs
/// no call, and little enough for as many handles as a guest may have.
const KEPT_BYTES_MAX: usize = 4096;

type SharedLabel = Arc<Label<dyn Store>>;

// === Buckets ===

impl View<'_> {
    pub(super) fn open(&mut self, identifier: &str) -> Result<Resource<Bucket>, Failure> {
        let name = if identifier.is_empty() { UNNAMED } else { identifier };
        let label = Arc::clone(self.granted.label(name, self.tally).ok_or(Failure::Denied)?);
        push(self.table, Bucket { label })
    }

    pub(super) fn close(&mut self, bucket: Resource<Bucket>) -> wasmtime::Result<()> {
        self.table.delete(bucket)?;
        Ok(())
    }

    pub(super) async fn get(&mut self, bucket: &Resource<Bucket>, key: String) -> Result<Option<Bytes>, Failure> {
        let label = self.reading(bucket)?;
        let limit_bytes = label.gate.bounds().size_bytes;
        self.call(&label, "get", key.len(), async { label.store.get(&Key::new(key)?, limit_bytes).await }).await
    }

    pub(super) async fn set(&mut self, bucket: &Resource<Bucket>, key: String, value: Vec<u8>) -> Result<(), Failure> {
        let label = self.changing(bucket)?;
        let sent_bytes = key.len() + value.len();
        let call = async {
            label.gate.check_size(value.len())?;
            label.store.set(&Key::new(key)?, value.into()).await
        };
        self.call(&label, "set", sent_bytes, call).await
    }

    pub(super) async fn delete(&mut self, bucket: &Resource<Bucket>, key: String) -> Result<(), Failure> {
        let label = self.changing(bucket)?;
        self.call(&label, "delete", key.len(), async { label.store.delete(&Key::new(key)?).await }).await
    }

    pub(super) async fn exists(&mut self, bucket: &Resource<Bucket>, key: String) -> Result<bool, Failure> {
        let label = self.reading(bucket)?;
        self.call(&label, "exists", key.len(), async { label.store.exists(&Key::new(key)?).await }).await
    }

    pub(super) async fn keys(&mut self, bucket: &Resource<Bucket>, after: Option<Cursor>) -> Result<Page, Failure> {
        let label = self.reading(bucket)?;
        self.call(&label, "list-keys", 0, label.store.keys(after)).await
    }
}

// === Batches ===

impl View<'_> {
    pub(super) async fn get_many(
        &mut self,
        bucket: &Resource<Bucket>,
        keys: &[String],
    ) -> Result<Vec<Option<Bytes>>, Failure> {
        let label = self.reading(bucket)?;
        let call = async { label.store.get_many(&batch(keys)?, batch_bytes(&label.gate)).await };
        self.call(&label, "get-many", keys.iter().map(String::len).sum(), call).await
    }

    pub(super) async fn set_many(
        &mut self,
        bucket: &Resource<Bucket>,
        pairs: Vec<(String, Vec<u8>)>,
    ) -> Result<(), Failure> {
        let label = self.changing(bucket)?;
        let sent_bytes = pairs.iter().map(|(key, value)| key.len() + value.len()).sum();
        let call = async {
            check_batch(pairs.len())?;
            pairs.iter().try_for_each(|(_, value)| label.gate.check_size(value.len()))?;
            let limit_bytes = batch_bytes(&label.gate);
            let bytes = pairs.iter().map(|(_, value)| value.len()).sum();
            crate::api::check_bytes(bytes, limit_bytes)?;
            let pairs = pairs.into_iter().map(|(key, value)| Ok((Key::new(key)?, value.into())));
            let pairs = pairs.collect::<Result<Vec<_>, Error>>()?;
            if pairs.is_empty() { Ok(()) } else { label.store.set_many(pairs).await }
        };
        self.call(&label, "set-many", sent_bytes, call).await
    }

    pub(super) async fn delete_many(&mut self, bucket: &Resource<Bucket>, keys: &[String]) -> Result<(), Failure> {
        let label = self.changing(bucket)?;
        let call = async {
            let keys = batch(keys)?;
            if keys.is_empty() { Ok(()) } else { label.store.delete_many(&keys).await }
        };
        self.call(&label, "delete-many", keys.iter().map(String::len).sum(), call).await
    }
}

fn batch(keys: &[String]) -> Result<Vec<Key>, Error> {
    check_batch(keys.len())?;
    keys.iter().map(Key::new).collect()
}

fn check_batch(keys: usize) -> Result<(), Error> {
    if keys > BATCH_KEYS_MAX { Err(Error::BatchKeys(keys)) } else { Ok(()) }
}

fn batch_bytes(gate: &Gate) -> usize {
    gate.bounds().size_bytes.saturating_mul(BATCH_VALUES_MAX)
}

// === Atomics ===

impl View<'_> {
    pub(super) async fn increment(
        &mut self,
        bucket: &Resource<Bucket>,
        key: String,
        delta: i64,
    ) -> Result<i64, Failure> {
        let label = self.changing(bucket)?;
        self.call(&label, "increment", key.len(), async { label.store.increment(&Key::new(key)?, delta).await }).await
    }

    /// Reads what a later [`swap`](Self::swap) compares with.
    pub(super) async fn compare(&mut self, bucket: &Resource<Bucket>, key: String) -> Result<Resource<Cas>, Failure> {
        let label = self.reading(bucket)?;
        let limit_bytes = label.gate.bounds().size_bytes;
        let sent_bytes = key.len();
        let call = async {
            let key = Key::new(key)?;
            let snapshot = label.store.snapshot(&key, limit_bytes).await?;
            Ok(Found { key, snapshot })
        };
        let Found { key, snapshot } = self.call(&label, "compare", sent_bytes, call).await?;
        push(self.table, Cas::new(Arc::clone(&label), key, snapshot))
    }

    /// Returns the value that the handle stands for. One that is too large to be kept is read again, and the handle then stands for what
    /// was read.
    pub(super) async fn current(&mut self, cas: &Resource<Cas>) -> Result<Option<Bytes>, Failure> {
        let Cas { label, key, value, .. } = get(self.table, cas)?;
        if let Some(value) = value {
            return Ok(value.clone());
        }
        let (label, key) = (Arc::clone(label), key.clone());
        let limit_bytes = label.gate.bounds().size_bytes;
        let snapshot =
            self.call(&label, "current", key.as_str().len(), label.store.snapshot(&key, limit_bytes)).await?;
        let value = snapshot.value.clone();
        *self.table.get_mut(cas).map_err(trap)? = Cas::new(label, key, snapshot);
        Ok(value)
    }

    pub(super) fn forget(&mut self, cas: Resource<Cas>) -> wasmtime::Result<()> {
        self.table.delete(cas)?;
        Ok(())
    }

    /// Sets the value, or returns a handle that stands for what somebody else has set.
    pub(super) async fn swap(&mut self, cas: Resource<Cas>, value: Vec<u8>) -> Result<Option<Resource<Cas>>, Failure> {
        let Cas { label, key, version, .. } = self.table.delete(cas).map_err(trap)?;
        self.check_change(&label)?;
        let limit_bytes = label.gate.bounds().size_bytes;
        let sent_bytes = key.as_str().len() + value.len();
        let call = async {
            label.gate.check_size(value.len())?;
            if label.store.swap(&key, version, value.into()).await? {
                return Ok(None);
            }
            label.store.snapshot(&key, limit_bytes).await.map(Some)
        };
        match self.call(&label, "swap", sent_bytes, call).await? {
            Some(snapshot) => push(self.table, Cas::new(Arc::clone(&label), key, snapshot)).map(Some),
            None => Ok(None),
        }
    }
}

impl Cas {
    fn new(label: SharedLabel, key: Key, snapshot: Snapshot) -> Self {
        let Snapshot { value, version } = snapshot;
        let is_small = value.as_ref().is_none_or(|value| value.len() <= KEPT_BYTES_MAX);
        Self { label, key, version, value: is_small.then_some(value) }
    }
}

struct Found {
    key: Key,
    snapshot: Snapshot,
}

impl Payload for Found {
    fn size_bytes(&self) -> usize {
        self.snapshot.size_bytes()
    }
}

// === What all calls pass ===

impl View<'_> {
    fn reading(&self, bucket: &Resource<Bucket>) -> Result<SharedLabel, Failure> {
        Ok(Arc::clone(&get(self.table, bucket)?.label))
    }

    fn changing(&mut self, bucket: &Resource<Bucket>) -> Result<SharedLabel, Failure> {
        let label = self.reading(bucket)?;
        self.check_change(&label)?;
        Ok(label)
    }

    fn check_change(&mut self, label: &Label<dyn Store>) -> Result<(), Failure> {
        match label.access {
            Access::ReadWrite => Ok(()),
            Access::Read => {
                self.granted.refuse_write(label, self.tally);
                Err(Failure::Denied)
            }
        }
    }

    async fn call<T: Payload>(
        &mut self,
        label: &Label<dyn Store>,
        operation: &'static str,
        sent_bytes: usize,
        call: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Failure> {
        Ok(label.gate.call(self.tally, operation, sent_bytes, Error::kind, call).await?)
    }
}

fn get<'a, T: 'static>(table: &'a ResourceTable, handle: &Resource<T>) -> Result<&'a T, Failure> {
    table.get(handle).map_err(trap)
}

fn push<T: Send + 'static>(table: &mut ResourceTable, entry: T) -> Result<Resource<T>, Failure> {
    table.push(entry).map_err(|error| match error {
        ResourceTableError::Full => Failure::Handles,
        other => trap(other),
    })
}

fn trap(error: ResourceTableError) -> Failure {
    Failure::Trap(error.into())
}
