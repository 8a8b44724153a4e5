//! The seam that backends fill: a name, an example, and how to open one.

use crate::Namespace;
use serde::de::DeserializeOwned;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// One entry of a capability's list of backends. `S` is the `dyn` store of the capability.
pub struct Backend<S: ?Sized> {
    /// What `backend = "…"` says.
    pub name: &'static str,
    /// What it is, in one sentence.
    pub summary: &'static str,
    /// What it guarantees about acknowledged writes, in one or two sentences.
    pub durability: &'static str,
    /// A binding as it is written in `node.toml`, without the table's head. A test reads it.
    pub example: &'static str,
    /// Reads the settings, without the keys that all bindings have, and makes what stores are made of. Connects to nothing: a server
    /// that is away at the start is no error.
    pub open: Open<S>,
}

/// Reads settings and opens what stores are made of.
pub type Open<S> = fn(toml::Table, &Embedded) -> Result<Arc<dyn Opened<S>>, BackendError>;

/// A backend with its settings: the connections to one server, or the place of files.
pub trait Opened<S: ?Sized>: Send + Sync {
    /// Returns the store of one namespace. May touch files, never the network; is called off the cores.
    ///
    /// # Errors
    /// When its file cannot be opened.
    fn store(&self, namespace: &Namespace) -> Result<Arc<S>, BackendError>;

    /// Says where the data is, for people: a path or an address. Without passwords.
    fn place(&self, namespace: &Namespace) -> String;
}

/// Where embedded backends keep their files.
#[derive(Clone, Debug)]
pub struct Embedded {
    folder: PathBuf,
}

impl Embedded {
    /// Returns the place of one capability within the state folder. Nothing is made yet.
    pub fn new(state: &Path, capability: &str) -> Self {
        Self { folder: state.join("data").join(capability) }
    }

    /// Returns the folder; it may not exist yet.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Returns where the data of a namespace is, a path without an ending; its parent may not exist yet.
    pub fn path(&self, namespace: &Namespace) -> PathBuf {
        // Both parts are plain names, and no app is called `_shared`.
        self.folder.join(namespace.app().unwrap_or("_shared")).join(namespace.name())
    }
}

/// A backend that cannot be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BackendError {
    /// Its settings cannot be understood. Never shows a value: it may be a password.
    #[error("{0}")]
    Settings(String),
    /// A file or folder cannot be used.
    #[error("cannot open {}", path.display())]
    Open {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// Reads the settings of a backend.
///
/// # Errors
/// Which key is unknown, missing or of the wrong type.
pub fn settings<C: DeserializeOwned>(table: toml::Table) -> Result<C, BackendError> {
    // The message names keys and types; the place in the file is the binding's, which the caller knows.
    table.try_into().map_err(|error: toml::de::Error| BackendError::Settings(error.message().to_owned()))
}
