//! What a store of secrets does, without engine and interface.

use crate::Value;
use async_trait::async_trait;
use std::collections::BTreeSet;
use wharf_kit::{Kind, Refused};

/// The secrets of one namespace.
#[async_trait]
pub trait Store: Send + Sync {
    /// Returns the value of a secret, from memory if it was read a short while ago. `name` is known to be a label.
    async fn get(&self, name: &str) -> Result<Value, Error>;

    /// Returns the names that have a value; absent if nobody knows before they are asked for. Blocks on files, never on the network.
    fn names(&self) -> Option<BTreeSet<String>>;
}

/// Why a secret cannot be had. Never carries a value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The manifest does not grant it.
    #[error("the secret is not granted")]
    Denied,
    /// Nobody gave it a value.
    #[error("the secret has no value")]
    NotFound,
    /// The store does not let this node read it.
    #[error("the store does not let this node read the secret")]
    Forbidden,
    /// The store is away, sealed or too slow.
    #[error("the store of secrets is not available: {0}")]
    Unavailable(&'static str),
    /// The store answers what it should not, or its file cannot be read.
    #[error("the store of secrets failed: {0}")]
    Backend(&'static str),
    /// The gate refused or ended the call.
    #[error(transparent)]
    Refused(#[from] Refused),
}

impl Error {
    /// Returns whose fault it is.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Denied => Kind::Denied,
            Self::NotFound => Kind::NotFound,
            Self::Unavailable(_) => Kind::Unavailable,
            Self::Forbidden | Self::Backend(_) => Kind::Backend,
            Self::Refused(refused) => refused.kind(),
        }
    }
}
