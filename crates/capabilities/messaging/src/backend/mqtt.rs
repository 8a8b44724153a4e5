//! MQTT, version 5.
//!
//! A topic is `APP/LABEL/TOPIC` with `/` for each `.`; the content type, metadata and where replies go are the protocol's own
//! properties: other programs may send and read them.

mod connection;
mod packet;

use crate::subscription::{Answer, End, Room};
use crate::{Delivery, Error, Filter, Message, Messenger, Prefix, Replies, ReplyTo, Subscription, Topic};
use async_trait::async_trait;
use bytes::Bytes;
use connection::{Connection, Events, PACKET_BYTES_MAX, Published, Raw};
use rumqttc::{
    AckMode, AsyncClient, ManualAck, MqttOptions, NetworkOptions, Packet, Publish, TlsConfiguration, Transport,
};
use serde::Deserialize;
use std::fmt::Write as _;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use wharf_kit::{Backend, BackendError, Dial, Embedded, Links, Lost, Namespace, NoConnection, Opened, Period, Trouble};
use wharf_servers::tls::{Pem, Tls};
use wharf_telemetry::clock;

/// The entry of the list.
pub(super) const BACKEND: Backend<dyn Messenger> = Backend {
    name: "mqtt",
    summary: "An MQTT server that speaks version 5.",
    durability: "Acknowledged means that the server has taken the message, with quality of service 1: what it keeps for subscribers who \
                 are away, and whether that survives its end, it is set to. A message may arrive twice.",
    example: "backend = \"mqtt\"\nurl = \"mqtt://127.0.0.1:1883\"\nconnect_timeout = \"1s\"\nresponse_timeout = \"2s\"\n",
    open,
};

/// Messages that a subscriber has and has not dropped; the server holds back the others.
const UNDER_WAY: u16 = 64;

/// Seconds without a word before the server is asked whether it is there: a machine that is gone is noticed after two of them.
const KEEP_ALIVE_SECONDS: u16 = 5;

/// Where replies to the host's requests come in. No app has such a name.
const REPLIES: &str = "_replies";

/// The settings of MQTT.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    /// `mqtt://HOST[:PORT]`, or `mqtts://` with TLS.
    url: String,
    /// The user.
    username: Option<String>,
    /// The user's password.
    password: Option<String>,
    /// Who has to have signed the server's certificate, in place of those whom the platform trusts: a PEM file, or its text.
    authorities: Option<Pem>,
    /// The certificate that is shown to the server, with its chain: a PEM file, or its text.
    certificate: Option<Pem>,
    /// Its key: a PEM file, or its text.
    key: Option<Pem>,
    /// What stands in front of topics, instead of the app and the label: `""` for nothing. Parts are separated by `.` here too.
    prefix: Option<String>,
    /// How long a new connection may take.
    #[serde(default = "connect_timeout")]
    connect_timeout: Period,
    /// How long the server may acknowledge nothing while calls wait for it.
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
    let (scheme, host, port) = server(&config.url).ok_or_else(|| {
        let text = "`url` is not the URL of an MQTT server, as in \"mqtt://127.0.0.1:1883\"; a user and a password are \
                    `username` and `password`";
        BackendError::Settings(text.to_owned())
    })?;
    // A namespace that is none, only to hear of a bad prefix now.
    Prefix::new(config.prefix.as_deref(), &Namespace::shared("x"))?;
    let Config { authorities, certificate, key, .. } = config.clone();
    let tls = Tls { authorities, certificate, key };
    tls.only_with(scheme == "mqtts", "write `mqtts://` in `url`")?;
    let transport = match scheme {
        "mqtts" => Transport::tls_with_config(TlsConfiguration::Rustls(Arc::new(tls.config()?))),
        _ => Transport::Tcp,
    };
    let place = format!("{scheme}://{}", config.url.split_once("://").map_or("", |(_, rest)| rest));
    let dial = MqttDial { place, host: host.to_owned(), port, transport, config: config.clone() };
    Ok(Arc::new(Server(Arc::new(Links::new(dial)))))
}

/// Takes `SCHEME://HOST[:PORT]` apart.
fn server(url: &str) -> Option<(&str, &str, u16)> {
    let (scheme, rest) = url.split_once("://")?;
    let default = match scheme {
        "mqtt" => 1883,
        "mqtts" => 8883,
        _ => return None,
    };
    let rest = rest.strip_suffix('/').unwrap_or(rest);
    // The host may be an address of IPv6 in brackets.
    let (host, port) = match rest.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, port.parse().ok()?),
        _ => (rest, default),
    };
    let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    let is_host = !host.is_empty() && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-_:".contains(&byte));
    is_host.then_some((scheme, host, port))
}

/// What connections are made with.
struct MqttDial {
    place: String,
    host: String,
    port: u16,
    transport: Transport,
    config: Config,
}

