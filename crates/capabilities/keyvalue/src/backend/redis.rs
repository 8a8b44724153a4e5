//! Redis, and servers that speak its protocol (Valkey, KeyDB, Dragonfly).
//!
//! A key is `APP:LABEL:KEY`, a value is its bytes, a number is what `INCRBY` makes of it: other programs may read and write them.

mod scripts;

use super::names::{redis_key, redis_name, redis_pattern, redis_prefix};
use crate::api::{self, Cursor, Error, Key, PAGE_KEYS, Page, Snapshot, Store, Version};
use async_trait::async_trait;
use bytes::Bytes;
use redis::{Cmd, ErrorKind, FromRedisValue, RedisError, ServerErrorKind, ToRedisArgs};
use scripts::Scripts;
use serde::Deserialize;
use std::sync::Arc;
use wharf_kit::{
    Backend, BackendError, Dial, Embedded, Kind, Links, Namespace, NoConnection, Opened, Period, Refused, Trouble,
};
use wharf_servers::redis::{Dialer, Settings, is_lost};
use wharf_servers::tls::{Pem, Tls};

pub(super) const BACKEND: Backend<dyn Store> = Backend {
    name: "redis",
    summary: "A Redis server, or one that speaks its protocol.",
    durability: "What the server is set to: an acknowledged change survives its end with `appendfsync always`; with `everysec`, its \
                 default when it keeps a log, the last second may be lost.",
    example: "backend = \"redis\"\nurl = \"redis://127.0.0.1:6379/0\"\nconnect_timeout = \"1s\"\nresponse_timeout = \"2s\"\n",
    open,
};

/// Keys that the server looks at in one step of a listing, during which it does nothing else: about half a millisecond.
const SCAN_KEYS: usize = PAGE_KEYS / 2;

/// Steps of one page, so that a page ends also where the namespace has few of the server's keys.
const SCAN_STEPS: usize = 64;

/// The settings of Redis.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    /// `redis://HOST[:PORT][/DATABASE]`, `rediss://` with TLS, or `unix:///PATH`. `?protocol=resp2` for servers before version 6.
    url: String,
    /// The user, for a server with access lists. May be in the URL instead.
    username: Option<String>,
    /// The password. May be in the URL instead.
    password: Option<String>,
    /// Who has to have signed the server's certificate, in place of those whom the platform trusts: a PEM file, or its text.
    authorities: Option<Pem>,
    /// The certificate that is shown to the server, with its chain: a PEM file, or its text.
    certificate: Option<Pem>,
    /// Its key: a PEM file, or its text.
    key: Option<Pem>,
    /// How long a new connection may take.
    #[serde(default = "wharf_servers::connect_timeout")]
    connect_timeout: Period,
    /// How long the server may take to answer before its connection is given up.
    #[serde(default = "wharf_servers::response_timeout")]
    response_timeout: Period,
}

fn open(settings: toml::Table, _: &Embedded) -> Result<Arc<dyn Opened<dyn Store>>, BackendError> {
    let config: Config = wharf_kit::settings(settings)?;
    let dialer = Dialer::new(
        crate::CAPABILITY,
        &Settings {
            url: config.url,
            username: config.username,
            password: config.password,
            tls: Tls { authorities: config.authorities, certificate: config.certificate, key: config.key },
            connect_timeout: config.connect_timeout.0,
            response_timeout: config.response_timeout.0,
        },
    )?;
    Ok(Arc::new(Server { links: Arc::new(Links::new(dialer)), scripts: Arc::default() }))
}

/// One server, with a connection for each core.
struct Server {
    links: Arc<Links<Dialer>>,
    scripts: Arc<Scripts>,
}

impl Opened<dyn Store> for Server {
    fn store(&self, namespace: &Namespace) -> Result<Arc<dyn Store>, BackendError> {
        Ok(Arc::new(RedisStore {
            links: Arc::clone(&self.links),
            scripts: Arc::clone(&self.scripts),
            prefix: redis_prefix(namespace),
        }))
    }

    fn place(&self, namespace: &Namespace) -> String {
        let dialer = self.links.dial();
        format!("{}/{} {}", dialer.place(), dialer.database(), redis_prefix(namespace))
    }
}

struct RedisStore {
    links: Arc<Links<Dialer>>,
    scripts: Arc<Scripts>,
    prefix: String,
}

impl RedisStore {
    fn name(&self, key: &Key) -> String {
        redis_name(&self.prefix, key)
    }

    fn names<'a>(&self, keys: impl IntoIterator<Item = &'a Key>) -> Vec<String> {
        keys.into_iter().map(|key| self.name(key)).collect()
    }

    /// Sends a change, once: nobody knows whether one that got no answer has happened.
    async fn change<T: FromRedisValue>(&self, command: &Cmd) -> Result<T, Error> {
        let call = |mut connection| async move { command.query_async(&mut connection).await.map_err(trouble) };
        self.links.here().call(call).await
    }

    /// Sends a question, a second time if the connection breaks meanwhile.
    async fn read<T: FromRedisValue>(&self, command: &Cmd) -> Result<T, Error> {
        let call = |mut connection| async move { command.query_async(&mut connection).await.map_err(trouble) };
        self.links.here().call_again(call).await
    }
}

