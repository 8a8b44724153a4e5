//! What the host gets of the messages that guests send: what starts components by messages, and what tests look with.

use crate::{Error, Message, Topic};
use async_trait::async_trait;
use std::any::Any;
use std::fmt;
use std::sync::Arc;
use tokio::sync::mpsc;

/// Messages whose topics fit a filter, in the order in which they were taken. Ends when dropped.
pub struct Subscription {
    queue: mpsc::Receiver<Delivery>,
    _end: End,
}

/// What is done when a subscription is dropped.
pub(crate) struct End(pub(crate) Option<Box<dyn FnOnce() + Send + Sync>>);

impl Subscription {
    pub(crate) fn new(queue: mpsc::Receiver<Delivery>, end: End) -> Self {
        Self { queue, _end: end }
    }

    /// Waits for the next message. Nothing when there will be none: the server ended it. Dropping the future loses no message.
    pub async fn next(&mut self) -> Option<Delivery> {
        self.queue.recv().await
    }
}

impl Drop for End {
    fn drop(&mut self) {
        if let Some(end) = self.0.take() {
            end();
        }
    }
}

impl fmt::Debug for Subscription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subscription").finish_non_exhaustive()
    }
}

/// A message for one subscriber. It takes up room in the subscriber's queue until it is dropped.
#[derive(Debug)]
pub struct Delivery {
    /// Its topic.
    pub topic: Topic,
    /// The message.
    pub message: Message,
    /// Where replies go; absent when nobody waits for one.
    pub reply: Option<ReplyTo>,
    pub(crate) _room: Room,
}

/// What is given back when a delivery is dropped.
#[derive(Debug, Default)]
pub(crate) struct Room(
    #[expect(dead_code, reason = "dropping it is its use")] pub(crate) Option<Box<dyn Any + Send + Sync>>,
);

/// Where the replies to one request go. When all of a request's are dropped, whoever asks a broker in this process waits no longer.
#[derive(Clone)]
pub struct ReplyTo(Arc<dyn Answer>);

/// The way back to whoever asks, over one backend.
#[async_trait]
pub(crate) trait Answer: Send + Sync {
    /// Sends a reply whose metadata is checked.
    async fn reply(&self, reply: Message) -> Result<(), Error>;
}

impl ReplyTo {
    pub(crate) fn new(answer: impl Answer + 'static) -> Self {
        Self(Arc::new(answer))
    }

    /// Replies. May be called several times. Waits while the one who asked has not taken the replies before.
    ///
    /// # Errors
    /// [`Error::Gone`] where the backend can tell that nobody waits, and those of a message that cannot be sent.
    pub async fn send(&self, reply: Message) -> Result<(), Error> {
        reply.check()?;
        self.0.reply(reply).await
    }
}

impl fmt::Debug for ReplyTo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReplyTo").finish_non_exhaustive()
    }
}
