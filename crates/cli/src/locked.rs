//! What an app fetches, held to what `wharf.lock` says that it was when it was fetched first.
//!
//! In: an app, and the lock file in its folder. Out: the app with files in the place of what was fetched. Next: `node` reads them.

use crate::building;
use crate::command_error::CommandError;
use crate::output::talk;
use crate::surroundings;
use std::collections::BTreeMap;
use std::path::Path;
use wharf_build::{Lock, Locked};
use wharf_project::{Pin, Pins, Read};
use wharf_registry::Digest;

/// What was fetched, as the lock file has it.
pub(crate) type Sources = BTreeMap<String, Locked>;

/// Fetches what an app does not have as files, and adds what is new to its lock file.
pub(crate) fn fetch(read: Read, folder: &Path) -> Result<Read, CommandError> {
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
