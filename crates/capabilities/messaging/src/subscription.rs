//! What the host gets of the messages that guests send: what starts components by messages, and what tests look with.

use crate::{Error, Message, Topic};
use std::fmt;
use tokio::sync::{OwnedSemaphorePermit, mpsc};

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
    pub(crate) _room: Option<OwnedSemaphorePermit>,
}

/// Where the replies to one request go. When all of a request's are dropped, whoever asks waits no longer.
#[derive(Clone, Debug)]
pub struct ReplyTo(pub(crate) mpsc::Sender<Message>);

impl ReplyTo {
    /// Replies. May be called several times. Waits while the one who asked has not taken the replies before.
    ///
    /// # Errors
    /// [`Error::Gone`].
    pub async fn send(&self, reply: Message) -> Result<(), Error> {
        self.0.send(reply).await.map_err(|_| Error::Gone)
    }
}
