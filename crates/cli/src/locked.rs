//! What an app fetches, held to what `wharf.lock` says that it was when it was fetched first.
//!
//! In: an app that is built, and the lock file in its folder. Out: the app with files in the place of what was fetched. Next: `node` reads
//! them.

use crate::building;
use crate::command_error::CommandError;
use crate::output::talk;
use crate::surroundings;
use clap::Args;
use std::collections::BTreeMap;
use std::path::Path;
use wharf_app::{App, Source};
use wharf_build::{Lock, Locked};
use wharf_project::{Pin, Pins, Project, Read};
use wharf_registry::Digest;

/// What was fetched, as the lock file has it.
pub(crate) type Sources = BTreeMap<String, Locked>;

/// Whether an app has to be what its lock file says
#[derive(Clone, Copy, Debug, Default, Args)]
pub(crate) struct LockArgs {
    /// Fail if wharf.lock is missing or would change, and leave it as it is
    #[arg(long)]
    pub(crate) locked: bool,
}

impl LockArgs {
    /// Fails where there is nothing that a lock file could be of.
    pub(crate) fn check(self, project: &Project) -> Result<(), CommandError> {
        match project {
            Project::Bare { file } if self.locked => {
                let error =
                    CommandError::usage("--locked is for an app: a component without a manifest has no wharf.lock");
                Err(error.hint(format!("leave it out, or write a wharf.toml with {} as `source`", file.display())))
            }
            _ => Ok(()),
        }
    }
}

/// Fetches what an app does not have as files. Adds what is new to its lock file, or with `--locked` fails if that would have to change.
pub(crate) fn fetch(read: Read, folder: &Path, lock: LockArgs) -> Result<Read, CommandError> {
    if lock.locked {
        return exact(read, folder);
    }
    if !wharf_project::is_fetched(&read.app) {
        return Ok(read);
    }
    let mut lock = Lock::read(folder).map_err(|error| building::of(&error))?;
    let (read, fetched) = sources(read, &lock.sources)?;
    if fetched.iter().all(|(name, found)| lock.sources.get(name) == Some(found)) {
        return Ok(read);
    }
    lock.sources.extend(fetched);
    // A folder that nobody may write to serves as well; it only asks the registry again.
    if let Err(error) = lock.write(folder) {
        talk(&format!("what was fetched is not locked: {}\n", wharf_telemetry::chain(&error)));
    }
    Ok(read)
}

/// Fetches what an app does not have as files, and compares all of it with the lock file.
fn exact(read: Read, folder: &Path) -> Result<Read, CommandError> {
    let before = Lock::read(folder).map_err(|error| building::of(&error))?;
    let (read, sources) = sources(read, &before.sources)?;
    let mut after = before.clone();
    after.components = components(&read.app, folder, &before);
    after.sources = sources;
    same(&before, &after, folder)?;
    Ok(read)
}

/// Returns what the components of an app are now. One that cannot be read counts as what it was: who loads it tells what is wrong with it.
fn components(app: &App, folder: &Path, before: &Lock) -> BTreeMap<String, Locked> {
    let now = app.components.iter().filter_map(|component| {
        let found = match &component.source {
            Source::File(file) | Source::Fetched { file, .. } => std::fs::read(folder.join(file)).ok(),
            _ => None,
        };
        let locked = found.map(|bytes| Locked::of(&bytes));
        Some((component.name.clone(), locked.or_else(|| before.components.get(&component.name).cloned())?))
    });
    now.collect()
}

/// Fails if the lock file of a folder would change, and says by what.
pub(crate) fn same(before: &Lock, after: &Lock, folder: &Path) -> Result<(), CommandError> {
    let differences = before.differences(after);
    if differences.is_empty() {
        return Ok(());
    }
    let file = Lock::path(folder);
    let what = if file.exists() { "is out of date" } else { "is missing" };
    let error = CommandError::failed(format!("[WHARF-0066] {} {what}", file.display()));
    let error = differences.into_iter().fold(error, CommandError::hint);
    Err(error.hint("if that is meant, run `wharf build` and keep wharf.lock in version control"))
}

/// Fetches what an app does not have as files: the bytes of `locked`, where it has them. Returns with the app what each source is.
pub(crate) fn sources(read: Read, locked: &Sources) -> Result<(Read, Sources), CommandError> {
    let pin = |locked: &Locked| Some(Pin { digest: Digest::parse(&locked.digest).ok()?, size_bytes: locked.size });
    let pins: Pins = locked.iter().filter_map(|(name, locked)| Some((name.clone(), pin(locked)?))).collect();
    let (read, found) = surroundings::fetch(read, &pins)?;
    let locked = |pin: Pin| Locked { digest: pin.digest.to_string(), size: pin.size_bytes };
    Ok((read, found.into_iter().map(|(name, pin)| (name, locked(pin))).collect()))
}

/// Says which sources are other bytes than before.
pub(crate) fn tell_moved(before: &Sources, now: &Sources) {
    for (name, now) in now {
        if let Some(before) = before.get(name).filter(|before| before.digest != now.digest) {
            talk(&format!("{name} is {}, it was {}\n", now.digest, before.digest));
        }
    }
}
