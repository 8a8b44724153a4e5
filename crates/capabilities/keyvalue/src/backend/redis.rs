//! Redis, and servers that speak its protocol (Valkey, KeyDB, Dragonfly).
//!
//! A key is `APP:LABEL:KEY`, a value is its bytes, a number is what `INCRBY` makes of it: other programs may read and write them.

mod scripts;

use super::names::{redis_key, redis_name, redis_pattern, redis_prefix};
use crate::api::{self, Cursor, Error, Key, PAGE_KEYS, Page, Snapshot, Store, Version};
use async_trait::async_trait;
use bytes::Bytes;
use redis::aio::MultiplexedConnection;
use redis::io::tcp::TcpSettings;
use redis::{
    AsyncConnectionConfig, Client, Cmd, ConnectionInfo, ErrorKind, FromRedisValue, IntoConnectionInfo, ProtocolVersion,
    PushInfo, PushKind, RedisError, ServerErrorKind, ToRedisArgs,
};
use scripts::Scripts;
use serde::Deserialize;
use std::convert::Infallible;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use wharf_kit::{
    Backend, BackendError, Dial, Embedded, Kind, Links, Lost, Namespace, NoConnection, Opened, Period, Refused, Trouble,
};

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
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    /// `redis://HOST[:PORT][/DATABASE]`, `rediss://` with TLS, or `unix:///PATH`. `?protocol=resp2` for servers before version 6.
    url: String,
    /// The user, for a server with access lists. May be in the URL instead.
    username: Option<String>,
    /// The password. May be in the URL instead.
    password: Option<String>,
    /// A file with the certificates, in PEM, that the server's has to be signed by. Absent: those that the system trusts.
    ca: Option<PathBuf>,
    /// How long a new connection may take.
    #[serde(default = "connect_timeout")]
    connect_timeout: Period,
    /// How long the server may take to answer before its connection is given up.
    #[serde(default = "response_timeout")]
    response_timeout: Period,
}

/// Long enough for a lost packet and the next one, short enough for a request to wait.
fn connect_timeout() -> Period {
    Period(Duration::from_secs(1))
}

/// Far beyond what a healthy server takes for the largest batch, and within the time of a call.
fn response_timeout() -> Period {
    Period(Duration::from_secs(2))
}

fn open(settings: toml::Table, _: &Embedded) -> Result<Arc<dyn Opened<dyn Store>>, BackendError> {
    let config: Config = wharf_kit::settings(settings)?;
    // The message of the crate may have the URL, and that the password.
    let info = config.url.as_str().into_connection_info().map_err(|_| {
        BackendError::Settings("`url` is not the URL of a Redis server, as in \"redis://127.0.0.1:6379/0\"".to_owned())
    })?;
    let place = place(&info);
    let client = client(&config, info)?;
    let timeouts = AsyncConnectionConfig::new()
        .set_connection_timeout(Some(config.connect_timeout.0))
        .set_response_timeout(Some(config.response_timeout.0));
    let links = Arc::new(Links::new(RedisDial { client, timeouts, place }));
    Ok(Arc::new(Server { links, scripts: Arc::default() }))
}

fn place(info: &ConnectionInfo) -> String {
    let scheme = match info.addr() {
        redis::ConnectionAddr::TcpTls { .. } => "rediss",
        redis::ConnectionAddr::Unix(_) => "unix",
        _ => "redis",
    };
    format!("{scheme}://{}/{}", info.addr(), info.redis_settings().db())
}

fn client(config: &Config, info: ConnectionInfo) -> Result<Client, BackendError> {
    let mut user = info.redis_settings().clone();
    if !config.url.contains("protocol=") {
        // With it, the server's end of a connection is noticed when it happens and not with the next call.
        user = user.set_protocol(ProtocolVersion::RESP3);
    }
    if let Some(username) = &config.username {
        user = user.set_username(username);
    }
    if let Some(password) = &config.password {
        user = user.set_password(password);
    }
    // Without delay, as calls of many guests share the connection. The time-out ends connections to a machine that is gone.
    let tcp = TcpSettings::default().set_nodelay(true).set_user_timeout(config.response_timeout.0);
    let info = info.set_redis_settings(user).set_tcp_settings(tcp);
    let client = match &config.ca {
        None => Client::open(info),
        Some(path) => {
            let pem =
                std::fs::read(path).map_err(|error| BackendError::Open { path: path.clone(), source: error.into() })?;
            Client::build_with_tls(info, redis::TlsCertificates { client_tls: None, root_cert: Some(pem) })
        }
    };
    client
        .map_err(|error| BackendError::Settings(format!("the settings make no client of Redis: {}", error.category())))
}

