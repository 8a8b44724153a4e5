//! What follows a command: its output is initialised where the manifest asks for it, and made a component where it is none.
//!
//! In: a component whose command has run. Out: its file. Next: [`crate::build`].

use super::{Built, output};
use crate::preinit::{self, Bounds, Cancel, stamp};
use crate::{Error, PreinitError, file, module, sources};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::SystemTime;
use wharf_app::{Build, Component};
use wharf_preinit::Snapshot;
use wharf_telemetry::clock;

/// The file of a component that needs no building.
pub(super) fn there(component: &Component, folder: &Path) -> Result<Built, Error> {
    let Some(file) = output(component, folder) else {
        return Ok(Built::there(PathBuf::new(), 0));
    };
    match fs::metadata(&file) {
        Ok(data) => Ok(Built::there(file, data.len())),
        Err(source) => Err(Error::File { verb: "read", file, source }),
    }
}

/// Makes a component of what the command wrote, where that is needed. On a thread of its own: encoding a large module takes a while.
pub(super) async fn finish(component: &Component, build: &Build, folder: &Path) -> Result<Built, Error> {
    let (component, build, folder) = (component.clone(), build.clone(), folder.to_owned());
    let cancel = Cancel(Arc::new(AtomicBool::new(false)));
    let bounds = Bounds {
        memory_bytes: component.limits.memory_bytes,
        timeout: build.timeout,
        cancelled: Arc::clone(&cancel.0),
    };
    let finished = tokio::task::spawn_blocking(move || finish_now(&component, &build, &folder, &bounds)).await;
    finished.unwrap_or_else(|error| {
        let source = std::io::Error::other(error);
        Err(Error::File { verb: "write", file: PathBuf::new(), source })
    })
}

fn finish_now(component: &Component, build: &Build, folder: &Path, bounds: &Bounds) -> Result<Built, Error> {
    let Some(output) = output(component, folder) else { return there(component, folder) };
    let dir = sources::dir(build, folder);
    let (made, key) = match &build.module {
        Some(module) => (dir.join(module), "module"),
        None => (output.clone(), "source"),
    };
    let name = || component.name.clone();
    let mut bytes = match fs::read(&made) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Err(Error::NoOutput { component: name(), file: made, key });
        }
        Err(source) => return Err(Error::File { verb: "read", file: made, source }),
    };
    let is_component = preinit::is_component(&bytes);
    let mark = stamp::of(&bytes);
    let is_as_wanted = is_component && mark == build.preinit;
    if is_as_wanted && made == output {
        touch(&output);
        return Ok(Built::there(output, bytes.len() as u64));
    }
    let mut initialised = None;
    match &build.preinit {
        Some(function) if mark.as_ref() != Some(function) => {
            let snapshot = initialise(component, function, &made, &bytes, bounds)?;
            (bytes, initialised) = (snapshot.bytes, Some(snapshot.said));
        }
        // Made elsewhere. With its mark, it would be taken for something that is to be made anew.
        None if is_component => stamp::remove(&mut bytes),
        _ => {}
    }
    if !is_component {
        bytes = componentize(component, build, &dir, &made, &bytes)?;
    }
    if let Some(function) = build.preinit.as_deref().filter(|_| initialised.is_some()) {
        inspect(component, &made, &bytes)?;
        stamp::mark(&mut bytes, function);
    }
    file::write_whole(&output, &bytes)?;
    let size_bytes = bytes.len() as u64;
    Ok(Built { file: output, size_bytes, took: None, of_module: !is_component, initialised })
}

fn initialise(
    component: &Component,
    function: &str,
    file: &Path,
    bytes: &[u8],
    bounds: &Bounds,
) -> Result<Snapshot, Error> {
    inspect(component, file, bytes)?;
    let initialised = match stamp::of(bytes) {
        Some(function) => Err(PreinitError::Again { function }),
        None => preinit::run(bytes, function, bounds),
    };
    initialised.map_err(|source| Error::Preinit {
        component: component.name.clone(),
        file: file.to_owned(),
        function: function.to_owned(),
        source: Box::new(source),
    })
}

fn componentize(component: &Component, build: &Build, dir: &Path, file: &Path, bytes: &[u8]) -> Result<Vec<u8>, Error> {
    inspect(component, file, bytes)?;
    module::componentize(bytes, Some(build), dir).map_err(|source| Error::Module {
        component: component.name.clone(),
        file: file.to_owned(),
        source: Box::new(source),
    })
}

/// Refuses what is not valid, which those who work on it expect, and files that would exhaust a parser.
fn inspect(component: &Component, file: &Path, bytes: &[u8]) -> Result<(), Error> {
    let inspected = wharf_component::inspect(bytes).map(|_| ());
    inspected.map_err(|source| Error::Inspect {
        component: component.name.clone(),
        file: file.to_owned(),
        source: Box::new(source),
    })
}

/// A command that finds nothing to do leaves its file as old as it is; without this it would be stale for ever.
fn touch(file: &Path) {
    let now: SystemTime = clock::wall();
    let touched = fs::File::options().append(true).open(file).and_then(|file| file.set_modified(now));
    if let Err(error) = touched {
        tracing::debug!("cannot mark {} as new: {error}", file.display());
    }
}
