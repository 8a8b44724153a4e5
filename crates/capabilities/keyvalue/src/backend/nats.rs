//! NATS: a bucket of JetStream's key-value store for each namespace.
//!
//! A change is compared with the number that the server gave the last one, so that compare-and-swap is exact. A number is incremented by
//! reading it and swapping it, again if somebody was faster.

mod bucket;
mod many;

use super::names::nats_bucket;
use crate::api::{self, Cursor, Error, Key, Page, Snapshot, Store, Version};
use crate::position::position;
use async_nats::ConnectOptions;
use async_trait::async_trait;
use bucket::{Bucket, Connection};
use bytes::Bytes;
use futures_util::future::try_join_all;
use futures_util::stream::{self, StreamExt, TryStreamExt};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::hash::{BuildHasher, RandomState};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;
use wharf_kit::{Backend, BackendError, Dial, Embedded, Links, Lost, Namespace, NoConnection, Opened, Period, Trouble};
use wharf_servers::nats::{Connected, Dialer, Settings};
use wharf_servers::tls::{Pem, Tls};

pub(super) const BACKEND: Backend<dyn Store> = Backend {
    name: "nats",
    summary: "JetStream of a NATS server or cluster.",
    durability: "An acknowledged change is with a majority of the bucket's replicas, in their files: it survives the end of a server. \
                 What a machine loses when it fails itself is a matter of the server's `sync_interval`.",
    example: "backend = \"nats\"\nurl = \"nats://127.0.0.1:4222\"\nreplicas = 1\nconnect_timeout = \"1s\"\nresponse_timeout = \"2s\"\n",
    open,
};

/// Requests of one batch that are under way at a time, where the server has to be asked for each key: their answers are held in memory, and
/// nobody knows how large they are.
const BATCH_AT_ONCE: usize = 32;

/// Attempts to change a number before others are told to be in the way. Callers of one node wait for each other, so that it is nodes who
/// compete.
const ADD_ATTEMPTS: usize = 50;

/// Queues of callers who change numbers: a number has one of them.
const ADD_QUEUES: usize = 64;

/// The settings of NATS.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    /// `nats://HOST:PORT`, or `tls://` with TLS; several are separated by commas.
    url: String,
    /// The user.
    username: Option<String>,
    /// The user's password.
    password: Option<String>,
    /// A token, instead of a user and a password.
    token: Option<String>,
    /// A file with credentials, as `nsc` makes them.
    credentials: Option<PathBuf>,
    /// Who has to have signed the server's certificate, in place of those whom the platform trusts: a PEM file, or its text.
    authorities: Option<Pem>,
    /// The certificate that is shown to the server, with its chain: a PEM file, or its text.
    certificate: Option<Pem>,
    /// Its key: a PEM file, or its text.
    key: Option<Pem>,
    /// Replicas of a bucket that is made; one that is there stays as it is.
    #[serde(default = "replicas")]
    replicas: usize,
    /// How long a new connection may take.
    #[serde(default = "wharf_servers::connect_timeout")]
    connect_timeout: Period,
    /// How long the server may take to answer.
    #[serde(default = "wharf_servers::response_timeout")]
    response_timeout: Period,
}

/// What a single server can do.
fn replicas() -> usize {
    1
}

fn open(settings: toml::Table, _: &Embedded) -> Result<Arc<dyn Opened<dyn Store>>, BackendError> {
    let config: Config = wharf_kit::settings(settings)?;
    let dialer = Dialer::new(Settings {
        url: config.url,
        username: config.username,
        password: config.password,
        token: config.token,
        credentials: config.credentials,
        tls: Tls { authorities: config.authorities, certificate: config.certificate, key: config.key },
        connect_timeout: config.connect_timeout.0,
    })?;
    let dial = NatsDial { dialer, replicas: config.replicas, response_timeout: config.response_timeout.0 };
    Ok(Arc::new(Server { links: Arc::new(Links::new(dial)) }))
}

/// What connections are made with.
struct NatsDial {
    dialer: Dialer,
    replicas: usize,
    response_timeout: Duration,
}

impl Dial for NatsDial {
    type Connection = Connection;

    fn capability(&self) -> &'static str {
        crate::CAPABILITY
    }

    fn place(&self) -> &str {
        self.dialer.place()
    }

    async fn connect(&self, lost: Lost<Self>) -> Result<Connection, NoConnection> {
        let timeout = self.response_timeout;
        let set = |options: ConnectOptions| options.request_timeout(Some(timeout));
        let Connected { client, end } = self.dialer.connect(set, move || lost.tell(), |_| {}).await?;
        Ok(Connection::new(client, end, self.replicas, timeout))
    }
}

/// One server or cluster, with a connection for each core.
struct Server {
    links: Arc<Links<NatsDial>>,
}

impl Opened<dyn Store> for Server {
    fn store(&self, namespace: &Namespace) -> Result<Arc<dyn Store>, BackendError> {
        Ok(Arc::new(NatsStore {
            links: Arc::clone(&self.links),
            bucket: nats_bucket(namespace),
            adding: (0..ADD_QUEUES).map(|_| Semaphore::new(1)).collect(),
        }))
    }

