//! A file of this machine, encrypted with age: the default.

use crate::file::{Contents, FileError, SecretFile};
use crate::{Error, Store, Value};
use async_trait::async_trait;
use serde::Deserialize;
use std::collections::BTreeSet;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};
use wharf_kit::{Backend, BackendError, Embedded, Namespace, Opened, settings};
use wharf_telemetry::clock;

/// How long what was read is believed before the file is looked at again.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// The backend's name.
pub const LOCAL: &str = "local";

/// The settings.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Config {
    /// The file of secrets; in the state folder when absent.
    file: Option<PathBuf>,
    /// The file with the age identity that decrypts it; in the state folder when absent.
    identity: Option<PathBuf>,
}

/// The entry in the list.
pub(super) const BACKEND: Backend<dyn Store> = Backend {
    name: LOCAL,
    summary: "A file of this machine, encrypted with age; `wharf secrets` writes it.",
    durability: "A secret that was set is on the disk; whoever reads meanwhile sees the old file or the new one.",
    example: "backend = \"local\"\nfile = \"/etc/wharf/secrets.age\"\nidentity = \"/etc/wharf/identity.txt\"",
    open,
};

fn open(table: toml::Table, embedded: &Embedded) -> Result<Arc<dyn Opened<dyn Store>>, BackendError> {
    let file = local_file(table, embedded)?;
    Ok(Arc::new(Folder(Arc::new(Watched { file, seen: Mutex::default() }))))
}

/// Returns the file that settings of this backend name, for who writes it.
///
/// # Errors
/// When the settings cannot be understood.
pub fn local_file(table: toml::Table, embedded: &Embedded) -> Result<SecretFile, BackendError> {
    let config: Config = settings(table)?;
    let default = SecretFile::in_state(embedded);
    let path = config.file.unwrap_or_else(|| default.path().to_owned());
    let identity = config.identity.unwrap_or_else(|| default.identity().to_owned());
    Ok(SecretFile::new(path, identity))
}

struct Folder(Arc<Watched>);

impl Opened<dyn Store> for Folder {
    fn store(&self, namespace: &Namespace) -> Result<Arc<dyn Store>, BackendError> {
        self.0
            .look()
            .map_err(|source| BackendError::Open { path: self.0.file.path().to_owned(), source: Box::new(source) })?;
        Ok(Arc::new(Local { watched: Arc::clone(&self.0), namespace: namespace.clone() }))
    }

    fn place(&self, _namespace: &Namespace) -> String {
        self.0.file.path().display().to_string()
    }
}

/// The file as it was last seen, shared by all namespaces and cores.
struct Watched {
    file: SecretFile,
    seen: Mutex<Seen>,
}

#[derive(Default)]
struct Seen {
    at: Option<Instant>,
    stamp: Option<Stamp>,
    /// Absent when the file cannot be read.
    contents: Option<Arc<Contents>>,
}

/// What differs when a file was written again.
type Stamp = (u64, u64, SystemTime);

impl Watched {
    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads the file if it is another one than before. Blocks.
    fn look(&self) -> Result<(), FileError> {
        let data = std::fs::metadata(self.file.path()).ok();
        let stamp = data.and_then(|data| Some((data.ino(), data.len(), data.modified().ok()?)));
        {
            let mut seen = self.seen();
            seen.at = Some(clock::now());
            if seen.contents.is_some() && seen.stamp == stamp {
                return Ok(());
            }
        }
        let read = self.file.read();
        let mut seen = self.seen();
        let (contents, result) = match read {
            Ok(contents) => (Some(Arc::new(contents)), Ok(())),
            Err(error) => (None, Err(error)),
        };
        *seen = Seen { at: Some(clock::now()), stamp, contents };
        result
    }

    async fn contents(self: &Arc<Self>) -> Result<Arc<Contents>, Error> {
        {
            let mut seen = self.seen();
            if seen.at.is_some_and(|at| clock::since(at) < LOOK_AGAIN) {
                return seen.contents.clone().ok_or(UNREADABLE);
            }
            // Whoever else asks meanwhile gets what was seen before.
            seen.at = Some(clock::now());
        }
        let watched = Arc::clone(self);
        let looked = tokio::task::spawn_blocking(move || watched.look()).await;
        if let Ok(Err(error)) = looked {
            tracing::warn!("the file of secrets cannot be read: {error}");
            return Err(UNREADABLE);
        }
        self.seen().contents.clone().ok_or(UNREADABLE)
    }
}

const UNREADABLE: Error = Error::Backend("its file cannot be read");

struct Local {
    watched: Arc<Watched>,
    namespace: Namespace,
}

#[async_trait]
impl Store for Local {
    async fn get(&self, name: &str) -> Result<Value, Error> {
        let contents = self.watched.contents().await?;
        contents.get(&self.namespace, name).cloned().ok_or(Error::NotFound)
    }

    fn names(&self) -> Option<BTreeSet<String>> {
        self.watched.look().ok()?;
        let contents = self.watched.seen().contents.clone()?;
        Some(contents.names(&self.namespace).map(str::to_owned).collect())
    }
}