impl Dial for MqttDial {
    type Connection = Connection;

    fn capability(&self) -> &'static str {
        crate::CAPABILITY
    }

    fn place(&self) -> &str {
        &self.place
    }

    async fn connect(&self, lost: Lost<Self>) -> Result<Connection, NoConnection> {
        let id = client_id();
        let (raw, events) = self.dial(&id, AckMode::Automatic).await?;
        Ok(Connection::new(raw, events, format!("{REPLIES}/{id}"), move || lost.tell()))
    }
}

impl MqttDial {
    /// Connects. The client acts as long as its events are asked for.
    async fn dial(&self, id: &str, acknowledge: AckMode) -> Result<(Raw, Events), NoConnection> {
        let config = &self.config;
        // Without it a small packet waits until the server has confirmed the one before, which takes it up to 40 ms.
        let mut network = NetworkOptions::new();
        network.set_tcp_nodelay(true);
        let mut options = MqttOptions::new(id, (self.host.clone(), self.port));
        options
            .set_transport(self.transport.clone())
            .set_network_options(network)
            .set_keep_alive(KEEP_ALIVE_SECONDS)
            .set_clean_start(true)
            .set_receive_maximum(Some(UNDER_WAY))
            .set_max_packet_size(Some(PACKET_BYTES_MAX))
            .set_connect_timeout(config.connect_timeout.0)
            .set_ack_mode(acknowledge);
        if let Some(username) = &config.username {
            options.set_credentials(username, config.password.clone().unwrap_or_default());
        }
        let failed = |source| connection::refused(Some(source));
        let (client, events) =
            AsyncClient::builder(options).try_build().map_err(|error| failed(Box::new(error) as Box<_>))?;
        let mut events = Events::new(events);
        let connected = async {
            loop {
                if let Packet::ConnAck(answer) = events.next().await? {
                    return Ok(answer);
                }
            }
        };
        let connected = tokio::time::timeout(config.connect_timeout.0, connected).await;
        let answer = connected.map_err(|_| connection::too_late())?.map_err(connection::not_connected)?;
        Ok((Raw::new(client, &answer, &events, config.response_timeout.0), events))
    }
}

/// Returns a name that nobody guesses: replies come in under it.
fn client_id() -> String {
    let mut id = String::from("wharf-");
    for _ in 0..2 {
        // Each state has a key of its own, made of what the system gives for that.
        let _ = write!(id, "{:016x}", RandomState::new().hash_one(clock::now()));
    }
    id
}

/// One server, with a connection for each core.
struct Server(Arc<Links<MqttDial>>);

impl Server {
    fn prefix(&self, namespace: &Namespace) -> Result<Prefix, BackendError> {
        Prefix::new(self.0.dial().config.prefix.as_deref(), namespace)
    }
}

impl Opened<dyn Messenger> for Server {
    fn store(&self, namespace: &Namespace) -> Result<Arc<dyn Messenger>, BackendError> {
        Ok(Arc::new(Mqtt { links: Arc::clone(&self.0), prefix: self.prefix(namespace)? }))
    }

    fn place(&self, namespace: &Namespace) -> String {
        let prefix = self.prefix(namespace).map(|prefix| packet::pattern(&prefix.to_string())).unwrap_or_default();
        format!("{} {prefix}", self.0.dial().place)
    }
}

/// The messenger of one namespace.
struct Mqtt {
    links: Arc<Links<MqttDial>>,
    prefix: Prefix,
}

#[async_trait]
impl Messenger for Mqtt {
    async fn send(&self, topic: &Topic, message: &Message) -> Result<(), Error> {
        let publish = packet::publish(packet::topic(&self.prefix.subject(topic)), message);
        let call = |connection: Connection| async move { connection.raw().publish(publish).await };
        self.links.here().call(call).await.map(drop)
    }

    async fn request(&self, topic: &Topic, message: &Message, replies: &mut Replies) -> Result<(), Error> {
        let publish = packet::publish(packet::topic(&self.prefix.subject(topic)), message);
        let missing = replies.missing();
        let call = |connection: Connection| async move { connection.ask(publish, missing).await };
        let (mut asked, published) = self.links.here().call(call).await?;
        if published == Published::ToNobody {
            return Err(Error::NoResponder(topic.clone()));
        }
        while !replies.is_complete() {
            match asked.next().await {
                Some(reply) => replies.push(reply)?,
                None => return Err(connection::lost().error),
            }
        }
        Ok(())
    }

