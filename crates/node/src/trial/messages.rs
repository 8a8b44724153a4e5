//! The messages that an app on trial sends: overheard by a subscriber that answers none.
//!
//! In: messages. Out: the same, in their order. Next: nothing.

use super::state::At;
use super::{StateError, Trial};
use bytes::Bytes;
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::task::JoinSet;
use wharf_kit::BoundsOverride;
use wharf_messaging::Filter;

/// Messages that are remembered.
const MESSAGES_MAX: usize = 100_000;

/// Turns that subscribers get before what they heard is taken.
const TURNS: usize = 16;

/// A message that was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SentMessage {
    /// The label that it was sent with.
    pub label: String,
    /// Its topic.
    pub topic: String,
    /// Its data.
    pub data: Bytes,
}

/// Hears the messages of a trial. Ends when it is dropped.
#[derive(Debug)]
pub struct Messages {
    heard: Arc<Mutex<Vec<SentMessage>>>,
    _tasks: JoinSet<()>,
}

impl Messages {
    /// Takes what was sent since the last time. Messages of one label are in their order, those of several as they came.
    pub async fn take(&self) -> Vec<SentMessage> {
        for _ in 0..TURNS {
            tokio::task::yield_now().await;
        }
        std::mem::take(&mut self.heard.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Trial {
    /// Begins to hear the messages that the app sends. Whoever asks for replies is told that nobody answers.
    ///
    /// # Errors
    /// When the broker cannot be listened to.
    pub async fn overhear(&self) -> Result<Messages, StateError> {
        let heard = Arc::<Mutex<Vec<SentMessage>>>::default();
        let mut tasks = JoinSet::new();
        let all = self.app.components.iter().flat_map(|component| &component.grants.messaging);
        let labels: BTreeSet<&String> = all.map(|grant| &grant.label).collect();
        for label in labels {
            let bindings = self.backends.messaging_bindings();
            let at = At { capability: bindings.capability(), label: label.clone() };
            let bound = bindings.bind(&self.app.name, label, BoundsOverride::default());
            let bound = bound.map_err(|error| at.failed(error))?;
            let filter = Filter::new(">").map_err(|error| at.failed(error))?;
            let mut subscription = bound.store.subscribe(&filter).await.map_err(|error| at.failed(error))?;
            let (heard, label) = (Arc::clone(&heard), label.clone());
            tasks.spawn(async move {
                while let Some(delivery) = subscription.next().await {
                    let (topic, data) = (delivery.topic.to_string(), delivery.message.data.clone());
                    let mut heard = heard.lock().unwrap_or_else(PoisonError::into_inner);
                    if heard.len() < MESSAGES_MAX {
                        heard.push(SentMessage { label: label.clone(), topic, data });
                    }
                }
            });
        }
        Ok(Messages { heard, _tasks: tasks })
    }
}
