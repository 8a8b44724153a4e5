//! The files of an app's components, each read once.

use crate::error::ComponentError;
use crate::keep::Stamp;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use wharf_app::{Component, Source};

/// Reads components.
pub(crate) struct Files<'a> {
    folder: &'a Path,
    read: Mutex<HashMap<PathBuf, Content>>,
}

/// A file that was read, and what tells it from another one.
struct Content {
    bytes: Arc<[u8]>,
    stamp: Stamp,
}

impl<'a> Files<'a> {
    /// Relative paths start at `folder`.
    pub(crate) fn new(folder: &'a Path) -> Self {
        Self { folder, read: Mutex::default() }
    }

    /// Returns where a component is.
    pub(crate) fn path(&self, source: &Source) -> PathBuf {
        match source {
            Source::File(file) => self.folder.join(file),
            // `app` makes no other kind, and refuses manifests that ask for one.
            other => PathBuf::from(format!("{other:?}")),
        }
    }

    /// Returns a component's bytes.
    pub(crate) fn read(&self, component: &Component) -> Result<Arc<[u8]>, ComponentError> {
        let path = self.path(&component.source);
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(content) = read.get(&path) {
            return Ok(Arc::clone(&content.bytes));
        }
        let (bytes, stamp): (Arc<[u8]>, Stamp) = match read_stamped(&path) {
            Ok((bytes, stamp)) => (bytes.into(), stamp),
            Err(source) => {
                let (component, span) = (component.name.clone(), component.source_span.clone());
                return Err(ComponentError::Read { component, span, path, source });
            }
        };
        read.insert(path, Content { bytes: Arc::clone(&bytes), stamp });
        Ok(bytes)
    }

    /// Returns what tells a file that was read from another one.
    pub(crate) fn stamp(&self, path: &Path) -> Option<Stamp> {
        let read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        read.get(path).map(|content| content.stamp.clone())
    }
}

/// Reads a file and what tells it from another one, from one opening, so that the two belong together.
fn read_stamped(path: &Path) -> std::io::Result<(Vec<u8>, Stamp)> {
    let mut file = std::fs::File::open(path)?;
    let data = file.metadata()?;
    let mut bytes = Vec::with_capacity(usize::try_from(data.len()).unwrap_or(0));
    std::io::Read::read_to_end(&mut file, &mut bytes)?;
    Ok((bytes, Stamp::of(&data)))
}
