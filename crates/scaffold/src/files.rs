//! Reads the files of a template from a folder.
//!
//! In: a folder. Out: its files, bounded. Next: [`crate::template`].

use std::fs;
use std::path::Path;

use crate::DESCRIPTION;
use crate::error::Error;

/// Files of one template.
const FILES_MAX: usize = 2_000;

/// Bytes of all files of one template: sources are small, and everything is held in memory.
const BYTES_MAX: u64 = 32 << 20;

/// How deep folders may be nested.
const DEPTH_MAX: usize = 24;

/// What builds make and what versions are kept in: never part of a template.
const SKIPPED: &[&str] = &[".git", "target", "node_modules", ".venv", "__pycache__", ".wharf"];

/// One file of a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct File {
    /// Its path with `/`, in which variables may stand.
    pub(crate) path: String,
    pub(crate) bytes: Vec<u8>,
    /// Whether it may be run.
    pub(crate) executable: bool,
}

/// Reads every file of a folder but the description.
pub(crate) fn read(folder: &Path, template: &str) -> Result<Vec<File>, Error> {
    let mut reader = Reader { template, files: Vec::new(), left_bytes: BYTES_MAX };
    reader.folder(folder, "", 0)?;
    reader.files.sort_by(|one, other| one.path.cmp(&other.path));
    Ok(reader.files)
}

struct Reader<'t> {
    template: &'t str,
    files: Vec<File>,
    left_bytes: u64,
}

impl Reader<'_> {
    fn folder(&mut self, folder: &Path, prefix: &str, depth: usize) -> Result<(), Error> {
        if depth > DEPTH_MAX {
            return Err(self.too_large(format!("folders nested deeper than {DEPTH_MAX}")));
        }
        for entry in fs::read_dir(folder).map_err(Error::io("read", folder))? {
            let entry = entry.map_err(Error::io("read", folder))?;
            let Ok(name) = entry.file_name().into_string() else {
                let path = format!("{prefix}{}", entry.file_name().to_string_lossy());
                return Err(Error::Path { path, why: "has a name that is not UTF-8" });
            };
            let path = format!("{prefix}{name}");
            // Of the entry itself: a link would be followed out of the template.
            let kind = entry.file_type().map_err(Error::io("read", entry.path()))?;
            if kind.is_dir() {
                if !SKIPPED.contains(&name.as_str()) {
                    self.folder(&entry.path(), &format!("{path}/"), depth + 1)?;
                }
            } else if kind.is_file() {
                if path != DESCRIPTION {
                    self.file(&entry.path(), path)?;
                }
            } else {
                return Err(Error::Path { path, why: "is a link or a device; a template has plain files" });
            }
        }
        Ok(())
    }

    fn file(&mut self, place: &Path, path: String) -> Result<(), Error> {
        let data = fs::metadata(place).map_err(Error::io("read", place))?;
        if self.files.len() == FILES_MAX {
            return Err(self.too_large(format!("more than {FILES_MAX} files")));
        }
        if data.len() > self.left_bytes {
            return Err(self.too_large(format!("more than {} MiB of files", BYTES_MAX >> 20)));
        }
        self.left_bytes -= data.len();
        let bytes = fs::read(place).map_err(Error::io("read", place))?;
        self.files.push(File { path, bytes, executable: is_executable(&data) });
        Ok(())
    }

    fn too_large(&self, what: String) -> Error {
        Error::TooLarge { template: self.template.to_owned(), what }
    }
}

#[cfg(unix)]
fn is_executable(data: &fs::Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    data.permissions().mode() & 0o111 != 0
}

#[cfg(not(unix))]
fn is_executable(_: &fs::Metadata) -> bool {
    false
}
