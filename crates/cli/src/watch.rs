//! Tells when a file of an app changed.
//!
//! Folders are watched and not files: editors and compilers replace a file by renaming another one over it, and a watch on the old one
//! would never speak again.

use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher as _};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::sync::mpsc;

/// How long files must be quiet before a change counts: a compiler writes for a while.
const QUIET: Duration = Duration::from_millis(60);

/// Watches the files of one app.
pub(crate) struct Watch {
    watcher: RecommendedWatcher,
    changes: mpsc::Receiver<()>,
    folders: BTreeSet<PathBuf>,
    files: std::sync::Arc<std::sync::RwLock<BTreeSet<PathBuf>>>,
}

impl Watch {
    /// Starts watching nothing.
    pub(crate) fn start() -> notify::Result<Self> {
        let files = std::sync::Arc::new(std::sync::RwLock::new(BTreeSet::<PathBuf>::new()));
        let known = std::sync::Arc::clone(&files);
        // One place is enough: a change that is not read yet stands for all after it.
        let (sender, changes) = mpsc::channel(1);
        let watcher = notify::recommended_watcher(move |event: notify::Result<Event>| {
            if concerns(&event, &known) {
                let _ = sender.try_send(());
            }
        })?;
        Ok(Self { watcher, changes, folders: BTreeSet::new(), files })
    }

    /// Watches exactly these files. Those that are not there yet are noticed when they come.
    pub(crate) fn set(&mut self, files: impl IntoIterator<Item = PathBuf>) {
        let files: BTreeSet<PathBuf> = files.into_iter().map(|file| absolute(&file)).collect();
        for folder in files.iter().filter_map(|file| file.parent()) {
            if self.folders.contains(folder) {
                continue;
            }
            match self.watcher.watch(folder, RecursiveMode::NonRecursive) {
                Ok(()) => {
                    self.folders.insert(folder.to_owned());
                }
                Err(error) => tracing::warn!("cannot watch {}: {error}", folder.display()),
            }
        }
        *self.files.write().unwrap_or_else(std::sync::PoisonError::into_inner) = files;
    }

    /// Ready when a file changed and all have been quiet since. Cancel-safe.
    pub(crate) async fn changed(&mut self) {
        if self.changes.recv().await.is_none() {
            std::future::pending::<()>().await;
        }
        while let Ok(Some(())) = tokio::time::timeout(QUIET, self.changes.recv()).await {}
    }
}

fn concerns(event: &notify::Result<Event>, files: &std::sync::RwLock<BTreeSet<PathBuf>>) -> bool {
    let Ok(event) = event else { return true };
    // The queue of the operating system was too short: anything may have changed.
    if event.need_rescan() {
        return true;
    }
    if matches!(event.kind, EventKind::Access(_)) {
        return false;
    }
    let files = files.read().unwrap_or_else(std::sync::PoisonError::into_inner);
    event.paths.iter().any(|path| files.contains(path))
}

fn absolute(file: &Path) -> PathBuf {
    let folder = file.parent().filter(|folder| *folder != Path::new("")).unwrap_or(Path::new("."));
    let folder = std::fs::canonicalize(folder).unwrap_or_else(|_| folder.to_owned());
    file.file_name().map_or_else(|| folder.clone(), |name| folder.join(name))
}