    fn place(&self, namespace: &Namespace) -> String {
        format!("{} {}", self.links.dial().place(), nats_bucket(namespace))
    }
}

struct NatsStore {
    links: Arc<Links<NatsDial>>,
    bucket: String,
    /// Callers of this node who change numbers wait here for each other, so that they need not try twice.
    adding: Vec<Semaphore>,
}

impl NatsStore {
    /// Makes a change, once: nobody knows whether one that got no answer has happened.
    async fn change<T, F>(&self, call: impl FnOnce(Bucket) -> F) -> Result<T, Error>
    where
        F: Future<Output = Result<T, Trouble<Error>>>,
    {
        self.links.here().call(|connection| connection.with(&self.bucket, call)).await
    }

    /// Asks, a second time if the connection is lost meanwhile.
    async fn read<T, F>(&self, call: impl Fn(Bucket) -> F) -> Result<T, Error>
    where
        F: Future<Output = Result<T, Trouble<Error>>>,
    {
        self.links.here().call_again(|connection| connection.with(&self.bucket, &call)).await
    }
}

#[async_trait]
impl Store for NatsStore {
    async fn get(&self, key: &Key, limit_bytes: usize) -> Result<Option<Bytes>, Error> {
        Ok(self.snapshot(key, limit_bytes).await?.value)
    }

    async fn set(&self, key: &Key, value: Bytes) -> Result<(), Error> {
        self.change(|bucket| async move { bucket.put(key, value).await }).await
    }

    async fn delete(&self, key: &Key) -> Result<(), Error> {
        self.change(|bucket| async move { bucket.remove(key).await }).await
    }

    async fn exists(&self, key: &Key) -> Result<bool, Error> {
        Ok(self.snapshot(key, usize::MAX).await?.value.is_some())
    }

    async fn keys(&self, after: Option<Cursor>) -> Result<Page, Error> {
        self.read(|bucket| async move { bucket.keys(after).await }).await
    }

    async fn get_many(&self, keys: &[Key], limit_bytes: usize) -> Result<Vec<Option<Bytes>>, Error> {
        self.read(|bucket| async move {
            if bucket.has_find_many() {
                return bucket.find_many(keys, limit_bytes).await;
            }
            // Made before they are sent, as the compiler cannot tell that a stream which makes them may move to another thread.
            let calls: Vec<_> = keys.iter().map(|key| bucket.find(key)).collect();
            let mut found = stream::iter(calls).buffered(BATCH_AT_ONCE);
            let mut values = Vec::with_capacity(keys.len());
            let mut sum_bytes = 0;
            while let Some(Snapshot { value, .. }) = found.try_next().await? {
                sum_bytes += value.as_ref().map_or(0, Bytes::len);
                api::check_bytes(sum_bytes, limit_bytes)?;
                values.push(value);
            }
            Ok(values)
        })
        .await
    }

    async fn set_many(&self, pairs: Vec<(Key, Bytes)>) -> Result<(), Error> {
        // Sent at the same time, two values of one key would come in any order.
        let pairs = &pairs.into_iter().collect::<BTreeMap<Key, Bytes>>();
        self.change(|bucket| async move {
            // The server is told all of them before its answers are waited for.
            try_join_all(pairs.iter().map(|(key, value)| bucket.put(key, value.clone()))).await.map(drop)
        })
        .await
    }

    async fn delete_many(&self, keys: &[Key]) -> Result<(), Error> {
        self.change(|bucket| async move {
            let calls: Vec<_> = keys.iter().map(|key| bucket.remove(key)).collect();
            stream::iter(calls).buffer_unordered(BATCH_AT_ONCE).try_collect().await
        })
        .await
    }

    async fn increment(&self, key: &Key, delta: i64) -> Result<i64, Error> {
        let queue = usize::try_from(position(key) % ADD_QUEUES as u64).unwrap_or(0);
        // Nobody closes it.
        let _turn = self.adding[queue].acquire().await;
        self.change(|bucket| async move {
            for attempt in 0..ADD_ATTEMPTS {
                let Snapshot { value, version } = bucket.find(key).await?;
                let sum = api::add(value.as_deref(), delta)?;
                if bucket.swap(key, version, sum.to_string().into()).await? {
                    return Ok(sum);
                }
                // Others are in the way, each on a node of its own: whoever comes first next time is left to chance.
                let pause = RandomState::new().hash_one(attempt) % (attempt as u64 + 1).min(20);
                tokio::time::sleep(Duration::from_millis(pause)).await;
            }
            Err(Error::Contended(ADD_ATTEMPTS).into())
        })
        .await
    }

    async fn snapshot(&self, key: &Key, limit_bytes: usize) -> Result<Snapshot, Error> {
        let snapshot = self.read(|bucket| async move { bucket.find(key).await }).await?;
        api::check_bytes(snapshot.value.as_ref().map_or(0, Bytes::len), limit_bytes)?;
        Ok(snapshot)
    }

    async fn swap(&self, key: &Key, expected: Version, value: Bytes) -> Result<bool, Error> {
        self.change(|bucket| async move { bucket.swap(key, expected, value).await }).await
    }
}
