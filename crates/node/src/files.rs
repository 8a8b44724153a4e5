//! The files of an app's components, each read once for what is loaded together.

use crate::error::ComponentError;
use crate::keep::Stamp;
use sha2::{Digest as _, Sha256};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use wharf_app::{Component, Source};

/// Reads components.
pub(crate) struct Files<'a> {
    folder: &'a Path,
    read: Mutex<Read>,
}

/// What was read.
#[derive(Default)]
struct Read {
    bytes: HashMap<PathBuf, Arc<[u8]>>,
    /// What tells each file from another one.
    stamps: HashMap<PathBuf, Stamp>,
}

impl<'a> Files<'a> {
    /// Relative paths start at `folder`.
    pub(crate) fn new(folder: &'a Path) -> Self {
        Self { folder, read: Mutex::default() }
    }

    /// Returns where a component is.
    pub(crate) fn path(&self, source: &Source) -> PathBuf {
        match source {
            Source::File(file) | Source::Fetched { file, .. } => self.folder.join(file),
            // `app` makes no other kind, and refuses manifests that ask for one.
            other => PathBuf::from(format!("{other:?}")),
        }
    }

    /// Returns a component's bytes.
    pub(crate) fn read(&self, component: &Component) -> Result<Arc<[u8]>, ComponentError> {
        let path = self.path(&component.source);
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(bytes) = read.bytes.get(&path) {
            return Ok(Arc::clone(bytes));
        }
        let (bytes, stamp): (Arc<[u8]>, Stamp) = match read_stamped(&path) {
            Ok((bytes, stamp)) => (bytes.into(), stamp),
            Err(source) => {
                let (component, span) = (component.name.clone(), component.source_span.clone());
                return Err(ComponentError::Read { component, span, path, source });
            }
        };
        // The cache is one that all programs of the user can write to.
        if let Source::Fetched { digest, .. } = &component.source {
            check(component, &path, &bytes, digest)?;
        }
        read.stamps.insert(path.clone(), stamp);
        read.bytes.insert(path, Arc::clone(&bytes));
        Ok(bytes)
    }

    /// Forgets what was read: an app may have thousands of components, and their bytes are needed only until they are loaded.
    pub(crate) fn forget(&self) {
        self.read.lock().unwrap_or_else(PoisonError::into_inner).bytes.clear();
    }

    /// Returns what tells a file, as it was last read, from another one.
    pub(crate) fn stamp(&self, path: &Path) -> Option<Stamp> {
        self.read.lock().unwrap_or_else(PoisonError::into_inner).stamps.get(path).cloned()
    }
}

/// Refuses bytes that are not those that were fetched.
fn check(component: &Component, path: &Path, bytes: &[u8], digest: &str) -> Result<(), ComponentError> {
    let digits: String = Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    let found = format!("sha256:{digits}");
    if found == digest {
        return Ok(());
    }
    Err(ComponentError::Digest {
        component: component.name.clone(),
        span: component.source_span.clone(),
        path: path.to_owned(),
        expected: digest.to_owned(),
        found,
    })
}

/// Reads a file and what tells it from another one, from one opening, so that the two belong together.
fn read_stamped(path: &Path) -> std::io::Result<(Vec<u8>, Stamp)> {
    let mut file = std::fs::File::open(path)?;
    let data = file.metadata()?;
    let mut bytes = Vec::with_capacity(usize::try_from(data.len()).unwrap_or(0));
    std::io::Read::read_to_end(&mut file, &mut bytes)?;
    Ok((bytes, Stamp::of(&data)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_fetched_is_read_only_as_it_was_fetched() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("kept");
        let mut app = wharf_app::App::implicit("a", "a.wasm");
        let mut component = app.components.remove(0);
        let digest = "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad".to_owned();
        component.source = Source::Fetched { file: file.display().to_string(), digest: digest.clone() };
        std::fs::write(&file, "abd").unwrap();
        let files = Files::new(folder.path());
        let error = files.read(&component).unwrap_err();
        assert_eq!(error.code(), "WHARF-0213");
        let text = error.to_string();
        assert!(text.contains(&digest) && text.contains("sha256:a52d159f"), "{text}");
        std::fs::write(&file, "abc").unwrap();
        assert_eq!(&*files.read(&component).unwrap(), b"abc");
    }
}
