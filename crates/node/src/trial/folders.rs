//! Folders that an app may change: each trial has copies of its own.

use crate::error::{ComponentError, Error};
use std::io;
use std::path::Path;
use wharf_app::{Access, Component};
use wharf_host::RecipeError;

/// What a folder may hold: it is copied for each test.
const FILES_MAX: usize = 10_000;
const BYTES_MAX: u64 = 256 << 20;

/// Puts copies in the place of the folders that `component` may change. One that is not there is left to be found missing.
pub(super) fn set_apart(component: &mut Component, folder: &Path, scratch: &Path) -> Result<(), Error> {
    for (number, files) in component.grants.files.iter_mut().enumerate() {
        let host = folder.join(&files.host);
        if files.access != Access::ReadWrite || !host.is_dir() {
            continue;
        }
        let copy = scratch.join("files").join(&component.name).join(number.to_string());
        let mut room = Room { files: FILES_MAX, bytes: BYTES_MAX };
        if let Err(source) = room.copy(&host, &copy) {
            let span = component.files_spans.get(number).unwrap_or(&component.name_span).clone();
            let source = RecipeError::Folder { host, source };
            return Err(Error::Components(vec![ComponentError::Grant {
                component: component.name.clone(),
                span,
                source,
            }]));
        }
        files.host = copy.display().to_string();
    }
    Ok(())
}

/// What may still be copied.
struct Room {
    files: usize,
    bytes: u64,
}

impl Room {
    /// Copies files and folders. Links are not followed: they may lead anywhere.
    fn copy(&mut self, from: &Path, to: &Path) -> io::Result<()> {
        std::fs::create_dir_all(to)?;
        for entry in std::fs::read_dir(from)? {
            let entry = entry?;
            let (kind, to) = (entry.file_type()?, to.join(entry.file_name()));
            self.take(&entry.metadata()?)?;
            if kind.is_dir() {
                self.copy(&entry.path(), &to)?;
            } else if kind.is_file() {
                std::fs::copy(entry.path(), to)?;
            }
        }
        Ok(())
    }

    fn take(&mut self, data: &std::fs::Metadata) -> io::Result<()> {
        let room = (self.files.checked_sub(1), self.bytes.checked_sub(if data.is_file() { data.len() } else { 0 }));
        let (Some(files), Some(bytes)) = room else {
            let message = format!(
                "each test gets a copy of it, and it has more than {FILES_MAX} files or {} MiB",
                BYTES_MAX >> 20
            );
            return Err(io::Error::other(message));
        };
        *self = Self { files, bytes };
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_copied_without_its_links_and_not_without_bounds() {
        let folder = tempfile::tempdir().unwrap();
        let (from, to) = (folder.path().join("from"), folder.path().join("to"));
        std::fs::create_dir_all(from.join("deep/er")).unwrap();
        std::fs::write(from.join("deep/er/note"), "hello").unwrap();
        std::os::unix::fs::symlink("/", from.join("root")).unwrap();
        Room { files: 4, bytes: 5 }.copy(&from, &to).unwrap();
        assert_eq!(std::fs::read_to_string(to.join("deep/er/note")).unwrap(), "hello");
        assert!(!to.join("root").exists());
        assert!(Room { files: 3, bytes: 5 }.copy(&from, &to).is_err());
        assert!(Room { files: 4, bytes: 4 }.copy(&from, &to).is_err());
    }
}
