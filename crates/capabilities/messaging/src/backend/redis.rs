//! Redis, and servers that speak its protocol (Valkey, KeyDB, Dragonfly): its channels.
//!
//! A topic is the channel `APP.LABEL.TOPIC`, a message is its data: other programs may publish and subscribe to them.

use crate::subscription::{End, Room};
use crate::{Delivery, Error, Filter, Message, Messenger, Prefix, Replies, Subscription, Topic};
use async_trait::async_trait;
use bytes::Bytes;
use futures_util::StreamExt;
use redis::aio::MultiplexedConnection;
use redis::io::tcp::TcpSettings;
use redis::{
    AsyncConnectionConfig, Client, ConnectionInfo, ErrorKind, IntoConnectionInfo, Msg, ProtocolVersion, PushInfo,
    PushKind, RedisError, ServerErrorKind,
};
use serde::Deserialize;
use std::convert::Infallible;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc::{self, error::TrySendError};
use wharf_kit::{
    Backend, BackendError, Dial, Embedded, Kind, Links, Lost, Namespace, NoConnection, Opened, Period, Trouble,
};

/// The entry of the list.
pub(super) const BACKEND: Backend<dyn Messenger> = Backend {
    name: "redis",
    summary: "Channels of a Redis server, or one that speaks its protocol. They carry data only: no metadata, no requests.",
    durability: "Acknowledged means that the server has passed the message on to those who are subscribed. It keeps nothing: a message \
                 that nobody is subscribed to is dropped, and so is one for a subscriber that is too slow.",
    example: "backend = \"redis\"\nurl = \"redis://127.0.0.1:6379\"\nconnect_timeout = \"1s\"\nresponse_timeout = \"2s\"\n",
    open,
};

/// Messages that wait for one subscriber.
const QUEUE: usize = 1024;

/// The settings of Redis.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    /// `redis://HOST[:PORT]`, `rediss://` with TLS, or `unix:///PATH`. `?protocol=resp2` for servers before version 6.
    url: String,
    /// The user, for a server with access lists. May be in the URL instead.
    username: Option<String>,
    /// The password. May be in the URL instead.
    password: Option<String>,
    /// A file with the certificates, in PEM, that the server's has to be signed by. Absent: those that the system trusts.
    ca: Option<PathBuf>,
    /// What stands in front of topics, instead of the app and the label: `""` for nothing.
    prefix: Option<String>,
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

/// Far beyond what a healthy server takes, and within the time of a call.
fn response_timeout() -> Period {
    Period(Duration::from_secs(2))
}

fn open(settings: toml::Table, _: &Embedded) -> Result<Arc<dyn Opened<dyn Messenger>>, BackendError> {
    let config: Config = wharf_kit::settings(settings)?;
    // The message of the crate may have the URL, and that the password.
    let info = config.url.as_str().into_connection_info().map_err(|_| {
        BackendError::Settings("`url` is not the URL of a Redis server, as in \"redis://127.0.0.1:6379\"".to_owned())
    })?;
    // A namespace that is none, only to hear of a bad prefix now.
    Prefix::new(config.prefix.as_deref(), &Namespace::shared("x"))?;
    let place = place(&info);
    let client = client(&config, info)?;
    let timeouts = AsyncConnectionConfig::new()
        .set_connection_timeout(Some(config.connect_timeout.0))
        .set_response_timeout(Some(config.response_timeout.0));
    Ok(Arc::new(Server(Arc::new(Links::new(RedisDial { client, timeouts, place, config })))))
}

fn place(info: &ConnectionInfo) -> String {
    let scheme = match info.addr() {
        redis::ConnectionAddr::TcpTls { .. } => "rediss",
        redis::ConnectionAddr::Unix(_) => "unix",
        _ => "redis",
    };
    format!("{scheme}://{}", info.addr())
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

/// What connections are made with.
struct RedisDial {
    client: Client,
    timeouts: AsyncConnectionConfig,
    place: String,
    config: Config,
}

impl Dial for RedisDial {
    const CAPABILITY: &'static str = crate::CAPABILITY;
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
        self.client.get_multiplexed_async_connection_with_config(&timeouts).await.map_err(explain)
    }
}

/// One server, with a connection for each core.
struct Server(Arc<Links<RedisDial>>);

impl Server {
    fn prefix(&self, namespace: &Namespace) -> Result<Prefix, BackendError> {
        Prefix::new(self.0.dial().config.prefix.as_deref(), namespace)
    }
}

impl Opened<dyn Messenger> for Server {
    fn store(&self, namespace: &Namespace) -> Result<Arc<dyn Messenger>, BackendError> {
        Ok(Arc::new(Redis { links: Arc::clone(&self.0), prefix: self.prefix(namespace)? }))
    }

