//! In memory: for tests and for what may be lost.

use crate::api::{self, Cursor, Error, Key, Page, Snapshot, Store, Version};
use crate::position::{page, position};
use async_trait::async_trait;
use bytes::Bytes;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use wharf_kit::{Backend, BackendError, Embedded, Namespace, Opened};

pub(super) const BACKEND: Backend<dyn Store> = Backend {
    name: "memory",
    summary: "Keys and values in the memory of the process.",
    durability: "None: everything is lost when the process ends, and when the last app that uses the namespace is removed.",
    example: "backend = \"memory\"\n",
    open,
};

/// It has no settings.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {}

fn open(settings: toml::Table, _: &Embedded) -> Result<Arc<dyn Opened<dyn Store>>, BackendError> {
    let Config {} = wharf_kit::settings(settings)?;
    Ok(Arc::new(Memory))
}

struct Memory;

impl Opened<dyn Store> for Memory {
    fn store(&self, _: &Namespace) -> Result<Arc<dyn Store>, BackendError> {
        Ok(Arc::new(MemoryStore::default()))
    }

    fn place(&self, _: &Namespace) -> String {
        "until the process ends".to_owned()
    }
}

#[derive(Default)]
struct MemoryStore(Mutex<Content>);

/// What is there, in the order of listings, and the number of the last change.
#[derive(Default)]
struct Content {
    entries: BTreeMap<(u64, String), (u64, Bytes)>,
    revision: u64,
}

impl MemoryStore {
    /// Nothing that holds the lock waits for anything.
    fn content(&self) -> MutexGuard<'_, Content> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Content {
    fn find(&self, key: &Key) -> Option<&(u64, Bytes)> {
        self.entries.get(&place(key))
    }

    fn value(&self, key: &Key) -> Option<&Bytes> {
        self.find(key).map(|(_, value)| value)
    }

    fn set(&mut self, key: &Key, value: Bytes) {
        self.revision += 1;
        self.entries.insert(place(key), (self.revision, value));
    }

    fn remove(&mut self, key: &Key) {
        self.entries.remove(&place(key));
    }
}

fn place(key: &Key) -> (u64, String) {
    (position(key), key.as_str().to_owned())
}

#[async_trait]
impl Store for MemoryStore {
    async fn get(&self, key: &Key, limit_bytes: usize) -> Result<Option<Bytes>, Error> {
        let value = self.content().value(key).cloned();
        api::check_bytes(value.as_ref().map_or(0, Bytes::len), limit_bytes)?;
        Ok(value)
    }

    async fn set(&self, key: &Key, value: Bytes) -> Result<(), Error> {
        self.content().set(key, value);
        Ok(())
    }

    async fn delete(&self, key: &Key) -> Result<(), Error> {
        self.content().remove(key);
        Ok(())
    }

    async fn exists(&self, key: &Key) -> Result<bool, Error> {
        Ok(self.content().find(key).is_some())
    }

    async fn keys(&self, after: Option<Cursor>) -> Result<Page, Error> {
        let from = match after {
            None => 0,
            Some(Cursor(last)) => match last.checked_add(1) {
                Some(from) => from,
                None => return Ok(Page::default()),
            },
        };
        let content = self.content();
        let keys =
            content.entries.range((from, String::new())..).map(|((position, key), _)| Ok((*position, Key::new(key)?)));
        page(keys)
    }

    async fn get_many(&self, keys: &[Key], limit_bytes: usize) -> Result<Vec<Option<Bytes>>, Error> {
        let content = self.content();
        let values: Vec<Option<Bytes>> = keys.iter().map(|key| content.value(key).cloned()).collect();
        api::check_bytes(values.iter().flatten().map(Bytes::len).sum(), limit_bytes)?;
        Ok(values)
    }

    async fn set_many(&self, pairs: Vec<(Key, Bytes)>) -> Result<(), Error> {
        let mut content = self.content();
        pairs.into_iter().for_each(|(key, value)| content.set(&key, value));
        Ok(())
    }

    async fn delete_many(&self, keys: &[Key]) -> Result<(), Error> {
        let mut content = self.content();
        keys.iter().for_each(|key| content.remove(key));
        Ok(())
    }

    async fn increment(&self, key: &Key, delta: i64) -> Result<i64, Error> {
        let mut content = self.content();
        let sum = api::add(content.value(key).map(|value| &**value), delta)?;
        content.set(key, sum.to_string().into());
        Ok(sum)
    }

    async fn snapshot(&self, key: &Key, limit_bytes: usize) -> Result<Snapshot, Error> {
        let found = self.content().find(key).cloned();
        let Some((revision, value)) = found else { return Ok(Snapshot { value: None, version: Version::Absent }) };
        api::check_bytes(value.len(), limit_bytes)?;
        Ok(Snapshot { value: Some(value), version: Version::Revision(revision) })
    }

    async fn swap(&self, key: &Key, expected: Version, value: Bytes) -> Result<bool, Error> {
        let mut content = self.content();
        let version = content.find(key).map_or(Version::Absent, |(revision, _)| Version::Revision(*revision));
        if version == expected {
            content.set(key, value);
        }
        Ok(version == expected)
    }
}
