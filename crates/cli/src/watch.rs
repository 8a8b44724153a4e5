//! Tells when a file of an app changed.
//!
//! Folders are watched and not files: editors and compilers replace a file by renaming another one over it, and a watch on the old one
//! would never speak again.

use notify::event::ModifyKind;
use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher as _};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;
use tokio::sync::mpsc;

/// How long files must be quiet before a change counts: a compiler writes for a while.
const QUIET: Duration = Duration::from_millis(60);

/// Watches the files of one app.
pub(crate) struct Watch {
    watcher: RecommendedWatcher,
    changes: mpsc::Receiver<()>,
    folders: BTreeSet<PathBuf>,
    wanted: Arc<RwLock<Wanted>>,
}

#[derive(Default)]
struct Wanted {
    files: BTreeSet<PathBuf>,
    /// All folders above the files: a file comes and goes with each of them.
    above: BTreeSet<PathBuf>,
}

impl Watch {
    /// Starts watching nothing.
    pub(crate) fn start() -> notify::Result<Self> {
        let wanted = Arc::new(RwLock::new(Wanted::default()));
        let known = Arc::clone(&wanted);
        // One place is enough: a change that is not read yet stands for all after it.
        let (sender, changes) = mpsc::channel(1);
        let watcher = notify::recommended_watcher(move |event: notify::Result<Event>| {
            if known.read().unwrap_or_else(PoisonError::into_inner).concerns(&event) {
                let _ = sender.try_send(());
            }
        })?;
        Ok(Self { watcher, changes, folders: BTreeSet::new(), wanted })
    }

    /// Watches exactly these files. Those that are not there yet are noticed when they come.
    pub(crate) fn set(&mut self, files: impl IntoIterator<Item = PathBuf>) {
        let files: BTreeSet<PathBuf> = files.into_iter().map(|file| absolute(&file)).collect();
        let above = files.iter().flat_map(|file| file.ancestors().skip(1)).map(Path::to_owned).collect();
        *self.wanted.write().unwrap_or_else(PoisonError::into_inner) = Wanted { files, above };
        self.watch_folders();
    }

    /// Ready when a file changed and all have been quiet since. Cancel-safe.
    pub(crate) async fn changed(&mut self) {
        if self.changes.recv().await.is_none() {
            std::future::pending::<()>().await;
        }
        while let Ok(Some(())) = tokio::time::timeout(QUIET, self.changes.recv()).await {}
        // A folder that was made again is another one. Before the files are read: what comes after that is seen.
        self.watch_folders();
    }

    fn watch_folders(&mut self) {
        let wanted = Arc::clone(&self.wanted);
        let wanted = wanted.read().unwrap_or_else(PoisonError::into_inner);
        let parents: BTreeSet<&Path> = wanted.files.iter().filter_map(|file| file.parent()).collect();
        let folders: BTreeSet<PathBuf> = parents.into_iter().filter_map(|folder| self.watch_nearest(folder)).collect();
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

impl Wanted {
    fn concerns(&self, event: &notify::Result<Event>) -> bool {
        let Ok(event) = event else { return true };
        // The queue of the operating system was too short: anything may have changed.
        if event.need_rescan() {
            return true;
        }
        let comes_or_goes = match event.kind {
            EventKind::Access(_) => return false,
            EventKind::Create(_) | EventKind::Remove(_) | EventKind::Modify(ModifyKind::Name(_)) => true,
            _ => false,
        };
        event.paths.iter().any(|path| self.files.contains(path) || (comes_or_goes && self.above.contains(path)))
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
