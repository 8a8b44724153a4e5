//! The files of an app's components, each read once.

use crate::error::ComponentError;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use wharf_app::{Component, Source};

/// Reads components.
pub(crate) struct Files<'a> {
    folder: &'a Path,
    read: Mutex<HashMap<PathBuf, Arc<[u8]>>>,
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
        if let Some(bytes) = read.get(&path) {
            return Ok(Arc::clone(bytes));
        }
        let bytes: Arc<[u8]> = match std::fs::read(&path) {
            Ok(bytes) => bytes.into(),
            Err(source) => {
                let (component, span) = (component.name.clone(), component.source_span.clone());
                return Err(ComponentError::Read { component, span, path, source });
            }
        };
        read.insert(path, Arc::clone(&bytes));
        Ok(bytes)
    }
}
