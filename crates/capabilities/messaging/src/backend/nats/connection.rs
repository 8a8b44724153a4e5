//! One connection, and what is sent over it.

use crate::message::CONTENT_TYPE;
use crate::{Error, Message};
use async_nats::header::{HeaderName, HeaderValue};
use async_nats::jetstream::context::{ContextBuilder, PublishErrorKind as StoreErrorKind};
use async_nats::jetstream::{self, message::PublishMessage};
use async_nats::{Client, HeaderMap, PublishErrorKind, Subscriber};
use futures_util::StreamExt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::AbortHandle;
use wharf_kit::{Kind, NoConnection, Payload, Refused, Trouble};

/// A connection; a clone is for one call.
#[derive(Clone)]
pub(super) struct Connection(Arc<Shared>);

struct Shared {
    client: Client,
    jetstream: jetstream::Context,
    echo: Echo,
    /// Closed when the connection is lost: the client would let calls wait for their answers until the end of their time.
    end: watch::Receiver<()>,
    /// Subjects that the server refused.
    refused: Arc<Mutex<Vec<String>>>,
    timeout: Duration,
}

/// Where a request's replies come in.
pub(super) struct Asked {
    replies: Subscriber,
    connection: Connection,
}

impl Asked {
    /// Waits for a reply. Nothing when the connection is lost.
    pub(super) async fn next(&mut self) -> Option<async_nats::Message> {
        let mut end = self.connection.0.end.clone();
        tokio::select! {
            biased;
            reply = self.replies.next() => reply,
            _ = end.changed() => None,
        }
    }
}

impl Connection {
    pub(super) async fn new(
        client: Client,
        end: watch::Receiver<()>,
        refused: Arc<Mutex<Vec<String>>>,
        timeout: Duration,
    ) -> Result<Self, NoConnection> {
        let jetstream = ContextBuilder::new().timeout(timeout).build(client.clone());
        let echo = Echo::new(&client).await?;
        Ok(Self(Arc::new(Shared { client, jetstream, echo, end, refused, timeout })))
    }

    /// Sends a message. Returns when the server has worked it off: a message to ourselves that was sent after it has come back.
    pub(super) async fn send(
        self,
        subject: String,
        reply: Option<String>,
        message: &Message,
    ) -> Result<(), Trouble<Error>> {
        let Shared { client, echo, .. } = &*self.0;
        self.answered(async {
            self.publish(subject.clone(), reply, message).await?;
            echo.come_back(client).await
        })
        .await?;
        let mut refused = self.0.refused.lock().unwrap_or_else(PoisonError::into_inner);
        match refused.iter().position(|refused| *refused == subject) {
            None => Ok(()),
            Some(index) => {
                refused.remove(index);
                Err(Error::Backend { why: "the server does not let the host send there", source: None }.into())
            }
        }
    }

    /// Sends a message to a stream. Returns when that has it.
    pub(super) async fn store(self, stream: &str, subject: String, message: &Message) -> Result<(), Trouble<Error>> {
        let publish = PublishMessage::build().payload(message.data.clone()).headers(headers(message));
        let publish = publish.expected_stream(stream);
        let limit_bytes = self.0.client.max_payload();
        let explain = |error: jetstream::context::PublishError| {
            let why = match error.kind() {
                StoreErrorKind::BrokenPipe => return lost(),
                StoreErrorKind::TimedOut => return late(),
                StoreErrorKind::MaxPayloadExceeded => {
                    return Error::from(Refused::TooLarge { bytes: message.size_bytes(), limit_bytes }).into();
                }
                StoreErrorKind::StreamNotFound => "no stream takes this topic",
                _ => "the stream does not take it",
            };
            Error::Backend { why, source: Some(error.into()) }.into()
        };
        self.answered(async {
            let acknowledged = self.0.jetstream.send_publish(subject, publish).await.map_err(explain)?;
            acknowledged.await.map(drop).map_err(explain)
        })
        .await
    }

    /// Sends a request for so many replies.
    pub(super) async fn ask(self, subject: String, message: &Message, replies: usize) -> Result<Asked, Trouble<Error>> {
        let inbox = self.0.client.new_inbox();
        let mut subscriber = self.subscribe_only(inbox.clone()).await?;
        subscriber.unsubscribe_after(replies as u64).await.map_err(|_| lost())?;
        self.clone().send(subject, Some(inbox), message).await?;
        Ok(Asked { replies: subscriber, connection: self })
    }

    /// Subscribes. When it returns, the server knows.
    pub(super) async fn subscribe(&self, pattern: String) -> Result<Subscriber, Trouble<Error>> {
        let subscriber = self.subscribe_only(pattern).await?;
        self.answered(self.0.echo.come_back(&self.0.client)).await?;
        Ok(subscriber)
    }