/// One server, with a connection for each core.
struct Server {
    links: Arc<Links<RedisDial>>,
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
        format!("{} {}", self.links.dial().place, redis_prefix(namespace))
    }
}

/// What connections are made with.
struct RedisDial {
    client: Client,
    timeouts: AsyncConnectionConfig,
    place: String,
}

impl Dial for RedisDial {
    const CAPABILITY: &str = crate::CAPABILITY;

    type Connection = MultiplexedConnection;

    fn place(&self) -> &str {
        &self.place
    }

    async fn connect(&self, lost: Lost<Self>) -> Result<MultiplexedConnection, NoConnection> {
        let on_push = move |push: PushInfo| {
            if push.kind == PushKind::Disconnection {
                lost.tell();
            }
            Ok::<_, Infallible>(())
        };
        let is_told = self.client.get_connection_info().redis_settings().protocol().supports_resp3();
        let timeouts = self.timeouts.clone();
        let timeouts = if is_told { timeouts.set_push_sender(on_push) } else { timeouts };
        let connection = self.client.get_multiplexed_async_connection_with_config(&timeouts).await;
        connection.map_err(refused)
    }
}

struct RedisStore {
    links: Arc<Links<RedisDial>>,
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
    Trouble { is_lost: error.is_io_error() || error.is_unrecoverable_error(), error: explain(error) }
}

/// Returns why there is no connection.
fn refused(error: RedisError) -> NoConnection {
    match explain(error) {
        Error::Backend { why, source } => NoConnection { kind: Kind::Backend, why, source },
        Error::Unavailable { why, source } => NoConnection { kind: Kind::Unavailable, why, source },
        other => NoConnection { kind: Kind::Unavailable, why: "connecting failed", source: Some(other.into()) },
    }
}

/// Returns what the guest is told. The server's own words are for the log.
fn explain(error: RedisError) -> Error {
    let says = |text: &str| error.detail().is_some_and(|detail| detail.contains(text));
    let away = match error.kind() {
        ErrorKind::Server(ServerErrorKind::ResponseError) if says("not an integer") => return Error::NotANumber,
        ErrorKind::Server(ServerErrorKind::ResponseError) if says("would overflow") => return Error::Overflow,
        _ if error.is_timeout() => Some("the server does not answer in time"),
        _ if error.is_connection_refusal() => Some("the server is not there"),
        ErrorKind::Io => Some("the connection to the server is lost"),
        ErrorKind::Server(
            ServerErrorKind::BusyLoading
            | ServerErrorKind::TryAgain
            | ServerErrorKind::MasterDown
            | ServerErrorKind::ClusterDown
            | ServerErrorKind::ReadOnly,
        ) => Some("the server is not ready"),
        _ => None,
    };
    match away {
        Some(why) => Error::Unavailable { why, source: Some(error.into()) },
        None => Error::Backend { why: fault(&error), source: Some(error.into()) },
    }
}

fn fault(error: &RedisError) -> &'static str {
    match (error.kind(), error.code()) {
        (ErrorKind::AuthenticationFailed | ErrorKind::Server(ServerErrorKind::NoPerm), _)
        | (_, Some("WRONGPASS" | "NOAUTH" | "NOPERM")) => "the server does not let the host in",
        (_, Some("OOM")) => "the server is full",
        (_, Some("MISCONF")) => "the server cannot write to its disk",
        (_, Some("WRONGTYPE")) => "the key has something that is no value",
        _ => "the server refuses",
    }
}
