//! Redis, and servers that speak its protocol (Valkey, KeyDB, Dragonfly): its channels.
//!
//! A topic is the channel `APP.LABEL.TOPIC`, a message is its data: other programs may publish and subscribe to them.

use crate::subscription::{End, Room};
use crate::{Delivery, Error, Filter, Message, Messenger, Prefix, Replies, Subscription, Topic};
use async_trait::async_trait;
use bytes::Bytes;
use futures_util::StreamExt;
use redis::aio::MultiplexedConnection;
use redis::{Msg, RedisError};
use serde::Deserialize;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc::{self, error::TrySendError};
use wharf_kit::{Backend, BackendError, Dial, Embedded, Links, Namespace, Opened, Period, Trouble};
use wharf_servers::redis::{Dialer, Settings, explain, is_lost};
use wharf_servers::tls::{Pem, Tls};

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
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    /// `redis://HOST[:PORT]`, `rediss://` with TLS, or `unix:///PATH`. `?protocol=resp2` for servers before version 6.
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
    /// What stands in front of topics, instead of the app and the label: `""` for nothing.
    prefix: Option<String>,
    /// How long a new connection may take.
    #[serde(default = "wharf_servers::connect_timeout")]
    connect_timeout: Period,
    /// How long the server may take to answer before its connection is given up.
    #[serde(default = "wharf_servers::response_timeout")]
    response_timeout: Period,
}

fn open(settings: toml::Table, _: &Embedded) -> Result<Arc<dyn Opened<dyn Messenger>>, BackendError> {
    let config: Config = wharf_kit::settings(settings)?;
    // A namespace that is none, only to hear of a bad prefix now.
    Prefix::new(config.prefix.as_deref(), &Namespace::shared("x"))?;
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
    let connect_timeout = config.connect_timeout.0;
    Ok(Arc::new(Server { links: Arc::new(Links::new(dialer)), prefix: config.prefix, connect_timeout }))
}

/// One server, with a connection for each core.
struct Server {
    links: Arc<Links<Dialer>>,
    prefix: Option<String>,
    connect_timeout: Duration,
}

impl Server {
    fn prefix(&self, namespace: &Namespace) -> Result<Prefix, BackendError> {
        Prefix::new(self.prefix.as_deref(), namespace)
    }
}

impl Opened<dyn Messenger> for Server {
    fn store(&self, namespace: &Namespace) -> Result<Arc<dyn Messenger>, BackendError> {
        let (links, prefix) = (Arc::clone(&self.links), self.prefix(namespace)?);
        Ok(Arc::new(Redis { links, prefix, connect_timeout: self.connect_timeout }))
    }

    fn place(&self, namespace: &Namespace) -> String {
        let prefix = self.prefix(namespace).map(|prefix| prefix.to_string()).unwrap_or_default();
        format!("{} {prefix}", self.links.dial().place())
    }
}

/// The messenger of one namespace.
struct Redis {
    links: Arc<Links<Dialer>>,
    prefix: Prefix,
    connect_timeout: Duration,
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
            sent.map(drop).map_err(|error| Trouble { is_lost: is_lost(&error), error: Error::from(explain(error)) })
        };
        self.links.here().call(call).await
    }

    async fn request(&self, _: &Topic, _: &Message, _: &mut Replies) -> Result<(), Error> {
        Err(Error::Unsupported("requests: a channel of Redis has no way back"))
    }

    async fn subscribe(&self, filter: &Filter) -> Result<Subscription, Error> {
        let dialer = self.links.dial();
        let pattern = glob(&self.prefix.pattern(filter));
        let subscribing = async {
            let mut connection = dialer.client().get_async_pubsub().await?;
            connection.psubscribe(pattern).await?;
            Ok(connection)
        };
        let late = |_| Error::Unavailable { why: "the server does not answer in time", source: None };
        let subscribed = tokio::time::timeout(self.connect_timeout, subscribing).await.map_err(late)?;
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_of_topics_that_the_server_would_read_stand_for_themselves() {
        assert_eq!(glob("shop.orders.*.b>"), "shop.orders.*.b*");
        assert_eq!(glob("shop.orders.a?[b]\\^-x"), "shop.orders.a\\?\\[b\\]\\\\\\^-x");
    }
}
