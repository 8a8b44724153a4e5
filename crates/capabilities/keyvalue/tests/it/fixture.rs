//! Stores of every backend, and the words that tests share.

use std::any::Any;
use std::error::Error;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tempfile::TempDir;
use wharf_keyvalue::backend::BACKENDS;
use wharf_keyvalue::{Key, Store};
use wharf_kit::{BackendError, Embedded, Namespace, Opened};
use wharf_testkit::BOUND;
use wharf_testkit::services::{Nats, Redis};

pub(crate) const LIMIT: usize = 1 << 20;

/// An open backend, and the server behind it.
pub(crate) struct Fixture {
    pub(crate) opened: Arc<dyn Opened<dyn Store>>,
    _folder: TempDir,
    _server: Option<Box<dyn Any>>,
}

impl Fixture {
    pub(crate) fn store(&self) -> Arc<dyn Store> {
        self.of(&Namespace::own("shop", "default"))
    }

    pub(crate) fn of(&self, namespace: &Namespace) -> Arc<dyn Store> {
        self.opened.store(namespace).unwrap()
    }

    fn embedded(backend: &str) -> Option<Self> {
        let folder = TempDir::new().unwrap();
        let opened = open(backend, "", &folder).unwrap();
        Some(Self { opened, _folder: folder, _server: None })
    }

    fn served(backend: &str, url: &str, server: impl Any) -> Self {
        let folder = TempDir::new().unwrap();
        let opened = open(backend, &format!("url = \"{url}\""), &folder).unwrap();
        Self { opened, _folder: folder, _server: Some(Box::new(server)) }
    }

    pub(crate) fn memory() -> Option<Self> {
        Self::embedded("memory")
    }

    pub(crate) fn redb() -> Option<Self> {
        Self::embedded("redb")
    }

    pub(crate) fn redis() -> Option<Self> {
        let server = Redis::options().in_memory().start()?;
        Some(Self::served("redis", &server.url(), server))
    }

    pub(crate) fn nats() -> Option<Self> {
        let server = Nats::start()?;
        Some(Self::served("nats", &server.url(), server))
    }
}

pub(crate) fn open(
    backend: &str,
    settings: &str,
    folder: impl AsRef<Path>,
) -> Result<Arc<dyn Opened<dyn Store>>, BackendError> {
    let backend = BACKENDS.iter().find(|known| known.name == backend).unwrap();
    (backend.open)(settings.parse().unwrap(), &Embedded::new(folder.as_ref(), "keyvalue"))
}

/// Makes a module of tests for each backend, one test for each function.
macro_rules! for_every_backend {
    ($($case:ident),+ $(,)?) => {
        for_every_backend!(@ memory $($case),+);
        for_every_backend!(@ redb $($case),+);
        for_every_backend!(@ redis $($case),+);
        for_every_backend!(@ nats $($case),+);
    };
    (@ $backend:ident $($case:ident),+) => {
        mod $backend {
            $(
                #[tokio::test]
                async fn $case() {
                    if let Some(fixture) = crate::fixture::Fixture::$backend() {
                        super::$case(fixture).await;
                    }
                }
            )+
        }
    };
}
pub(crate) use for_every_backend;

pub(crate) fn key(text: impl Into<String>) -> Key {
    Key::new(text).unwrap()
}

pub(crate) async fn get(store: &dyn Store, name: &str) -> Option<Bytes> {
    store.get(&key(name), LIMIT).await.unwrap()
}

pub(crate) async fn set(store: &dyn Store, name: &str, value: &'static str) {
    store.set(&key(name), Bytes::from_static(value.as_bytes())).await.unwrap();
}

/// Returns what an error and its causes say.
pub(crate) fn words(error: &dyn Error) -> String {
    let mut words = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        words = format!("{words}: {error}");
        cause = error.source();
    }
    words
}

/// Waits until `call` succeeds.
pub(crate) async fn recovers<T, E: std::fmt::Display>(mut call: impl AsyncFnMut() -> Result<T, E>) -> T {
    let attempts = async {
        loop {
            match call().await {
                Ok(value) => return value,
                Err(_) => tokio::time::sleep(Duration::from_millis(5)).await,
            }
        }
    };
    tokio::time::timeout(BOUND, attempts).await.expect("it recovers in time")
}