    async fn subscribe_only(&self, pattern: String) -> Result<Subscriber, Trouble<Error>> {
        self.0.client.subscribe(pattern).await.map_err(|_| lost())
    }

    async fn publish(&self, subject: String, reply: Option<String>, message: &Message) -> Result<(), Trouble<Error>> {
        let client = &self.0.client;
        let data = message.data.clone();
        let sent = match (reply, headers(message)) {
            (None, headers) if headers.is_empty() => client.publish(subject, data).await,
            (None, headers) => client.publish_with_headers(subject, headers, data).await,
            (Some(reply), headers) if headers.is_empty() => client.publish_with_reply(subject, reply, data).await,
            (Some(reply), headers) => client.publish_with_reply_and_headers(subject, reply, headers, data).await,
        };
        sent.map_err(|error| match error.kind() {
            PublishErrorKind::MaxPayloadExceeded => {
                let limit_bytes = client.max_payload();
                Error::from(Refused::TooLarge { bytes: message.size_bytes(), limit_bytes }).into()
            }
            PublishErrorKind::InvalidSubject => {
                Error::Backend { why: "the client does not take the subject", source: Some(error.into()) }.into()
            }
            PublishErrorKind::Send => lost(),
        })
    }

    /// Waits for an answer of the server, for as long as there is hope.
    async fn answered<T>(&self, answer: impl Future<Output = Result<T, Trouble<Error>>>) -> Result<T, Trouble<Error>> {
        let mut end = self.0.end.clone();
        tokio::select! {
            biased;
            answer = tokio::time::timeout(self.0.timeout, answer) => answer.unwrap_or_else(|_| Err(late())),
            _ = end.changed() => Err(lost()),
        }
    }
}

/// Messages to ourselves. A server works off what comes over one connection one after the other, so that one that has come back tells
/// that it has worked off all before it.
struct Echo {
    inbox: String,
    sent: AtomicU64,
    seen: watch::Receiver<u64>,
    task: AbortHandle,
}

impl Echo {
    async fn new(client: &Client) -> Result<Self, NoConnection> {
        let inbox = client.new_inbox();
        let mut echoes = client.subscribe(inbox.clone()).await.map_err(|error| NoConnection {
            kind: Kind::Unavailable,
            why: "the connection to the server is lost",
            source: Some(error.into()),
        })?;
        let (tell, seen) = watch::channel(0);
        #[expect(clippy::disallowed_methods, reason = "ends with the connection")]
        let task = tokio::spawn(async move {
            while let Some(echo) = echoes.next().await {
                let number = echo.payload.as_ref().try_into().map(u64::from_be_bytes);
                tell.send_if_modified(|seen| {
                    let newer = number.unwrap_or(0).max(*seen);
                    std::mem::replace(seen, newer) != newer
                });
            }
        });
        Ok(Self { inbox, sent: AtomicU64::new(0), seen, task: task.abort_handle() })
    }

    async fn come_back(&self, client: &Client) -> Result<(), Trouble<Error>> {
        // All that is sent before this line is in the client's queue before what is sent after it.
        let number = self.sent.fetch_add(1, Ordering::SeqCst) + 1;
        let data = number.to_be_bytes().to_vec();
        client.publish(self.inbox.clone(), data.into()).await.map_err(|_| lost())?;
        self.seen.clone().wait_for(|seen| *seen >= number).await.map_err(|_| lost())?;
        Ok(())
    }
}

impl Drop for Echo {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Returns a message as it came.
pub(super) fn received(message: async_nats::Message) -> Message {
    let headers = message.headers.unwrap_or_default();
    let mut metadata: Vec<(String, String)> = headers
        .iter()
        .filter_map(|(name, values)| Some((name.to_string(), values.first()?.as_str().to_owned())))
        .collect();
    // The client forgets in which order they came.
    metadata.sort_unstable();
    Message::received(message.payload, metadata)
}

/// The message's metadata was checked, so that every name and value is one; what is none is left out rather than a reason to panic.
fn headers(message: &Message) -> HeaderMap {
    let mut headers = HeaderMap::new();
    let content_type = message.content_type.as_deref().map(|value| (CONTENT_TYPE, value));
    let metadata = message.metadata.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    for (name, value) in content_type.into_iter().chain(metadata) {
        if let (Ok(name), Ok(value)) = (name.parse::<HeaderName>(), value.parse::<HeaderValue>()) {
            headers.insert(name, value);
        }
    }
    headers
}

pub(super) fn lost() -> Trouble<Error> {
    let error = Error::Unavailable { why: "the connection to the server is lost", source: None };
    Trouble { error, is_lost: true }
}

fn late() -> Trouble<Error> {
    let error = Error::Unavailable { why: "the server does not answer in time", source: None };
    Trouble { error, is_lost: true }
}
