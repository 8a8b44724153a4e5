//! Tells when a file of an app changed.
//!
//! Folders are watched and not files: editors and compilers replace a file by renaming another one over it, and a watch on the old one
//! would never speak again.
//!
//! In: files, and the sources of builds. Out: [`Changes`]. Next: whoever builds or reads again.

use crate::{Error, Sources};
use notify::event::ModifyKind;
use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher as _};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant};
use tokio::sync::mpsc;
use wharf_telemetry::clock;

/// How long files must be quiet before a change counts, where compilers write them: they do so for a while.
pub const QUIET_COMPILERS: Duration = Duration::from_millis(60);

/// The same where people save them: an editor writes at once, or renames.
pub const QUIET_EDITORS: Duration = Duration::from_millis(15);

/// A file that never is quiet, such as a log among sources, does not keep a change from being noticed.
const PATIENCE: Duration = Duration::from_millis(500);

/// Paths that are kept apart. Whoever changes more at once has changed everything.
const PATHS: usize = 256;

/// Watches the files of one app.
pub struct Watch {
    watcher: RecommendedWatcher,
    quiet: Duration,
    changes: mpsc::Receiver<()>,
    /// Whether a change was noticed that nobody was told of yet.
    gathering: bool,
    folders: BTreeSet<PathBuf>,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    wanted: RwLock<Wanted>,
    changed: Mutex<Changes>,
}

/// What changed since the last time that was asked.
#[derive(Debug, Default)]
pub struct Changes {
    /// The files, unless there were too many.
    pub paths: BTreeSet<PathBuf>,
    /// Whether anything may have changed.
    pub everything: bool,
    /// When the first of them was noticed.
    pub since: Option<Instant>,
}

#[derive(Default)]
struct Wanted {
    files: BTreeSet<PathBuf>,
    /// All folders above the files: a file comes and goes with each of them.
    above: BTreeSet<PathBuf>,
    sources: Vec<Sources>,
}

impl Watch {
    /// Starts watching nothing. A change counts when files were quiet for `quiet`.
    ///
    /// # Errors
    /// When the operating system tells of no changes, or of no more than it does already.
    pub fn start(quiet: Duration) -> Result<Self, Error> {
        let shared = Arc::new(Shared::default());
        let known = Arc::clone(&shared);
        // One place is enough: a change that is not read yet stands for all after it.
        let (sender, changes) = mpsc::channel(1);
        let watcher = notify::recommended_watcher(move |event: notify::Result<Event>| {
            if known.note(&event) {
                let _ = sender.try_send(());
            }
        })
        .map_err(|source| Error::Watch { source })?;
        Ok(Self { watcher, quiet, changes, gathering: false, folders: BTreeSet::new(), shared })
    }

    /// Watches exactly these files and sources. Those that are not there yet are noticed when they come.
    pub fn set(&mut self, files: impl IntoIterator<Item = PathBuf>, sources: Vec<Sources>) {
        let files: BTreeSet<PathBuf> = files.into_iter().map(|file| absolute(&file)).collect();
        let above = files.iter().flat_map(|file| file.ancestors().skip(1)).map(Path::to_owned).collect();
        *self.shared.wanted.write().unwrap_or_else(PoisonError::into_inner) = Wanted { files, above, sources };
        self.watch_folders();
    }

    /// Ready when a file changed and all have been quiet since. Cancel-safe.
    pub async fn changed(&mut self) -> Changes {
        if !self.gathering && self.changes.recv().await.is_none() {
            std::future::pending::<()>().await;
        }
        // Whoever drops this now and comes back goes on here.
        self.gathering = true;
        let gathered =
            async { while let Ok(Some(())) = tokio::time::timeout(self.quiet, self.changes.recv()).await {} };
        let _ = tokio::time::timeout(PATIENCE, gathered).await;
        self.gathering = false;
        // A folder that was made again is another one. Before the files are read: what comes after that is seen.
        self.watch_folders();
        std::mem::take(&mut *self.shared.changed.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn watch_folders(&mut self) {
        let shared = Arc::clone(&self.shared);
        let wanted = shared.wanted.read().unwrap_or_else(PoisonError::into_inner);
        let parents = wanted.files.iter().filter_map(|file| file.parent()).map(Path::to_owned);
        let wanted: BTreeSet<PathBuf> = parents.chain(wanted.sources.iter().flat_map(Sources::folders)).collect();
        let folders: BTreeSet<PathBuf> = wanted.iter().filter_map(|folder| self.watch_nearest(folder)).collect();
        for folder in self.folders.difference(&folders) {
            // Fails for one that is gone, which is as good.
            let _ = self.watcher.unwatch(folder);
        }
        self.folders = folders;
    }

    /// Watches a folder, or, while there is none, the nearest one above it, and returns which.
    fn watch_nearest(&mut self, folder: &Path) -> Option<PathBuf> {
        let nearest = || folder.ancestors().find(|folder| folder.is_dir());
        let mut found = nearest()?;
        loop {
            let watched = self.watcher.watch(found, RecursiveMode::NonRecursive);
            // Folders may have come or gone before the watch began.
            let now = nearest()?;
            if now == found {
                return match watched {
                    Ok(()) => Some(found.to_owned()),
                    Err(error) => {
                        tracing::warn!("cannot watch {}: {error}", found.display());
                        None
                    }
                };
            }
            found = now;
        }
    }
}

impl Shared {
    /// Keeps what an event says if it concerns the app, and tells whether it does.
    fn note(&self, event: &notify::Result<Event>) -> bool {
        let wanted = self.wanted.read().unwrap_or_else(PoisonError::into_inner);
        let found = wanted.find(event);
        let mut changed = self.changed.lock().unwrap_or_else(PoisonError::into_inner);
        match found {
            Found::Everything => changed.everything = true,
            Found::Paths(paths) if paths.is_empty() => return false,
            Found::Paths(paths) => {
                for path in paths.into_iter().take(PATHS) {
                    changed.everything |= changed.paths.len() >= PATHS;
                    if !changed.everything {
                        changed.paths.insert(path.clone());
                    }
                }
            }
        }
        changed.since.get_or_insert_with(clock::now);
        true
    }
}

/// What of an event concerns the app.
enum Found<'a> {
    Everything,
    Paths(Vec<&'a PathBuf>),
}

impl Wanted {
    fn find<'a>(&self, event: &'a notify::Result<Event>) -> Found<'a> {
        let Ok(event) = event else { return Found::Everything };
        // The queue of the operating system was too short: anything may have changed.
        if event.need_rescan() {
            return Found::Everything;
        }
        let comes_or_goes = match event.kind {
            EventKind::Access(_) => return Found::Paths(Vec::new()),
            EventKind::Create(_) | EventKind::Remove(_) | EventKind::Modify(ModifyKind::Name(_)) => true,
            _ => false,
        };
        let concerns = |path: &&PathBuf| {
            self.files.contains(*path)
                || (comes_or_goes && self.above.contains(*path))
                || self.sources.iter().any(|sources| sources.contains(path))
        };
        Found::Paths(event.paths.iter().filter(concerns).collect())
    }
}

/// Returns the path as events name it: links are followed, but for one that is the file itself.
fn absolute(file: &Path) -> PathBuf {
    let file = std::path::absolute(file).unwrap_or_else(|_| file.to_owned());
    let real = file.ancestors().skip(1).find_map(|folder| {
        let rest = file.strip_prefix(folder).ok()?;
        Some(std::fs::canonicalize(folder).ok()?.join(rest))
    });
    real.unwrap_or(file)
}

#[cfg(test)]
mod tests;
