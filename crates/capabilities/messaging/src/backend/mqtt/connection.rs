//! One connection, and what is sent over it.

use super::packet;
use crate::{Error, Message};
use bytes::Bytes;
use rumqttc::{
    AsyncClient, ClientError, ConnAck, ConnectReturnCode, ConnectionError, Event, EventLoop, ManualAck, Packet,
    PubAckReason, Publish, PublishNoticeError, PublishOptions, PublishResult, QoS, StateError, SubscribeNoticeError,
};
use std::collections::HashMap;
use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::{OnceCell, mpsc};
use wharf_kit::{Kind, NoConnection, Refused, Trouble};
use wharf_servers::tls;
use wharf_telemetry::clock;

/// The largest message that the server may send: larger ones than any label takes without an operator's word.
pub(super) const PACKET_BYTES_MAX: u32 = 16 << 20;

/// The longest head of a packet before its topic: a byte, the length, the topic's length, the packet's number.
const HEAD_BYTES: usize = 9;

/// What comes in over a connection.
pub(super) struct Events {
    events: EventLoop,
    answered: Answered,
}

/// When the server last acknowledged something.
#[derive(Clone)]
struct Answered(Arc<Mutex<Instant>>);

impl Events {
    pub(super) fn new(events: EventLoop) -> Self {
        Self { events, answered: Answered(Arc::new(Mutex::new(clock::now()))) }
    }

    /// Waits for the next packet, and sends what is to be sent meanwhile. Dropping the future may lose some of that.
    pub(super) async fn next(&mut self) -> Result<Packet, ConnectionError> {
        loop {
            if let Event::Incoming(packet) = self.events.poll().await? {
                if matches!(packet, Packet::PubAck(_) | Packet::SubAck(_)) {
                    *self.answered.last() = clock::now();
                }
                return Ok(packet);
            }
        }
    }
}

impl Answered {
    fn last(&self) -> MutexGuard<'_, Instant> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A client of the crate, with what the server said when it connected.
#[derive(Clone)]
pub(super) struct Raw {
    client: AsyncClient,
    packet_bytes_max: usize,
    answered: Answered,
    timeout: Duration,
}

/// What became of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Published {
    /// The server has it.
    Taken,
    /// The server has it and says that nobody is subscribed.
    ToNobody,
}

impl Raw {
    pub(super) fn new(client: AsyncClient, answer: &ConnAck, events: &Events, timeout: Duration) -> Self {
        let limit = answer.properties.as_ref().and_then(|properties| properties.max_packet_size);
        let packet_bytes_max = limit.map_or(usize::MAX, |limit| usize::try_from(limit).unwrap_or(usize::MAX));
        Self { client, packet_bytes_max, answered: events.answered.clone(), timeout }
    }

    /// Sends a message. Returns when the server has it.
    pub(super) async fn publish(&self, publish: Publish) -> Result<Published, Trouble<Error>> {
        // The client would end the connection, which others share.
        let bytes = publish.size() + HEAD_BYTES;
        if bytes > self.packet_bytes_max {
            return Err(Error::from(Refused::TooLarge { bytes, limit_bytes: self.packet_bytes_max }).into());
        }
        let topic = String::from_utf8_lossy(&publish.topic).into_owned();
        let options = PublishOptions::new(QoS::AtLeastOnce);
        let options = match publish.properties {
            Some(properties) => options.properties(properties),
            None => options,
        };
        let published = async {
            let notice = self.client.publish_tracked(topic, publish.payload, options).await.map_err(|error| {
                // An invalid one is none of the connection's fault.
                let is_lost = !matches!(error, ClientError::InvalidRequest(_));
                Trouble { is_lost, ..refusal("the client does not take the message", error) }
            })?;
            match notice.wait_async().await {
                Ok(PublishResult::Qos1(answer)) => taken(answer.reason),
                Ok(_) => Ok(Published::Taken),
                Err(PublishNoticeError::V5PubAck(reason)) => taken(reason),
                Err(_) => Err(lost()),
            }
        };
        self.in_time(published).await
    }

