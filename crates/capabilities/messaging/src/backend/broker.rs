//! The broker in this process, for one node: what labels have without an operator's word.
//!
//! In: a message. Out: delivered to the queues of all subscribers in the host whose filters fit. Next: none.

use crate::subscription::{Answer, End, Room};
use crate::{Delivery, Error, Filter, Message, Messenger, Replies, ReplyTo, Subscription, Topic};
use async_trait::async_trait;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError, RwLock, Weak};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use wharf_kit::{Backend, BackendError, Namespace, Opened, Payload};

/// The entry of the list.
pub(super) const BACKEND: Backend<dyn Messenger> = Backend {
    name: "broker",
    summary: "A broker in the process of the node, without a server.",
    durability: "Messages are in memory: acknowledged means that every subscriber of this node has it in its queue, and the end of the \
                 process loses what is there. A message that nobody is subscribed to is dropped.",
    example: "backend = \"broker\"\nqueue = 1024",
    open: |settings, _| {
        let config: Config = wharf_kit::settings(settings)?;
        Ok(Arc::new(Open { limits: config.checked()?, exchanges: Mutex::default() }))
    },
};

/// The settings.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Config {
    /// Messages that wait for one subscriber. When there are so many, sending waits, within the time of the call.
    queue: usize,
    /// Bytes that wait for one subscriber or that it works on; a single message may have more.
    queue_bytes: u32,
}

impl Default for Config {
    fn default() -> Self {
        // As many as a component takes from the queue in about a second, and of the largest messages sixteen.
        Self { queue: 1024, queue_bytes: 16 << 20 }
    }
}

impl Config {
    fn checked(self) -> Result<Self, BackendError> {
        // A channel is made of blocks and does not allocate for all of them, but it counts in `usize >> 3`.
        if (1..=1 << 20).contains(&self.queue) && self.queue_bytes > 0 {
            return Ok(self);
        }
        Err(BackendError::Settings("`queue` is 1 to 1048576 and `queue_bytes` at least 1".to_owned()))
    }
}

struct Open {
    limits: Config,
    /// Weak, so that the subscribers of an app that is gone go with it.
    exchanges: Mutex<BTreeMap<Namespace, Weak<Exchange>>>,
}

impl Opened<dyn Messenger> for Open {
    fn store(&self, namespace: &Namespace) -> Result<Arc<dyn Messenger>, BackendError> {
        let mut exchanges = self.exchanges.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(exchange) = exchanges.get(namespace).and_then(Weak::upgrade) {
            return Ok(Arc::new(Broker(exchange)));
        }
        let exchange = Arc::new(Exchange { limits: self.limits, subscribers: RwLock::default() });
        exchanges.retain(|_, exchange| exchange.strong_count() > 0);
        exchanges.insert(namespace.clone(), Arc::downgrade(&exchange));
        Ok(Arc::new(Broker(exchange)))
    }

    fn place(&self, namespace: &Namespace) -> String {
        format!("{namespace} in the memory of this node")
    }
}

/// The messenger of one namespace.
struct Broker(Arc<Exchange>);

/// The subscribers of one namespace.
struct Exchange {
    limits: Config,
    /// In the order in which they came, which is the order in which every sender waits for room, so that no two wait for each other.
    subscribers: RwLock<Arc<Vec<Arc<Subscriber>>>>,
}

struct Subscriber {
    filter: Filter,
    queue: mpsc::Sender<Delivery>,
    room: Arc<Semaphore>,
}

#[async_trait]
impl Messenger for Broker {
    async fn send(&self, topic: &Topic, message: &Message) -> Result<(), Error> {
        self.0.deliver(topic, message, None).await.map(drop)
    }

    async fn request(&self, topic: &Topic, message: &Message, replies: &mut Replies) -> Result<(), Error> {
        // Replies wait one at a time: whoever asks takes them as they come.
        let (sender, mut receiver) = mpsc::channel(1);
        let delivered = self.0.deliver(topic, message, Some(ReplyTo::new(sender))).await?;
        if delivered == 0 {
            return Err(Error::NoResponder(topic.clone()));
        }
        while !replies.is_complete() {
            match receiver.recv().await {
                Some(reply) => replies.push(reply)?,
                // Everybody dropped it without a further reply.
                None if replies.is_empty() => return Err(Error::NoResponder(topic.clone())),
                None => break,
            }
        }
        Ok(())
    }

    async fn subscribe(&self, filter: &Filter) -> Result<Subscription, Error> {
        Ok(Arc::clone(&self.0).subscribe(filter))
    }
}

#[async_trait]
impl Answer for mpsc::Sender<Message> {
    async fn reply(&self, reply: Message) -> Result<(), Error> {
        self.send(reply).await.map_err(|_| Error::Gone)
    }
}

impl Exchange {
    /// Delivers to every subscriber whose filter fits, or to none: room is taken in all queues before the first one gets it. Returns to
    /// how many.
    async fn deliver(&self, topic: &Topic, message: &Message, reply: Option<ReplyTo>) -> Result<usize, Error> {
        let subscribers = Arc::clone(&self.subscribers.read().unwrap_or_else(PoisonError::into_inner));
        let mut places = Vec::new();
        for subscriber in subscribers.iter().filter(|subscriber| subscriber.filter.matches(topic)) {
            places.extend(self.place(subscriber, message.size_bytes()).await);
        }
        let delivered = places.len();
        for (slot, room) in places {
            let (topic, message, reply) = (topic.clone(), message.clone(), reply.clone());
            slot.send(Delivery { topic, message, reply, _room: Room(Some(Box::new(room))) });
        }
        Ok(delivered)
    }

    /// Waits for room in a queue. Nothing when the subscriber left.
    async fn place<'a>(
        &self,
        subscriber: &'a Subscriber,
        bytes: usize,
    ) -> Option<(mpsc::Permit<'a, Delivery>, OwnedSemaphorePermit)> {
        let slot = subscriber.queue.reserve().await.ok()?;
        // A message that is larger than the queue has it for itself.
        let bytes = u32::try_from(bytes).unwrap_or(u32::MAX).clamp(1, self.limits.queue_bytes);
        let room = Arc::clone(&subscriber.room).acquire_many_owned(bytes).await.ok()?;
        Some((slot, room))
    }

    fn subscribe(self: Arc<Self>, filter: &Filter) -> Subscription {
        let (sender, receiver) = mpsc::channel(self.limits.queue);
        let room = Arc::new(Semaphore::new(self.limits.queue_bytes as usize));
        let new = Arc::new(Subscriber { filter: filter.clone(), queue: sender, room });
        let end = {
            let (exchange, new) = (Arc::clone(&self), Arc::clone(&new));
            move || {
                // Whoever waits for room in the queue of one that left must not wait on.
                new.room.close();
                exchange.change(|subscribers| subscribers.retain(|subscriber| !Arc::ptr_eq(subscriber, &new)));
            }
        };
        self.change(|subscribers| subscribers.push(new));
        Subscription::new(receiver, End(Some(Box::new(end))))
    }

    fn change(&self, change: impl FnOnce(&mut Vec<Arc<Subscriber>>)) {
        let mut subscribers = self.subscribers.write().unwrap_or_else(PoisonError::into_inner);
        change(Arc::make_mut(&mut subscribers));
    }
}

#[cfg(test)]
mod tests;