    fn place(&self, namespace: &Namespace) -> String {
        let prefix = self.prefix(namespace).map(|prefix| prefix.to_string()).unwrap_or_default();
        format!("{} {prefix}", self.0.dial().place)
    }
}

/// The messenger of one namespace.
struct Redis {
    links: Arc<Links<RedisDial>>,
    prefix: Prefix,
}

#[async_trait]
impl Messenger for Redis {
    async fn send(&self, topic: &Topic, message: &Message) -> Result<(), Error> {
        if message.content_type.is_some() || !message.metadata.is_empty() {
            // Left out without a word, it would be missed where the message arrives.
            return Err(Error::Unsupported("metadata and no content types: it carries data only"));
        }
        let mut command = redis::cmd("PUBLISH");
        command.arg(self.prefix.subject(topic)).arg(&*message.data);
        let call = |mut connection: MultiplexedConnection| async move {
            let sent: Result<u64, RedisError> = command.query_async(&mut connection).await;
            sent.map(drop).map_err(|error| Trouble {
                is_lost: error.is_io_error() || error.is_unrecoverable_error(),
                error: Error::from(explain(error)),
            })
        };
        self.links.here().call(call).await
    }

    async fn request(&self, _: &Topic, _: &Message, _: &mut Replies) -> Result<(), Error> {
        Err(Error::Unsupported("requests: a channel of Redis has no way back"))
    }

    async fn subscribe(&self, filter: &Filter) -> Result<Subscription, Error> {
        let dial = self.links.dial();
        let pattern = glob(&self.prefix.pattern(filter));
        let subscribing = async {
            let mut connection = dial.client.get_async_pubsub().await?;
            connection.psubscribe(pattern).await?;
            Ok(connection)
        };
        let late = |_| Error::Unavailable { why: "the server does not answer in time", source: None };
        let subscribed = tokio::time::timeout(dial.config.connect_timeout.0, subscribing).await.map_err(late)?;
        let mut messages = subscribed.map_err(explain)?.into_on_message();
        let (prefix, filter) = (self.prefix.clone(), filter.clone());
        let (queue, receiver) = mpsc::channel(QUEUE);
        #[expect(clippy::disallowed_methods, reason = "ends with the subscription, or its connection")]
        let task = tokio::spawn(async move {
            while let Some(message) = messages.next().await {
                let Some(topic) = topic(&prefix, &filter, &message) else { continue };
                let data = Bytes::copy_from_slice(message.get_payload_bytes());
                let message = Message::new(data);
                // The client takes all that comes. What it would keep without end is dropped, as the server does with it.
                let sent = queue.try_send(Delivery { topic, message, reply: None, _room: Room::default() });
                if matches!(sent, Err(TrySendError::Closed(_))) {
                    break;
                }
            }
        });
        let task = task.abort_handle();
        Ok(Subscription::new(receiver, End(Some(Box::new(move || task.abort())))))
    }
}

/// Returns a message's topic, if it fits: the server's `*` crosses the borders of parts.
fn topic(prefix: &Prefix, filter: &Filter, message: &Msg) -> Option<Topic> {
    let topic = prefix.topic(message.get_channel_name())?;
    filter.matches(&topic).then_some(topic)
}

/// Returns the server's pattern of which ours is a part.
fn glob(pattern: &str) -> String {
    let mut glob = String::with_capacity(pattern.len());
    for character in pattern.chars() {
        match character {
            '>' => glob.push('*'),
            '?' | '[' | ']' | '\\' | '^' => glob.extend(['\\', character]),
            other => glob.push(other),
        }
    }
    glob
}

/// Returns what the guest is told. The server's own words are for the log.
fn explain(error: RedisError) -> NoConnection {
    let away = match error.kind() {
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
    let refused = match (error.kind(), error.code()) {
        (ErrorKind::AuthenticationFailed | ErrorKind::Server(ServerErrorKind::NoPerm), _)
        | (_, Some("WRONGPASS" | "NOAUTH" | "NOPERM")) => "the server does not let the host in",
        (_, Some("OOM")) => "the server is full",
        _ => "the server refuses",
    };
    let kind = if away.is_some() { Kind::Unavailable } else { Kind::Backend };
    NoConnection { kind, why: away.unwrap_or(refused), source: Some(error.into()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_of_topics_that_the_server_would_read_stand_for_themselves() {
        assert_eq!(glob("shop.orders.*.b>"), "shop.orders.*.b*");
        assert_eq!(glob("shop.orders.a?[b]\\^-x"), "shop.orders.a\\?\\[b\\]\\\\\\^-x");
    }
}
