//! NATS: core, and streams of JetStream.
//!
//! A topic is the subject `APP.LABEL.TOPIC`, the content type and metadata are headers: other programs may send and read them.

mod connection;

use crate::subscription::{Answer, End, Room};
use crate::{Delivery, Error, Filter, Message, Messenger, Prefix, Replies, ReplyTo, Subscription, Topic};
use async_nats::ConnectOptions;
use async_trait::async_trait;
use connection::{Connection, lost, received};
use futures_util::StreamExt;
use serde::Deserialize;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::mpsc;
use wharf_kit::{Backend, BackendError, Dial, Embedded, Links, Lost, Namespace, NoConnection, Opened, Period, Trouble};
use wharf_servers::nats::{Connected, Dialer, Settings};
use wharf_servers::tls::{Pem, Tls};

/// The entry of the list.
pub(super) const BACKEND: Backend<dyn Messenger> = Backend {
    name: "nats",
    summary: "A NATS server or cluster: core, or a stream of JetStream.",
    durability: "With `stream`, acknowledged means that the stream has the message, with a majority of its replicas. Without, that the \
                 server has taken it and passed it on to those who are subscribed; it keeps nothing.",
    example: "backend = \"nats\"\nurl = \"nats://127.0.0.1:4222\"\nconnect_timeout = \"1s\"\nresponse_timeout = \"2s\"\n",
    open,
};

/// Messages that wait for one subscriber, or for one who asks; the client drops what is beyond.
const QUEUE: usize = 1024;

/// Subjects that the server refused and whose senders have not looked yet.
const REFUSED_MAX: usize = 256;

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
    /// What stands in front of topics, instead of the app and the label: `""` for nothing.
    prefix: Option<String>,
    /// A stream of JetStream that has to take every message. It is there already, and its subjects cover those of the label.
    stream: Option<String>,
    /// The beginning of the subjects where answers come in, for accounts that may not use `_INBOX`.
    inbox_prefix: Option<String>,
    /// How long a new connection may take.
    #[serde(default = "wharf_servers::connect_timeout")]
    connect_timeout: Period,
    /// How long the server may take to acknowledge.
    #[serde(default = "wharf_servers::response_timeout")]
    response_timeout: Period,
}

fn open(settings: toml::Table, _: &Embedded) -> Result<Arc<dyn Opened<dyn Messenger>>, BackendError> {
    let config: Config = wharf_kit::settings(settings)?;
    check_inbox(config.inbox_prefix.as_deref())?;
    // A namespace that is none, only to hear of a bad prefix now.
    Prefix::new(config.prefix.as_deref(), &Namespace::shared("x"))?;
    let dialer = Dialer::new(Settings {
        url: config.url,
        username: config.username,
        password: config.password,
        token: config.token,
        credentials: config.credentials,
        tls: Tls { authorities: config.authorities, certificate: config.certificate, key: config.key },
        connect_timeout: config.connect_timeout.0,
    })?;
    let dial = NatsDial {
        dialer,
        inbox_prefix: config.inbox_prefix,
        prefix: config.prefix,
        stream: config.stream,
        response_timeout: config.response_timeout.0,
    };
    Ok(Arc::new(Server(Arc::new(Links::new(dial)))))
}

fn check_inbox(prefix: Option<&str>) -> Result<(), BackendError> {
    let Some(prefix) = prefix else { return Ok(()) };
    match Topic::new(prefix.strip_prefix('_').unwrap_or(prefix)) {
        Ok(_) => Ok(()),
        Err(_) => Err(BackendError::Settings("`inbox_prefix` is not the beginning of a subject".to_owned())),
    }
}

/// What connections are made with, and what goes over them.
struct NatsDial {
    dialer: Dialer,
    inbox_prefix: Option<String>,
    prefix: Option<String>,
    stream: Option<String>,
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
        let refused = Arc::new(Mutex::new(Vec::new()));
        let refusals = Arc::clone(&refused);
        let set = |options: ConnectOptions| {
            let options = options.subscription_capacity(QUEUE);
            match &self.inbox_prefix {
                Some(prefix) => options.custom_inbox_prefix(prefix),
                None => options,
            }
        };
        let connecting = self.dialer.connect(set, move || lost.tell(), move |text| note_refusal(&refusals, text));
        let Connected { client, end } = connecting.await?;
        Connection::new(client, end, refused, self.response_timeout).await
    }
}