    /// Subscribes. When it returns, the server knows.
    pub(super) async fn subscribe(&self, pattern: String) -> Result<(), Trouble<Error>> {
        let subscribed = async {
            let notice = self.client.subscribe_tracked(pattern, QoS::AtLeastOnce).await.map_err(|_| lost())?;
            notice.wait_completion_async().await.map_err(|error| match error {
                SubscribeNoticeError::V5SubAckFailure(_) => {
                    refusal("the server does not let the host listen there", error)
                }
                _ => lost(),
            })
        };
        self.in_time(subscribed).await?;
        Ok(())
    }

    /// Waits for an answer as long as the server gives any. It takes a bounded number of messages at once, and may write each to its disk:
    /// a call waits for those before it, which is no reason to end the connection that it shares with them.
    async fn in_time<T>(&self, answer: impl Future<Output = Result<T, Trouble<Error>>>) -> Result<T, Trouble<Error>> {
        let mut answer = pin!(answer);
        let mut start = clock::now();
        loop {
            let left = self.timeout.saturating_sub(clock::since(start));
            if let Ok(answer) = tokio::time::timeout(left, &mut answer).await {
                return answer;
            }
            let last = *self.answered.last();
            if last <= start {
                return Err(late());
            }
            start = last;
        }
    }

    /// Returns what the server waits for after a message; nothing for one that it does not count.
    pub(super) fn acknowledgement(&self, publish: &Publish) -> Option<ManualAck> {
        self.client.prepare_ack(publish)
    }

    /// Acknowledges a message. Waits while the client has many others to send.
    pub(super) async fn acknowledge(&self, acknowledgement: ManualAck) -> Result<(), ClientError> {
        self.client.manual_ack(acknowledgement).await
    }
}

fn taken(reason: PubAckReason) -> Result<Published, Trouble<Error>> {
    let why = match reason {
        PubAckReason::Success => return Ok(Published::Taken),
        PubAckReason::NoMatchingSubscribers => return Ok(Published::ToNobody),
        PubAckReason::NotAuthorized => "the server does not let the host send there",
        PubAckReason::QuotaExceeded => {
            return Err(Error::Unavailable { why: "the server has too much to do", source: None }.into());
        }
        _ => "the server does not take it",
    };
    Err(Error::Backend { why, source: Some(format!("{reason:?}").into()) }.into())
}

/// A connection; a clone is for one call.
#[derive(Clone)]
pub(super) struct Connection(Arc<Shared>);

struct Shared {
    raw: Raw,
    /// Where replies come in.
    inbox: String,
    /// Whether the server knows.
    is_listening: OnceCell<()>,
    requests: Arc<Requests>,
    number: AtomicU64,
}

/// Who waits for replies, by the number of the request. Nothing when the connection is lost.
struct Requests(Mutex<Option<HashMap<u64, mpsc::Sender<Message>>>>);

impl Connection {
    /// Takes a client into service. Its task ends when the connection is lost, or when nobody has the connection any more.
    pub(super) fn new(raw: Raw, events: Events, inbox: String, lost: impl FnOnce() + Send + 'static) -> Self {
        let requests = Arc::new(Requests(Mutex::new(Some(HashMap::new()))));
        let service = Service { requests: Arc::clone(&requests), lost: Some(lost) };
        #[expect(clippy::disallowed_methods, reason = "ends with the connection")]
        tokio::spawn(service.run(events));
        Self(Arc::new(Shared { raw, inbox, is_listening: OnceCell::new(), requests, number: AtomicU64::new(0) }))
    }

    pub(super) fn raw(&self) -> &Raw {
        &self.0.raw
    }

    /// Sends a request for so many replies.
    pub(super) async fn ask(self, mut publish: Publish, replies: usize) -> Result<(Asked, Published), Trouble<Error>> {
        let Shared { raw, inbox, is_listening, requests, number } = &*self.0;
        is_listening.get_or_try_init(|| raw.subscribe(inbox.clone())).await?;
        let number = number.fetch_add(1, Ordering::Relaxed);
        let (sender, replies) = mpsc::channel(replies.max(1));
        requests.open().as_mut().ok_or_else(lost)?.insert(number, sender);
        let asked = Asked { number, replies, requests: Arc::clone(requests), _connection: self.clone() };
        let properties = publish.properties.get_or_insert_default();
        properties.response_topic = Some(inbox.clone());
        properties.correlation_data = Some(Bytes::copy_from_slice(&number.to_be_bytes()));
        let published = raw.publish(publish).await?;
        Ok((asked, published))
    }
}

