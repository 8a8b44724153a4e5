//! Going through the files of a container. Blocks, on a thread of its own.

use super::entry::Entry;
use super::name::{self, Decoded};
use super::{Failed, blocking, missing, temporary};
use crate::api::{Error, Listing, ObjectName};
use async_trait::async_trait;
use std::fs::{self, DirEntry, ReadDir};
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Names that are read at once: enough that changing threads costs little of it.
const NAMES: usize = 512;

/// Deletes all objects of a container. Ends early when nobody waits any more.
pub(super) async fn clear(folder: PathBuf, is_always_there: bool) -> Result<(), Error> {
    struct Waiting(Arc<AtomicBool>);
    impl Drop for Waiting {
        fn drop(&mut self) {
            self.0.store(true, Ordering::Relaxed);
        }
    }
    let is_over = Arc::new(AtomicBool::new(false));
    let _waiting = Waiting(Arc::clone(&is_over));
    let work = move || {
        let Some(entries) = open(&folder, is_always_there)? else { return Ok(()) };
        for entry in entries {
            let entry = entry?;
            if is_over.load(Ordering::Relaxed) {
                break;
            }
            if decoded(&entry).is_some() {
                remove(&entry)?;
            }
        }
        Ok(temporary::sync(&folder)?)
    };
    blocking("delete all objects", work).await
}

/// Begins to list a container.
pub(super) async fn list(folder: PathBuf, is_always_there: bool) -> Result<Box<dyn Listing>, Error> {
    let entries = blocking("list objects", move || open(&folder, is_always_there)).await?;
    Ok(Box::new(Walk { entries }))
}

fn open(folder: &PathBuf, is_always_there: bool) -> Result<Option<ReadDir>, Failed> {
    match fs::read_dir(folder) {
        Err(error) if is_always_there && error.kind() == io::ErrorKind::NotFound => Ok(None),
        entries => entries.map(Some).map_err(|error| missing(error, Error::NoContainer)),
    }
}

fn remove(entry: &DirEntry) -> io::Result<()> {
    match fs::remove_file(entry.path()) {
        // Somebody else was faster.
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        removed => removed,
    }
}

/// Returns what the name of a file says; nothing for what is no object.
fn decoded(entry: &DirEntry) -> Option<Decoded> {
    let is_file = entry.file_type().is_ok_and(|kind| kind.is_file());
    entry.file_name().to_str().filter(|_| is_file).and_then(name::decode)
}

struct Walk {
    /// Absent while a thread has them, and at the end.
    entries: Option<ReadDir>,
}

#[async_trait]
impl Listing for Walk {
    async fn names(&mut self) -> Result<Vec<ObjectName>, Error> {
        let Some(mut entries) = self.entries.take() else { return Ok(Vec::new()) };
        let walk = move || {
            let mut names = Vec::new();
            while names.len() < NAMES {
                let Some(entry) = entries.next() else { return Ok((names, None)) };
                names.extend(object(&entry?)?);
            }
            Ok((names, Some(entries)))
        };
        let (names, entries) = blocking("list objects", walk).await?;
        self.entries = entries;
        Ok(names)
    }
}

fn object(entry: &DirEntry) -> Result<Option<ObjectName>, Failed> {
    match decoded(entry) {
        None => Ok(None),
        Some(Decoded::Name(name)) => Ok(ObjectName::new(&name).ok()),
        Some(Decoded::Hashed) => match Entry::open(&entry.path()) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            // One file that somebody damaged does not hide the others.
            Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                tracing::warn!(file = %entry.path().display(), "an object is left out of a list: {error}");
                Ok(None)
            }
            entry => Ok(entry?.into_name()),
        },
    }
}