/// Keeps the subject of `Permissions Violation for Publish to "SUBJECT"`.
fn note_refusal(refused: &Mutex<Vec<String>>, text: &str) {
    let Some((_, rest)) = text.split_once("iolation for Publish to \"") else { return };
    let mut refused = refused.lock().unwrap_or_else(PoisonError::into_inner);
    if refused.len() == REFUSED_MAX {
        refused.remove(0);
    }
    refused.push(rest.split('"').next().unwrap_or_default().to_owned());
}

/// One server or cluster, with a connection for each core.
struct Server(Arc<Links<NatsDial>>);

impl Server {
    fn prefix(&self, namespace: &Namespace) -> Result<Prefix, BackendError> {
        Prefix::new(self.0.dial().prefix.as_deref(), namespace)
    }
}

impl Opened<dyn Messenger> for Server {
    fn store(&self, namespace: &Namespace) -> Result<Arc<dyn Messenger>, BackendError> {
        Ok(Arc::new(Nats { links: Arc::clone(&self.0), prefix: self.prefix(namespace)? }))
    }

    fn place(&self, namespace: &Namespace) -> String {
        let prefix = self.prefix(namespace).map(|prefix| prefix.to_string()).unwrap_or_default();
        let stream = self.0.dial().stream.iter().map(|stream| format!(" in the stream {stream}"));
        format!("{} {prefix}{}", self.0.dial().place(), stream.collect::<String>())
    }
}

/// The messenger of one namespace.
struct Nats {
    links: Arc<Links<NatsDial>>,
    prefix: Prefix,
}

impl Nats {
    fn stream(&self) -> Option<&str> {
        self.links.dial().stream.as_deref()
    }
}

#[async_trait]
impl Messenger for Nats {
    async fn send(&self, topic: &Topic, message: &Message) -> Result<(), Error> {
        let subject = self.prefix.subject(topic);
        let stream = self.stream();
        let call = |connection: Connection| async move {
            match stream {
                Some(stream) => connection.store(stream, subject, message).await,
                None => connection.send(subject, None, message).await,
            }
        };
        self.links.here().call(call).await
    }

    async fn request(&self, topic: &Topic, message: &Message, replies: &mut Replies) -> Result<(), Error> {
        if self.stream().is_some() {
            // The stream would answer first, with its acknowledgement.
            return Err(Error::Unsupported("requests: its messages go to a stream"));
        }
        let subject = self.prefix.subject(topic);
        let missing = replies.missing();
        let call = |connection: Connection| async move { connection.ask(subject, message, missing).await };
        let mut asked = self.links.here().call(call).await?;
        while !replies.is_complete() {
            match asked.next().await {
                Some(reply) if reply.status == Some(async_nats::StatusCode::NO_RESPONDERS) => {
                    return Err(Error::NoResponder(topic.clone()));
                }
                Some(reply) => replies.push(received(reply))?,
                None => return Err(lost().error),
            }
        }
        Ok(())
    }

    async fn subscribe(&self, filter: &Filter) -> Result<Subscription, Error> {
        let pattern = self.prefix.pattern(filter);
        let call = |connection: Connection| async move {
            let messages = connection.subscribe(pattern).await;
            messages.map(|messages| (messages, connection))
        };
        let (mut messages, connection) = self.links.here().call(call).await?;
        let (prefix, is_stored) = (self.prefix.clone(), self.stream().is_some());
        // The client has the queue.
        let (queue, receiver) = mpsc::channel(1);
        #[expect(clippy::disallowed_methods, reason = "ends with the subscription, or the client")]
        let task = tokio::spawn(async move {
            while let Some(message) = messages.next().await {
                let Some(topic) = prefix.topic(&message.subject) else { continue };
                // Of a message for a stream, that is where the acknowledgement goes.
                let reply = message.reply.clone().filter(|_| !is_stored);
                let reply = reply.map(|to| ReplyTo::new(Inbox { connection: connection.clone(), to: to.to_string() }));
                let message = received(message);
                if queue.send(Delivery { topic, message, reply, _room: Room::default() }).await.is_err() {
                    break;
                }
            }
        });
        let task = task.abort_handle();
        Ok(Subscription::new(receiver, End(Some(Box::new(move || task.abort())))))
    }
}

/// Where a reply goes.
struct Inbox {
    connection: Connection,
    to: String,
}

#[async_trait]
impl Answer for Inbox {
    async fn reply(&self, reply: Message) -> Result<(), Error> {
        let sent = self.connection.clone().send(self.to.clone(), None, &reply).await;
        sent.map_err(|trouble: Trouble<Error>| trouble.error)
    }
}
