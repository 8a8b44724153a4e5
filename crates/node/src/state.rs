//! The state folder of a process: its lock, and the cache of compiled components.

use crate::error::Error;
use rustix::fs::{FlockOperation, flock};
use std::fs::{DirBuilder, File};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use wharf_runtime::Cache;

/// Compiled components together stay under this; they are made again when they are needed.
const CACHE_BYTES: u64 = 2 << 30;

/// A state folder that this process has for itself, until it is dropped.
#[derive(Debug)]
pub struct State {
    path: PathBuf,
    _lock: File,
}

impl State {
    /// Opens the folder, making it if it is not there.
    ///
    /// # Errors
    /// When another process has it, or it cannot be made or written.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let failed = |source| Error::State { path: path.to_owned(), source };
        DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(failed)?;
        let lock = File::options()
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(path.join("lock"))
            .map_err(failed)?;
        match flock(&lock, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(Self { path: path.to_owned(), _lock: lock }),
            Err(rustix::io::Errno::WOULDBLOCK) => Err(Error::StateInUse { path: path.to_owned() }),
            Err(errno) => Err(failed(errno.into())),
        }
    }

    /// Returns the folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Opens the cache of compiled components. Without one, components are compiled at each start.
    pub fn cache(&self) -> Option<Cache> {
        open_cache(&self.path)
    }
}

/// Opens the cache of compiled components in a state folder that this process does not own: entries are whole files, so any number of
/// processes may read and add to it.
pub(crate) fn open_cache(state: &Path) -> Option<Cache> {
    match Cache::open(&state.join("cache").join("compiled"), CACHE_BYTES) {
        Ok(cache) => Some(cache),
        Err(error) => {
            let reason = std::error::Error::source(&error).map_or_else(String::new, |source| format!(": {source}"));
            tracing::warn!("{error}{reason}; components are compiled at each start");
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_has_one_owner_at_a_time() {
        let folder = std::env::temp_dir().join(format!("wharf-state-{}", std::process::id()));
        let first = State::open(&folder).unwrap();
        assert!(matches!(State::open(&folder), Err(Error::StateInUse { .. })));
        drop(first);
        drop(State::open(&folder).unwrap());
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