fn command(name: &'static str, args: impl ToRedisArgs) -> Cmd {
    let mut command = redis::cmd(name);
    command.arg(args);
    command
}

#[async_trait]
impl Store for RedisStore {
    async fn get(&self, key: &Key, limit_bytes: usize) -> Result<Option<Bytes>, Error> {
        let value: Option<Bytes> = self.read(&command("GET", self.name(key))).await?;
        api::check_bytes(value.as_ref().map_or(0, Bytes::len), limit_bytes)?;
        Ok(value)
    }

    async fn set(&self, key: &Key, value: Bytes) -> Result<(), Error> {
        self.change(command("SET", self.name(key)).arg(&*value)).await
    }

    async fn delete(&self, key: &Key) -> Result<(), Error> {
        self.change(&command("UNLINK", self.name(key))).await
    }

    async fn exists(&self, key: &Key) -> Result<bool, Error> {
        self.read(&command("EXISTS", self.name(key))).await
    }

    async fn keys(&self, after: Option<Cursor>) -> Result<Page, Error> {
        let pattern = redis_pattern(&self.prefix);
        let mut cursor = after.map_or(0, |Cursor(cursor)| cursor);
        let mut keys = Vec::new();
        for _ in 0..SCAN_STEPS {
            let mut scan = command("SCAN", cursor);
            scan.arg("MATCH").arg(&pattern).arg("COUNT").arg(SCAN_KEYS);
            let (next, names): (u64, Vec<Bytes>) = self.read(&scan).await?;
            keys.extend(names.iter().filter_map(|name| redis_key(&self.prefix, name)));
            cursor = next;
            if cursor == 0 || keys.len() > PAGE_KEYS - SCAN_KEYS {
                break;
            }
        }
        // The server may name a key twice while it makes room.
        keys.sort_unstable();
        keys.dedup();
        Ok(Page { keys, next: (cursor != 0).then_some(Cursor(cursor)) })
    }

    async fn get_many(&self, keys: &[Key], limit_bytes: usize) -> Result<Vec<Option<Bytes>>, Error> {
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        let (scripts, names) = (&*self.scripts, &*self.names(keys));
        let call = |mut connection| async move {
            scripts.get_many(&mut connection, names, limit_bytes).await.map_err(trouble)
        };
        let found = self.links.here().call_again(call).await?;
        found.map_err(|bytes| Refused::TooLarge { bytes, limit_bytes }.into())
    }

    async fn set_many(&self, pairs: Vec<(Key, Bytes)>) -> Result<(), Error> {
        let mut command = redis::cmd("MSET");
        for (key, value) in &pairs {
            command.arg(self.name(key)).arg(&**value);
        }
        self.change(&command).await
    }

    async fn delete_many(&self, keys: &[Key]) -> Result<(), Error> {
        self.change(&command("UNLINK", self.names(keys))).await
    }

    async fn increment(&self, key: &Key, delta: i64) -> Result<i64, Error> {
        self.change(command("INCRBY", self.name(key)).arg(delta)).await
    }

    async fn snapshot(&self, key: &Key, limit_bytes: usize) -> Result<Snapshot, Error> {
        let (scripts, name) = (&*self.scripts, &*self.name(key));
        let call = |mut connection| async move { scripts.snapshot(&mut connection, name).await.map_err(trouble) };
        let Some((value, digest)) = self.links.here().call_again(call).await? else {
            return Ok(Snapshot { value: None, version: Version::Absent });
        };
        api::check_bytes(value.len(), limit_bytes)?;
        Ok(Snapshot { value: Some(value), version: Version::Digest(digest) })
    }

    async fn swap(&self, key: &Key, expected: Version, value: Bytes) -> Result<bool, Error> {
        let digest = match expected {
            Version::Digest(digest) => Some(digest),
            Version::Absent => None,
            // Not one of this backend, so that nothing has it.
            Version::Revision(_) => return Ok(false),
        };
        let (scripts, name, value) = (&*self.scripts, &*self.name(key), &*value);
        let call =
            |mut connection| async move { scripts.swap(&mut connection, name, digest, value).await.map_err(trouble) };
        self.links.here().call(call).await
    }
}

// === Errors ===

fn trouble(error: RedisError) -> Trouble<Error> {
    Trouble { is_lost: is_lost(&error), error: explain(error) }
}

/// Returns what the guest is told. The server's own words are for the log.
fn explain(error: RedisError) -> Error {
    let says = |text: &str| error.detail().is_some_and(|detail| detail.contains(text));
    match error.kind() {
        ErrorKind::Server(ServerErrorKind::ResponseError) if says("not an integer") => return Error::NotANumber,
        ErrorKind::Server(ServerErrorKind::ResponseError) if says("would overflow") => return Error::Overflow,
        _ => {}
    }
    let NoConnection { kind, why, source } = wharf_servers::redis::explain(error);
    match kind {
        Kind::Unavailable => Error::Unavailable { why, source },
        _ => Error::Backend { why, source },
    }
}
