//! Puts a scaffold into a folder.
//!
//! In: files as they will be. Out: files on disk, or nothing at all if one is in the way. Next: the user.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use crate::error::Error;
use crate::render::Rendered;

/// Files that are named in an error.
const NAMED_MAX: usize = 5;

/// Writes every file. Without `force`, a file that is there already refuses all of them before one is written.
///
/// # Errors
///
/// A file that is in the way, a link on the way to one, and what the file system refuses.
pub fn write(folder: &Path, files: &[Rendered], force: bool) -> Result<(), Error> {
    let places: Vec<PathBuf> = files.iter().map(|file| folder.join(&file.path)).collect();
    for (file, place) in files.iter().zip(&places) {
        // The folder may be anything that the user named; what is below it must be what it seems.
        refuse_links(folder, &file.path)?;
        if place.is_dir() {
            return Err(Error::Path { path: file.path.clone(), why: "is where a folder is" });
        }
    }
    if !force {
        refuse_existing(folder, files, &places)?;
    }
    for (file, place) in files.iter().zip(&places) {
        if let Some(parent) = place.parent() {
            fs::create_dir_all(parent).map_err(Error::io("make the folder", parent))?;
        }
        write_file(place, file, force).map_err(Error::io("write", place))?;
    }
    Ok(())
}

fn refuse_existing(folder: &Path, files: &[Rendered], places: &[PathBuf]) -> Result<(), Error> {
    let is_there = |place: &Path| place.symlink_metadata().is_ok();
    let found = files.iter().zip(places).filter(|(_, place)| is_there(place));
    let mut found: Vec<String> = found.map(|(file, _)| file.path.clone()).collect();
    if found.is_empty() {
        return Ok(());
    }
    if found.len() > NAMED_MAX {
        let more = found.len() - NAMED_MAX;
        found.truncate(NAMED_MAX);
        found.push(format!("and {more} more"));
    }
    Err(Error::Exists { folder: folder.to_owned(), files: found })
}

/// Refuses a path on which a link stands: it may lead anywhere.
fn refuse_links(folder: &Path, path: &str) -> Result<(), Error> {
    let mut place = folder.to_owned();
    for part in path.split('/') {
        place.push(part);
        if place.symlink_metadata().is_ok_and(|data| data.is_symlink()) {
            return Err(Error::Path { path: path.to_owned(), why: "would be written through a link" });
        }
    }
    Ok(())
}

fn write_file(place: &Path, file: &Rendered, force: bool) -> std::io::Result<()> {
    let mut options = fs::OpenOptions::new();
    options.write(true);
    // What appeared meanwhile is not overwritten either.
    if force {
        options.create(true).truncate(true)
    } else {
        options.create_new(true)
    };
    options.open(place)?.write_all(&file.bytes)?;
    if file.executable { make_executable(place) } else { Ok(()) }
}

#[cfg(unix)]
fn make_executable(place: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = fs::metadata(place)?.permissions().mode();
    // Whoever may read it may run it.
    fs::set_permissions(place, fs::Permissions::from_mode(mode | ((mode & 0o444) >> 2)))
}

#[cfg(not(unix))]
fn make_executable(_: &Path) -> std::io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests;
