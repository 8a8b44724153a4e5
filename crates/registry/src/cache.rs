//! What was fetched, kept by its digest.
//!
//! Files are complete or not there: each is written beside its place and renamed. Whoever reads one checks its digest, and removes what
//! does not fit.

use std::io::Write;
use std::path::{Path, PathBuf};

use crate::{Digest, Error};

/// Bytes that are kept; the oldest make room.
const TOTAL_MAX: u64 = 4 << 30;

/// The longest note that is kept for a tag: a digest.
const NOTE_LEN: usize = 128;

/// The cache in a folder. Without one, nothing is kept.
#[derive(Clone, Debug)]
pub(crate) struct Cache {
    folder: Option<PathBuf>,
}

impl Cache {
    pub(crate) fn new(folder: Option<PathBuf>) -> Self {
        Self { folder }
    }

    /// Returns the bytes of that digest.
    pub(crate) fn get(&self, digest: &Digest) -> Option<Vec<u8>> {
        let path = self.blob(digest)?;
        let bytes = std::fs::read(&path).ok()?;
        if Digest::of(&bytes) == *digest {
            // The newest use counts when room is made; without it, the file is only removed earlier.
            if let Ok(file) = std::fs::File::options().append(true).open(&path) {
                let _ = file.set_modified(wharf_telemetry::clock::wall());
            }
            return Some(bytes);
        }
        let _ = std::fs::remove_file(path);
        None
    }

    /// Keeps bytes.
    pub(crate) fn put(&self, digest: &Digest, bytes: &[u8]) -> Result<(), Error> {
        let Some(path) = self.blob(digest) else { return Ok(()) };
        write(&path, bytes)?;
        if let Some(folder) = path.parent() {
            make_room(folder, &path, TOTAL_MAX);
        }
        Ok(())
    }

    /// Returns the digest that a name had when it was last looked up.
    pub(crate) fn noted(&self, name: &str) -> Option<Digest> {
        let text = std::fs::read_to_string(self.note(name)?).ok()?;
        Digest::parse(text.get(..NOTE_LEN.min(text.len()))?.trim()).ok()
    }

    /// Keeps the digest that a name has now.
    pub(crate) fn put_note(&self, name: &str, digest: &Digest) -> Result<(), Error> {
        match self.note(name) {
            Some(path) => write(&path, digest.to_string().as_bytes()),
            None => Ok(()),
        }
    }

    /// Returns the file of a digest.
    pub(crate) fn path(&self, digest: &Digest) -> Option<PathBuf> {
        self.blob(digest)
    }

    fn blob(&self, digest: &Digest) -> Option<PathBuf> {
        self.folder.as_ref().map(|folder| folder.join("sha256").join(digest.hex()))
    }

    fn note(&self, name: &str) -> Option<PathBuf> {
        self.folder.as_ref().map(|folder| folder.join("names").join(Digest::of(name.as_bytes()).hex()))
    }
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let written = std::fs::create_dir_all(folder).and_then(|()| {
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        file.write_all(bytes)?;
        file.persist(path).map_err(|error| error.error)?;
        Ok(())
    });
    written.map_err(|source| Error::Cache { path: path.to_owned(), source })
}

/// Removes the files that were not used for the longest time, until the rest fits. Never the one that was just written.
fn make_room(folder: &Path, keep: &Path, total_max: u64) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    let mut files: Vec<(std::time::SystemTime, u64, PathBuf)> = entries
        .filter_map(|entry| {
            let entry = entry.ok()?;
            let data = entry.metadata().ok().filter(std::fs::Metadata::is_file)?;
            Some((data.modified().ok()?, data.len(), entry.path()))
        })
        .collect();
    let mut total: u64 = files.iter().map(|(_, length, _)| length).sum();
    files.sort();
    for (_, length, path) in files {
        if total <= total_max {
            break;
        }
        if path != keep && std::fs::remove_file(&path).is_ok() {
            total -= length;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cache() -> (tempfile::TempDir, Cache) {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::new(Some(folder.path().join("cache")));
        (folder, cache)
    }

    #[test]
    fn what_was_kept_is_found_by_its_digest() {
        let (_folder, cache) = cache();
        let digest = Digest::of(b"bytes");
        assert_eq!(cache.get(&digest), None);
        cache.put(&digest, b"bytes").unwrap();
        assert_eq!(cache.get(&digest).as_deref(), Some(b"bytes".as_slice()));
        cache.put_note("a", &digest).unwrap();
        assert_eq!((cache.noted("a"), cache.noted("b")), (Some(digest), None));
    }

    #[test]
    fn what_was_changed_is_not_used_and_goes() {
        let (_folder, cache) = cache();
        let digest = Digest::of(b"bytes");
        cache.put(&digest, b"bytes").unwrap();
        let path = cache.blob(&digest).unwrap();
        std::fs::write(&path, b"other").unwrap();
        assert_eq!(cache.get(&digest), None);
        assert!(!path.exists());
    }

    #[test]
    fn room_is_made_by_the_oldest() {
        let (folder, _) = cache();
        let path = |name: &str| folder.path().join(name);
        for (name, age) in [("old", 30), ("middle", 20), ("new", 10)] {
            std::fs::write(path(name), [0; 100]).unwrap();
            let file = std::fs::File::options().append(true).open(path(name)).unwrap();
            file.set_modified(std::time::UNIX_EPOCH + std::time::Duration::from_secs(1000 - age)).unwrap();
        }
        make_room(folder.path(), &path("old"), 200);
        assert_eq!([path("old").exists(), path("middle").exists(), path("new").exists()], [true, false, true]);
    }

    #[test]
    fn a_place_that_cannot_be_written_is_named() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("cache"), b"a file").unwrap();
        let cache = Cache::new(Some(folder.path().join("cache")));
        let error = cache.put(&Digest::of(b""), b"").unwrap_err();
        assert!(error.to_string().contains("cache") && error.code() == "WHARF-0216", "{error}");
    }
}