/// Where a request's replies come in.
pub(super) struct Asked {
    number: u64,
    replies: mpsc::Receiver<Message>,
    requests: Arc<Requests>,
    _connection: Connection,
}

impl Asked {
    /// Waits for a reply. Nothing when the connection is lost.
    pub(super) async fn next(&mut self) -> Option<Message> {
        self.replies.recv().await
    }
}

impl Drop for Asked {
    fn drop(&mut self) {
        if let Some(requests) = self.requests.open().as_mut() {
            requests.remove(&self.number);
        }
    }
}

impl Requests {
    fn open(&self) -> MutexGuard<'_, Option<HashMap<u64, mpsc::Sender<Message>>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn reply(&self, publish: Publish) {
        let number = publish.properties.as_ref().and_then(|properties| properties.correlation_data.as_ref());
        let number = number.and_then(|number| Some(u64::from_be_bytes(number.as_ref().try_into().ok()?)));
        let open = self.open();
        if let Some(sender) = number.and_then(|number| open.as_ref()?.get(&number)) {
            // More of them than were asked for are dropped.
            let _ = sender.try_send(packet::received(publish));
        }
    }
}

/// What asks for the events of a connection.
struct Service<L: FnOnce()> {
    requests: Arc<Requests>,
    lost: Option<L>,
}

impl<L: FnOnce()> Service<L> {
    async fn run(self, mut events: Events) {
        // Asking again after an error would connect anew, and send what calls were told to have failed.
        while let Ok(packet) = events.next().await {
            match packet {
                Packet::Publish(publish) => self.requests.reply(publish),
                Packet::Disconnect(_) => break,
                _ => {}
            }
        }
    }
}

impl<L: FnOnce()> Drop for Service<L> {
    fn drop(&mut self) {
        // Also when the client panics.
        self.requests.open().take();
        if let Some(lost) = self.lost.take() {
            lost();
        }
    }
}

// === Errors ===

/// Returns why there is no connection.
pub(super) fn not_connected(error: ConnectionError) -> NoConnection {
    let cause: &(dyn std::error::Error + 'static) = match &error {
        // Which it does not give out as its source.
        ConnectionError::MqttState(StateError::Deserialization(error)) => error,
        error => error,
    };
    if let Some(why) = tls::explain(cause) {
        return NoConnection { kind: Kind::Backend, why, source: Some(error.into()) };
    }
    let (kind, why) = match &error {
        ConnectionError::ConnectionRefused(
            ConnectReturnCode::ServerBusy
            | ConnectReturnCode::ServerUnavailable
            | ConnectReturnCode::ServiceUnavailable
            | ConnectReturnCode::ConnectionRateExceeded
            | ConnectReturnCode::QuotaExceeded,
        ) => (Kind::Unavailable, "the server is not ready"),
        ConnectionError::ConnectionRefused(
            ConnectReturnCode::UnsupportedProtocolVersion | ConnectReturnCode::RefusedProtocolVersion,
        ) => (Kind::Backend, "the server does not speak MQTT 5"),
        ConnectionError::ConnectionRefused(_) => (Kind::Backend, "the server does not let the host in"),
        ConnectionError::Timeout(_) => return too_late(),
        _ => (Kind::Unavailable, "the server is not there"),
    };
    NoConnection { kind, why, source: Some(error.into()) }
}

pub(super) fn refused(source: Option<Box<dyn std::error::Error + Send + Sync>>) -> NoConnection {
    NoConnection { kind: Kind::Backend, why: "the host cannot connect", source }
}

pub(super) fn too_late() -> NoConnection {
    NoConnection { kind: Kind::Unavailable, why: "the server does not answer in time", source: None }
}

pub(super) fn lost() -> Trouble<Error> {
    let error = Error::Unavailable { why: "the connection to the server is lost", source: None };
    Trouble { error, is_lost: true }
}

fn late() -> Trouble<Error> {
    let error = Error::Unavailable { why: "the server does not answer in time", source: None };
    Trouble { error, is_lost: true }
}

fn refusal(why: &'static str, error: impl std::error::Error + Send + Sync + 'static) -> Trouble<Error> {
    Error::Backend { why, source: Some(error.into()) }.into()
}
