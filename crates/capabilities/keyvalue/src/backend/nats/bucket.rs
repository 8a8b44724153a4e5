//! One connection, and what is asked and told over it.

use super::super::names::{nats_key, nats_name};
use crate::api::{Cause, Cursor, Error, Key, PAGE_KEYS, Page, Snapshot, Version};
use crate::position::{page, position};
use async_nats::Client;
use async_nats::jetstream::context::{ContextBuilder, PublishError, PublishErrorKind};
use async_nats::jetstream::kv::{self, EntryErrorKind, Operation};
use async_nats::jetstream::stream::PurgeErrorKind;
use async_nats::jetstream::{self, message::PublishMessage};
use bytes::Bytes;
use futures_util::TryStreamExt;
use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::watch;
use wharf_kit::{Refused, Trouble};

/// Keys that a listing keeps of all that the server names: a page, and some that stand where it ends.
const KEPT_KEYS: usize = PAGE_KEYS + 16;

/// A connection; a clone is for one call.
#[derive(Clone)]
pub(super) struct Connection {
    pub(super) client: Client,
    jetstream: jetstream::Context,
    replicas: usize,
    pub(super) response_timeout: Duration,
    /// What is known of buckets, over this connection: another server may have others.
    buckets: Arc<Mutex<HashMap<String, kv::Store>>>,
    /// Closed when the connection is lost: the client would let calls wait for their answers until the end of their time.
    end: watch::Receiver<()>,
}

impl Connection {
    /// Returns a connection, over which buckets are made with so many replicas.
    pub(super) fn new(client: Client, end: watch::Receiver<()>, replicas: usize, response_timeout: Duration) -> Self {
        let jetstream = ContextBuilder::new().timeout(response_timeout).build(client.clone());
        Self { client, jetstream, replicas, response_timeout, buckets: Arc::default(), end }
    }

    /// Makes a call with a bucket, for as long as the connection is there.
    pub(super) async fn with<T, F>(self, name: &str, call: impl FnOnce(Bucket) -> F) -> Result<T, Trouble<Error>>
    where
        F: Future<Output = Result<T, Trouble<Error>>>,
    {
        let mut end = self.end.clone();
        let call = async {
            let store = self.bucket(name).await?;
            let result = call(Bucket { connection: self.clone(), store }).await;
            if matches!(&result, Err(Trouble { error: Error::Unavailable { why, .. }, .. }) if *why == GONE) {
                self.buckets().remove(name);
            }
            result
        };
        tokio::select! {
            biased;
            result = call => result,
            _ = end.changed() => Err(Trouble { is_lost: true, ..away("the connection to the server is lost", None) }),
        }
    }

    /// Returns a bucket, and makes it where there is none.
    async fn bucket(&self, name: &str) -> Result<kv::Store, Trouble<Error>> {
        if let Some(store) = self.buckets().get(name) {
            return Ok(store.clone());
        }
        let store = match self.jetstream.get_key_value(name).await {
            Ok(store) => store,
            Err(_) => {
                let config =
                    kv::Config { bucket: name.to_owned(), num_replicas: self.replicas, ..kv::Config::default() };
                self.jetstream
                    .create_key_value(config)
                    .await
                    .map_err(|error| away("there is no bucket", Some(error.into())))?
            }
        };
        self.buckets().insert(name.to_owned(), store.clone());
        Ok(store)
    }

    fn buckets(&self) -> MutexGuard<'_, HashMap<String, kv::Store>> {
        self.buckets.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A bucket, over one connection.
pub(super) struct Bucket {
    pub(super) connection: Connection,
    pub(super) store: kv::Store,
}

impl Bucket {
    /// Returns what a key has. What another program deleted is there and has no value.
    pub(super) async fn find(&self, key: &Key) -> Result<Snapshot, Trouble<Error>> {
        let entry = self.store.entry(nats_name(key)).await.map_err(|error| match error.kind() {
            EntryErrorKind::TimedOut => late(error.into()),
            _ => failed(error.into()),
        })?;
        let Some(entry) = entry else { return Ok(Snapshot { value: None, version: Version::Absent }) };
        let value = (entry.operation == Operation::Put).then_some(entry.value);
        Ok(Snapshot { value, version: Version::Revision(entry.revision) })
    }