    async fn subscribe(&self, filter: &Filter) -> Result<Subscription, Error> {
        // A connection of its own, which the server holds back messages from without holding back anybody else.
        let (raw, events) = self.links.dial().dial(&client_id(), AckMode::Manual).await?;
        let (queue, receiver) = mpsc::channel(UNDER_WAY.into());
        let (came, unacknowledged) = mpsc::unbounded_channel();
        let (left, seats) = mpsc::unbounded_channel();
        let pump = Pump { raw: raw.clone(), prefix: self.prefix.clone(), filter: filter.clone(), queue, came, left };
        let acknowledge = acknowledge(raw.clone(), unacknowledged, seats);
        let run = async move {
            // Side by side: only a client whose events are asked for takes acknowledgements.
            tokio::select! {
                () = pump.run(events) => {}
                () = acknowledge => {}
            }
        };
        #[expect(clippy::disallowed_methods, reason = "ends with the subscription, or its connection")]
        let task = tokio::spawn(run).abort_handle();
        let end = End(Some(Box::new(move || task.abort())));
        raw.subscribe(packet::pattern(&self.prefix.pattern(filter))).await.map_err(|trouble| trouble.error)?;
        Ok(Subscription::new(receiver, end))
    }
}

/// What brings the messages of one subscription.
struct Pump {
    raw: Raw,
    prefix: Prefix,
    filter: Filter,
    queue: mpsc::Sender<Delivery>,
    /// What the server waits for, for each message that came.
    came: mpsc::UnboundedSender<ManualAck>,
    /// Told for each of them that is dropped.
    left: mpsc::UnboundedSender<()>,
}

impl Pump {
    async fn run(self, mut events: Events) {
        while let Ok(packet) = events.next().await {
            if let Packet::Publish(publish) = packet
                && let Some(delivery) = self.delivery(publish)
            {
                // There is room: the server sends no more than so many before some are acknowledged. What it sends without being asked
                // for an acknowledgement is not promised to arrive.
                let _ = self.queue.try_send(delivery);
            }
        }
    }

    fn delivery(&self, publish: Publish) -> Option<Delivery> {
        // Given back when the message is dropped, here or by whoever takes it.
        let room = Room(self.raw.acknowledgement(&publish).map(|acknowledgement| {
            let _ = self.came.send(acknowledgement);
            Box::new(Seat(self.left.clone())) as Box<_>
        }));
        if publish.retain {
            // It was sent before.
            return None;
        }
        let topic = self.prefix.topic(&packet::subject(&publish.topic)?)?;
        if !self.filter.matches(&topic) {
            return None;
        }
        let properties = publish.properties.as_ref();
        let to = properties.and_then(|properties| Some((properties.response_topic.clone()?, properties)));
        let reply = to.map(|(topic, properties)| {
            ReplyTo::new(Way { raw: self.raw.clone(), topic, correlation: properties.correlation_data.clone() })
        });
        Some(Delivery { topic, message: packet::received(publish), reply, _room: room })
    }
}

/// A message's room with its subscriber.
struct Seat(mpsc::UnboundedSender<()>);

impl Drop for Seat {
    fn drop(&mut self) {
        let _ = self.0.send(());
    }
}

/// Acknowledges the oldest message for each that is dropped, whichever that is. The server counts them and no more: it keeps nothing for a
/// connection that is lost, and the protocol wants them in the order in which the messages came.
async fn acknowledge(
    raw: Raw,
    mut unacknowledged: mpsc::UnboundedReceiver<ManualAck>,
    mut seats: mpsc::UnboundedReceiver<()>,
) {
    while seats.recv().await.is_some() {
        let Some(acknowledgement) = unacknowledged.recv().await else { return };
        if raw.acknowledge(acknowledgement).await.is_err() {
            return;
        }
    }
}

/// Where a reply goes.
struct Way {
    raw: Raw,
    topic: String,
    correlation: Option<Bytes>,
}

#[async_trait]
impl Answer for Way {
    async fn reply(&self, reply: Message) -> Result<(), Error> {
        let mut publish = packet::publish(self.topic.clone(), &reply);
        publish.properties.get_or_insert_default().correlation_data.clone_from(&self.correlation);
        match self.raw.publish(publish).await.map_err(|trouble: Trouble<Error>| trouble.error)? {
            Published::ToNobody => Err(Error::Gone),
            Published::Taken => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_a_scheme_a_host_and_a_port() {
        assert_eq!(server("mqtt://127.0.0.1:1884"), Some(("mqtt", "127.0.0.1", 1884)));
        assert_eq!(server("mqtts://broker.example.com/"), Some(("mqtts", "broker.example.com", 8883)));
        assert_eq!(server("mqtt://[::1]:7"), Some(("mqtt", "::1", 7)));
        assert_eq!(server("mqtt://[::1]"), Some(("mqtt", "::1", 1883)));
        for bad in ["", "127.0.0.1", "http://a", "mqtt://", "mqtt://:1", "mqtt://a:b", "mqtt://u:p@a", "mqtt://a/b"] {
            assert_eq!(server(bad), None, "{bad}");
        }
    }

    #[test]
    fn no_two_clients_have_one_name() {
        assert_ne!(client_id(), client_id());
        assert_eq!(client_id().len(), 6 + 32);
    }
}
