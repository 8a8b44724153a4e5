//! What every backend does for every interface, in plain Rust.
//!
//! In: a call of an adapter in [`crate::wit`], whose grant, topic, message and size are checked. Out: its answer. Next: a file of
//! [`crate::backend`].

use crate::{Filter, METADATA_MAX, METADATA_VALUE_BYTES_MAX, Message, Replies, Subscription, TOPIC_BYTES_MAX, Topic};
use async_trait::async_trait;
use wharf_kit::{Kind, NoConnection, Refused};

/// Where the messages of one namespace go. Its calls may be dropped at any time; a message may then have been sent or not, but never a
/// part of it.
///
/// Messages that are sent one after the other, each when the one before is acknowledged, arrive in that order. Two namespaces have no
/// topic in common.
#[async_trait]
pub trait Messenger: Send + Sync {
    /// Sends a message. Returns when it is acknowledged; what that means, a backend says as its durability.
    ///
    /// # Errors
    /// Of all methods: [`Error::Unavailable`], at once while there is no connection, and [`Error::Backend`].
    async fn send(&self, topic: &Topic, message: &Message) -> Result<(), Error>;

    /// Sends a message and adds replies until they are complete. What came until the future is dropped stays in `replies`.
    ///
    /// # Errors
    /// [`Error::NoResponder`] where the backend can tell, [`Refused::TooLarge`] for replies over their limit.
    async fn request(&self, topic: &Topic, message: &Message, replies: &mut Replies) -> Result<(), Error>;

    /// Returns what is sent from now on, for the host. Ends when the subscription is dropped.
    ///
    /// # Errors
    /// [`Error::Unsupported`] on backends that only send.
    async fn subscribe(&self, filter: &Filter) -> Result<Subscription, Error> {
        let _ = filter;
        Err(Error::Unsupported("subscriptions"))
    }
}

/// What went wrong with a call. What it says may be shown to a guest: it never has a password or an address; its source may have an
/// address.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The text is no topic, or no pattern of topics.
    #[error("a topic {0}")]
    Topic(&'static str),
    /// The topic is too short or too long.
    #[error("a topic has 1 to {TOPIC_BYTES_MAX} bytes, this one has {0}")]
    TopicLength(usize),
    /// The content type or the metadata cannot be sent.
    #[error("{0}")]
    Metadata(&'static str),
    /// There is too much metadata.
    #[error("a message has at most {METADATA_MAX} keys of metadata, this one has {0}")]
    MetadataKeys(usize),
    /// A part of the metadata is too long.
    #[error("a key or a value of metadata has at most {METADATA_VALUE_BYTES_MAX} bytes, this one has {0}")]
    MetadataLength(usize),
    /// Nobody is there who would answer.
    #[error("nobody answers `{0}`")]
    NoResponder(Topic),
    /// Whoever asked waits no longer.
    #[error("nobody waits for this reply any longer")]
    Gone,
    /// What the backend of the label cannot do.
    #[error("what this label is bound to has no {0}")]
    Unsupported(&'static str),
    /// The gate did not let the call through, or ended it.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// The server is away or too slow.
    #[error("messages cannot be sent now: {why}")]
    Unavailable {
        /// What happened, in words for the guest.
        why: &'static str,
        /// Why, for the log.
        source: Option<Cause>,
    },
    /// The server refused the message.
    #[error("the message was not taken: {why}")]
    Backend {
        /// What happened, in words for the guest.
        why: &'static str,
        /// Why, for the log.
        source: Option<Cause>,
    },
}

/// An error of what a backend is made with.
pub(crate) type Cause = Box<dyn std::error::Error + Send + Sync>;

impl Error {
    /// Returns whose fault it is.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Topic(_) | Self::TopicLength(_) | Self::Unsupported(_) => Kind::Invalid,
            Self::Metadata(_) | Self::MetadataKeys(_) | Self::MetadataLength(_) => Kind::Invalid,
            Self::NoResponder(_) | Self::Gone => Kind::NotFound,
            Self::Refused(refused) => refused.kind(),
            Self::Unavailable { .. } => Kind::Unavailable,
            Self::Backend { .. } => Kind::Backend,
        }
    }
}

impl From<NoConnection> for Error {
    fn from(error: NoConnection) -> Self {
        let NoConnection { kind, why, source } = error;
        match kind {
            Kind::Backend => Self::Backend { why, source },
            _ => Self::Unavailable { why, source },
        }
    }
}
