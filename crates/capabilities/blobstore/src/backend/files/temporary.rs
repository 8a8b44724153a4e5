//! Files that nobody sees yet. They vanish, unless they are put in their place.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

/// A file that is removed when it is dropped. Blocks.
#[derive(Debug)]
pub(super) struct Temporary {
    pub(super) file: File,
    path: PathBuf,
    is_placed: bool,
}

impl Temporary {
    /// Makes a file.
    pub(super) fn create(path: PathBuf) -> io::Result<Self> {
        let file = File::options().read(true).write(true).create_new(true).open(&path)?;
        Ok(Self { file, path, is_placed: false })
    }

    /// Puts it in the place of what is there, once its content is on the disk, and waits until the folder is, too.
    pub(super) fn place(mut self, to: &Path) -> io::Result<()> {
        self.file.sync_all()?;
        fs::rename(&self.path, to)?;
        self.is_placed = true;
        to.parent().map_or(Ok(()), sync)
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        if !self.is_placed {
            // What cannot be removed now is removed when the store is opened again.
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Waits until what was made, renamed or removed in a folder is on the disk.
pub(super) fn sync(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// Makes a folder and those above it, and waits until they are on the disk.
pub(super) fn make(folder: &Path) -> io::Result<()> {
    match fs::create_dir(folder) {
        Ok(()) => folder.parent().map_or(Ok(()), sync),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            make(folder.parent().ok_or(error)?)?;
            make(folder)
        }
        Err(error) => Err(error),
    }
}

/// Removes what an end of the process left behind: uploads, and containers that were being removed.
pub(super) fn sweep(folder: &Path) -> io::Result<()> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        entries => entries?,
    };
    for entry in entries {
        let entry = entry?;
        let is_folder = entry.file_type()?.is_dir();
        if is_folder { fs::remove_dir_all(entry.path()) } else { fs::remove_file(entry.path()) }?;
    }
    Ok(())
}
