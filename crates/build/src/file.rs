//! Files that are written whole or not at all.

use crate::Error;
use std::fs;
use std::path::Path;

/// Puts a complete file in the place of the one that is there: whoever reads it sees the old one or the new one.
pub(crate) fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    // Hidden, and with an end that no glob of sources means; two processes do not share it.
    let unfinished = path.with_file_name(format!(".{name}.{}.wasm", std::process::id()));
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let written = fs::create_dir_all(folder)
        .and_then(|()| fs::write(&unfinished, bytes))
        .and_then(|()| fs::rename(&unfinished, path));
    written.map_err(|source| {
        let _ = fs::remove_file(&unfinished);
        Error::File { verb: "write", file: path.to_owned(), source }
    })
}
