//! NATS: core, and streams of JetStream.
//!
//! A topic is the subject `APP.LABEL.TOPIC`, the content type and metadata are headers: other programs may send and read them.

mod connection;

use crate::subscription::{Answer, End, Room};
use crate::{Delivery, Error, Filter, Message, Messenger, Prefix, Replies, ReplyTo, Subscription, Topic};
use async_nats::{ConnectError, ConnectErrorKind, ConnectOptions, Event, ServerError};
use async_trait::async_trait;
use connection::{Connection, lost, received};
use futures_util::StreamExt;
use serde::Deserialize;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use wharf_kit::{
    Backend, BackendError, Dial, Embedded, Kind, Links, Lost, Namespace, NoConnection, Opened, Period, Trouble,
};

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
#[derive(Clone, Deserialize)]
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
    /// A file with the certificates, in PEM, that the server's has to be signed by. Absent: those that the system trusts.
    ca: Option<PathBuf>,
    /// What stands in front of topics, instead of the app and the label: `""` for nothing.
    prefix: Option<String>,
    /// A stream of JetStream that has to take every message. It is there already, and its subjects cover those of the label.
    stream: Option<String>,
    /// The beginning of the subjects where answers come in, for accounts that may not use `_INBOX`.
    inbox_prefix: Option<String>,
    /// How long a new connection may take.
    #[serde(default = "connect_timeout")]
    connect_timeout: Period,
    /// How long the server may take to acknowledge.
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
    let addresses = config.url.split(',').map(|url| url.trim().parse::<async_nats::ServerAddr>());
    // The message of the crate may have the URL, and that the password.
    let addresses = addresses.collect::<Result<Vec<_>, _>>().map_err(|_| {
        BackendError::Settings("`url` is not the URL of a NATS server, as in \"nats://127.0.0.1:4222\"".to_owned())
    })?;
    check_inbox(config.inbox_prefix.as_deref())?;
    // A namespace that is none, only to hear of a bad prefix now.
    Prefix::new(config.prefix.as_deref(), &Namespace::shared("x"))?;
    let credentials = config.credentials.as_ref().map(|path| {
        std::fs::read_to_string(path).map_err(|error| BackendError::Open { path: path.clone(), source: error.into() })
    });
    let place = addresses.iter().map(|address| format!("{}://{}:{}", address.scheme(), address.host(), address.port()));
    let dial = NatsDial {
        place: place.collect::<Vec<_>>().join(","),
        credentials: credentials.transpose()?,
        addresses,
        config,
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

/// What connections are made with.
struct NatsDial {
    place: String,
    addresses: Vec<async_nats::ServerAddr>,
    credentials: Option<String>,
    config: Config,
}

impl Dial for NatsDial {
    const CAPABILITY: &'static str = crate::CAPABILITY;
    type Connection = Connection;

    fn place(&self) -> &str {
        &self.place
    }

    async fn connect(&self, lost: Lost<Self>) -> Result<Connection, NoConnection> {
        let (tell, end) = watch::channel(());
        // Taken by the first event that ends the connection.
        let open = Arc::new(Mutex::new(Some((tell, lost))));
        let refused = Arc::new(Mutex::new(Vec::new()));
        let refusals = Arc::clone(&refused);
        let options = self.options()?.event_callback(move |event| {
            match event {
                Event::Disconnected | Event::Closed => {
                    let open = open.lock().unwrap_or_else(PoisonError::into_inner).take();
                    if let Some((_, lost)) = open {
                        lost.tell();
                    }
                }
                Event::ServerError(ServerError::Other(text)) => note_refusal(&refusals, &text),
                _ => {}
            }
            std::future::ready(())
        });
        let timeout = self.config.connect_timeout.0;
        let late = |_| away("the server does not answer in time");
        let client = tokio::time::timeout(timeout, options.connect(&*self.addresses)).await.map_err(late)?;
        let client = client.map_err(not_connected)?;
        Connection::new(client, end, refused, self.config.response_timeout.0).await
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

impl NatsDial {
    fn options(&self) -> Result<ConnectOptions, NoConnection> {
        let config = &self.config;
        let mut options = ConnectOptions::new()
            .name("wharf")
            .connection_timeout(config.connect_timeout.0)
            .subscription_capacity(QUEUE)
            // A lost connection is replaced by a new client: this one would send later what calls were told to have failed.
            .max_reconnects(self.addresses.len())
            // A machine that is gone is noticed after two of them.
            .ping_interval(Duration::from_secs(5));
        if let Some(path) = &config.ca {
            options = options.add_root_certificates(path.clone());
        }
        if let Some(prefix) = &config.inbox_prefix {
            options = options.custom_inbox_prefix(prefix);
        }
        if let Some(token) = &config.token {
            options = options.token(token.clone());
        }
        if let Some(username) = &config.username {
            options = options.user_and_password(username.clone(), config.password.clone().unwrap_or_default());
        }
        if let Some(credentials) = &self.credentials {
            let bad = |error: std::io::Error| NoConnection {
                kind: Kind::Backend,
                why: "the host's credentials are damaged",
                source: Some(error.into()),
            };
            options = options.credentials(credentials).map_err(bad)?;
        }
        Ok(options)
    }
}

fn away(why: &'static str) -> NoConnection {
    NoConnection { kind: Kind::Unavailable, why, source: None }
}

/// Returns why there is no connection.
fn not_connected(error: ConnectError) -> NoConnection {
    let (kind, why) = match error.kind() {
        ConnectErrorKind::Authentication | ConnectErrorKind::AuthorizationViolation => {
            (Kind::Backend, "the server does not let the host in")
        }
        ConnectErrorKind::TimedOut => (Kind::Unavailable, "the server does not answer in time"),
        _ => (Kind::Unavailable, "the server is not there"),
    };
    NoConnection { kind, why, source: Some(error.into()) }
}

/// One server or cluster, with a connection for each core.
struct Server(Arc<Links<NatsDial>>);

impl Server {
    fn prefix(&self, namespace: &Namespace) -> Result<Prefix, BackendError> {
        Prefix::new(self.0.dial().config.prefix.as_deref(), namespace)
    }
}

impl Opened<dyn Messenger> for Server {
    fn store(&self, namespace: &Namespace) -> Result<Arc<dyn Messenger>, BackendError> {
        Ok(Arc::new(Nats { links: Arc::clone(&self.0), prefix: self.prefix(namespace)? }))
    }

    fn place(&self, namespace: &Namespace) -> String {
        let prefix = self.prefix(namespace).map(|prefix| prefix.to_string()).unwrap_or_default();
        let stream = self.0.dial().config.stream.iter().map(|stream| format!(" in the stream {stream}"));
        format!("{} {prefix}{}", self.0.dial().place, stream.collect::<String>())
    }
}

/// The messenger of one namespace.
struct Nats {
    links: Arc<Links<NatsDial>>,
    prefix: Prefix,
}

impl Nats {
    fn stream(&self) -> Option<&str> {
        self.links.dial().config.stream.as_deref()
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
