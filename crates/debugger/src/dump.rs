//! Writes a core dump when a guest traps: its stack, all of its memory and its globals, for a debugger of later.
//!
//! In: the engine's error and the store that trapped. Out: a file that only this user can read. Next: `runtime`, which logs where.
//!
//! A core dump holds what the guest knew: requests, secrets, rows. It is written only where somebody asked for it.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use wasmtime::{AsContextMut, Error, WasmCoreDump};
use wharf_telemetry::{Size, clock};

/// Core dumps of one process in a folder: the first ones tell most, and a component that traps at each request would fill the disk.
const IN_A_FOLDER: usize = 16;

/// Guest memory of one core dump. It is copied a few times on its way.
const MEMORY_BYTES: usize = 1 << 30;

/// Where core dumps of one process go.
#[derive(Debug)]
pub struct Dumps {
    place: Place,
    /// Taken while one is written: two at a time would take twice the memory.
    written: Mutex<usize>,
}

#[derive(Debug)]
enum Place {
    File(PathBuf),
    Folder(PathBuf),
}

/// A place where no core dump can be written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
#[error("core dumps cannot be written to {}", path.display())]
pub struct DumpError {
    path: PathBuf,
    source: std::io::Error,
}

impl Dumps {
    /// Takes a folder, where each trap gets a file, or a file for the first trap. A name that ends in `/` is a folder, which is made.
    ///
    /// # Errors
    /// When the folder cannot be made, or is not there for a file.
    pub fn new(path: &Path) -> Result<Self, DumpError> {
        let failed = |source| DumpError { path: path.to_owned(), source };
        let ends_as_folder = path.as_os_str().as_encoded_bytes().ends_with(b"/");
        let place = if ends_as_folder || path.is_dir() {
            fs::DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(failed)?;
            Place::Folder(path.to_owned())
        } else {
            let folder = path.parent().filter(|folder| *folder != Path::new("")).unwrap_or(Path::new("."));
            // Told now and not after the trap that was waited for.
            fs::metadata(folder).map_err(failed)?;
            Place::File(path.to_owned())
        };
        Ok(Self { place, written: Mutex::new(0) })
    }

    /// Writes the core dump of `error`, if it has one, and returns what the log says of it. Blocks on the file.
    pub fn write(&self, name: &str, error: &Error, store: impl AsContextMut) -> Option<String> {
        let dump = error.downcast_ref::<WasmCoreDump>()?;
        let mut written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        let most = if matches!(self.place, Place::File(_)) { 1 } else { IN_A_FOLDER };
        if *written >= most {
            return Some(match &self.place {
                Place::File(_) => "no core dump: the first trap has the file; give a folder for more".to_owned(),
                Place::Folder(_) => format!("no core dump: {most} were written since the start, that is all"),
            });
        }
        Some(match self.try_write(name, *written + 1, dump, store) {
            Ok(file) => {
                *written += 1;
                format!(
                    "core dump: {} (it holds all memory of the guest; how to open it: docs/guide/debugging.md)",
                    file.display()
                )
            }
            Err(reason) => format!("no core dump: {reason}"),
        })
    }

    fn try_write(
        &self,
        name: &str,
        number: usize,
        dump: &WasmCoreDump,
        mut store: impl AsContextMut,
    ) -> Result<PathBuf, String> {
        let bytes: usize = dump.memories().iter().map(|memory| memory.data_size(&store)).sum();
        if bytes > MEMORY_BYTES {
            let (has, most) = (Size::from(bytes), Size::from(MEMORY_BYTES));
            return Err(format!("the guest has {has} of memory, and a core dump is written up to {most}"));
        }
        // The engine's writer expects modules and instances that it knows; one it does not must not hide why the guest trapped.
        let serialized = catch_unwind(AssertUnwindSafe(|| dump.serialize(store.as_context_mut(), name)));
        let bytes = serialized.map_err(|_| "the engine cannot write one for this component".to_owned())?;
        let path = match &self.place {
            Place::File(file) => file.clone(),
            Place::Folder(folder) => folder.join(file_name(name, number)),
        };
        match write_whole(&path, &bytes) {
            Ok(()) => Ok(path),
            Err(error) => Err(format!("cannot write {}: {error}", path.display())),
        }
    }
}

/// Names the component and the time, so that files of several runs stand side by side.
fn file_name(name: &str, number: usize) -> String {
    let name: String =
        name.chars().map(|c| if c.is_ascii_alphanumeric() || matches!(c, '-' | '_') { c } else { '-' }).collect();
    let time: String = clock::timestamp(clock::wall()).chars().filter(char::is_ascii_alphanumeric).collect();
    format!("{}-{time}-{number}.coredump", name.get(..100).unwrap_or(&name))
}

/// Writes a file that only this user can read, by renaming a complete one.
fn write_whole(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut unfinished = path.as_os_str().to_owned();
    unfinished.push(format!(".{}.tmp", std::process::id()));
    let unfinished = PathBuf::from(unfinished);
    // One that a crash left has perhaps other rights.
    let _ = fs::remove_file(&unfinished);
    let mut file: File = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&unfinished)?;
    let done = file.write_all(bytes).and_then(|()| fs::rename(&unfinished, path));
    if done.is_err() {
        let _ = fs::remove_file(&unfinished);
    }
    done
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_named_after_the_component_and_the_time() {
        let name = file_name("shop/../api", 3);
        let (start, rest) = name.split_at("shop----api-".len());
        assert_eq!(start, "shop----api-");
        let (time, end) = rest.split_at("20261121T200501123Z".len());
        assert!(time.starts_with("20") && time.ends_with('Z'), "{name}");
        assert_eq!(end, "-3.coredump");
        assert!(file_name(&"x".repeat(500), 1).len() < 150);
    }

    #[test]
    fn a_file_in_a_folder_that_is_not_there_is_refused_at_the_start() {
        let folder = tempfile::tempdir().unwrap();
        assert!(Dumps::new(&folder.path().join("no/file")).is_err());
        assert!(matches!(Dumps::new(&folder.path().join("file")).unwrap().place, Place::File(_)));
        assert!(matches!(Dumps::new(folder.path()).unwrap().place, Place::Folder(_)));
        let new = folder.path().join("a/b/");
        assert!(matches!(Dumps::new(&new).unwrap().place, Place::Folder(_)) && new.is_dir());
    }
}