    pub(super) async fn put(&self, key: &Key, value: Bytes) -> Result<(), Trouble<Error>> {
        let bytes = value.len();
        self.publish(key, PublishMessage::build().payload(value)).await.map_err(|error| self.unwritten(error, bytes))
    }

    pub(super) async fn swap(&self, key: &Key, expected: Version, value: Bytes) -> Result<bool, Trouble<Error>> {
        let last = match expected {
            Version::Absent => 0,
            Version::Revision(revision) => revision,
            // Not one of this backend, so that nothing has it.
            Version::Digest(_) => return Ok(false),
        };
        let bytes = value.len();
        let message = PublishMessage::build().payload(value).expected_last_subject_sequence(last);
        match self.publish(key, message).await {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == PublishErrorKind::WrongLastSequence => Ok(false),
            Err(error) => Err(self.unwritten(error, bytes)),
        }
    }

    async fn publish(&self, key: &Key, message: PublishMessage) -> Result<(), PublishError> {
        let subject = format!("{}{}", self.store.prefix, nats_name(key));
        self.connection.jetstream.send_publish(subject, message).await?.await.map(drop)
    }

    /// Removes a key and all that is kept of it. A mark that it was deleted, as other programs write, would stay for ever.
    pub(super) async fn remove(&self, key: &Key) -> Result<(), Trouble<Error>> {
        let subject = format!("{}{}", self.store.prefix, nats_name(key));
        let purged = self.store.stream.purge().filter(subject).await;
        purged.map(drop).map_err(|error| match error.kind() {
            PurgeErrorKind::TimedOut => late(error.into()),
            _ => failed(error.into()),
        })
    }

    /// The server has no order that stays: it names all keys, and the page is chosen here.
    pub(super) async fn keys(&self, after: Option<Cursor>) -> Result<Page, Trouble<Error>> {
        let mut names = self.store.keys().await.map_err(|error| failed(error.into()))?;
        let mut kept = BTreeSet::new();
        while let Some(name) = names.try_next().await.map_err(|error| failed(error.into()))? {
            let Some(key) = nats_key(&name) else { continue };
            let position = position(&key);
            if after.is_none_or(|Cursor(last)| position > last) {
                kept.insert((position, key));
            }
            if kept.len() > KEPT_KEYS {
                kept.pop_last();
            }
        }
        page(kept.into_iter().map(Ok))
    }

    fn unwritten(&self, error: PublishError, bytes: usize) -> Trouble<Error> {
        match error.kind() {
            PublishErrorKind::MaxPayloadExceeded => {
                Error::from(Refused::TooLarge { bytes, limit_bytes: self.connection.client.max_payload() }).into()
            }
            PublishErrorKind::TimedOut => late(error.into()),
            PublishErrorKind::StreamNotFound => gone(Some(error.into())),
            PublishErrorKind::BrokenPipe => {
                Trouble { is_lost: true, ..away("the connection to the server is lost", Some(error.into())) }
            }
            _ => failed(error.into()),
        }
    }
}

const GONE: &str = "its bucket is gone, and made anew with the next call";

pub(super) fn away(why: &'static str, source: Option<Cause>) -> Trouble<Error> {
    Error::Unavailable { why, source }.into()
}

pub(super) fn gone(source: Option<Cause>) -> Trouble<Error> {
    away(GONE, source)
}

pub(super) fn late(source: Cause) -> Trouble<Error> {
    away("the server does not answer in time", Some(source))
}

/// Returns what the guest is told of an error that has no kind of its own; which it is, only its causes say.
pub(super) fn failed(source: Cause) -> Trouble<Error> {
    let mut text = source.to_string();
    let mut cause = source.source();
    while let Some(deeper) = cause {
        text.push_str(": ");
        text.push_str(&deeper.to_string());
        cause = deeper.source();
    }
    let says = |part: &str| text.contains(part);
    if says("no responders") || says("stream not found") {
        return gone(Some(text.into()));
    }
    if says("timed out") {
        return late(text.into());
    }
    let why = match says("insufficient") || says("maximum bytes") || says("resource limits") {
        true => "the server is full",
        false => "the server refuses",
    };
    Error::Backend { why, source: Some(text.into()) }.into()
}
