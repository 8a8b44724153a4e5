//! What the program takes from where it runs, for those below it that read no environment, and what it says of what they do.
//!
//! In: the environment of the process. Out: an app that can be loaded; warnings and downloads are told on stderr. Next: [`wharf_project`].

use crate::command_error::CommandError;
use crate::output::talk;
use crate::report;
use std::path::{Path, PathBuf};
use wharf_project::{Bindings, Download, Environment, Pins, Project, Read};
use wharf_registry::Fetcher;

/// Returns the environment of the program.
#[expect(clippy::disallowed_methods, reason = "the program itself reads its environment")]
pub(crate) fn environment() -> Environment {
    std::env::vars_os().collect()
}

/// Returns where compiled components of programs are kept: the user's cache folder. Absent if there is none.
pub(crate) fn user_cache() -> Option<PathBuf> {
    environment().cache()
}

/// Returns where the state of an app is kept: where a flag says, or else where it is by default.
pub(crate) fn state_of(project: &Project, flag: Option<&Path>) -> PathBuf {
    flag.map_or_else(|| project.default_state(&environment()), Path::to_owned)
}

/// Reads the operator's file.
pub(crate) fn operator(flag: Option<&Path>, folder: &Path) -> Result<Bindings, CommandError> {
    Ok(wharf_project::read_operator(flag, folder, &environment(), report::warn)?)
}

/// Fetches what an app does not have as files: the bytes of `pins`, where they are there.
pub(crate) fn fetch(read: Read, pins: &Pins) -> Result<(Read, Pins), CommandError> {
    Ok(wharf_project::fetch(read, pins, &environment(), |download| {
        talk(&match download {
            Download::Fetched { place, bytes } => format!("fetched {place} ({bytes} bytes)\n"),
            Download::Stale { place } => format!("cannot look up {place}: taking the one that it was\n"),
        });
    })?)
}

/// Returns what downloads, with the logins of the user.
pub(crate) fn fetcher() -> Result<Fetcher, CommandError> {
    wharf_project::fetcher(&environment()).map_err(|error| report::download_error(&error))
}
