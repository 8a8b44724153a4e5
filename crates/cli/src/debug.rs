//! The flags for those who look for a mistake: core dumps and profiles.
//!
//! In: flags. Out: what the runtime watches, and files at the end. Next: `runtime`.

use crate::command_error::{CommandError, chain};
use crate::output::talk;
use clap::Args;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use wharf_runtime::{Diagnostics, Dumps, Profile, Profiles};

/// What is watched while a guest runs
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Debugging")]
pub(crate) struct DebugArgs {
    /// When a guest traps, write a core dump to FILE, or one for each trap to DIR; it holds all of the guest's memory
    #[arg(long, value_name = "FILE|DIR")]
    coredump: Option<PathBuf>,
    /// Sample each millisecond of processor time what guests do, and write a profile for the Firefox Profiler at the end
    #[arg(long, value_name = "FILE")]
    profile: Option<PathBuf>,
}

/// The same for a server
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Debugging")]
pub(crate) struct ServeDebugArgs {
    #[command(flatten)]
    common: DebugArgs,
    /// Write the profile after so many requests, instead of at the end
    #[arg(long, value_name = "N", requires = "profile")]
    profile_requests: Option<NonZeroUsize>,
}

/// What is being watched.
pub(crate) struct Debugging {
    pub(crate) diagnostics: Diagnostics,
    profile: Option<Arc<ProfileFile>>,
}

/// A profile on its way to its file.
struct ProfileFile {
    path: PathBuf,
    profiles: Arc<Profiles>,
    /// Held while it is written, so that the process does not end in the middle.
    writing: Mutex<()>,
}

impl DebugArgs {
    /// Begins. Files of `sources` are shown from there.
    pub(crate) fn start(&self, sources: &Path) -> Result<Debugging, CommandError> {
        self.begin(sources, None)
    }

    fn begin(&self, sources: &Path, requests: Option<NonZeroUsize>) -> Result<Debugging, CommandError> {
        let dumps = self.coredump.as_deref().map(Dumps::new).transpose();
        let dumps = dumps.map_err(|error| CommandError::usage(chain(&error)))?;
        let profile = self.profile.as_ref().map(|path| ProfileFile::new(path, requests)).transpose()?;
        let diagnostics = Diagnostics {
            sources: std::fs::canonicalize(sources).ok().map(Into::into),
            dumps: dumps.map(Arc::new),
            profiles: profile.as_ref().map(|profile| Arc::clone(&profile.profiles)),
        };
        Ok(Debugging { diagnostics, profile: profile.map(Arc::new) })
    }
}

impl ServeDebugArgs {
    /// Begins. Files of `sources` are shown from there.
    pub(crate) fn start(&self, sources: &Path) -> Result<Debugging, CommandError> {
        let debugging = self.common.begin(sources, self.profile_requests)?;
        if let (Some(profile), Some(_)) = (&debugging.profile, self.profile_requests) {
            let profile = Arc::clone(profile);
            // Ends with the last request, or with the process.
            std::thread::spawn(move || {
                profile.profiles.wait();
                profile.write();
            });
        }
        Ok(debugging)
    }
}

impl Debugging {
    /// Writes what is not written yet.
    pub(crate) fn finish(&self) {
        self.profile.iter().for_each(|profile| profile.write());
    }
}

impl ProfileFile {
    fn new(path: &Path, requests: Option<NonZeroUsize>) -> Result<Self, CommandError> {
        // Found out now, and not after the run that was to be looked at.
        std::fs::File::create(path)
            .map_err(|error| CommandError::usage(format!("cannot write a profile to {}: {error}", path.display())))?;
        let profiles = Arc::new(Profiles::new(requests.map(NonZeroUsize::get)));
        Ok(Self { path: path.to_owned(), profiles, writing: Mutex::new(()) })
    }

    fn write(&self) {
        let _writing = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(profiles) = self.profiles.finish() else { return };
        if profiles.is_empty() {
            talk("no profile: no guest used as much as a millisecond of processor time\n");
            let _ = std::fs::remove_file(&self.path);
        }
        let paths = paths(&self.path, &profiles);
        if !paths.contains(&self.path) {
            let _ = std::fs::remove_file(&self.path);
        }
        for (profile, path) in profiles.iter().zip(paths) {
            talk(&match std::fs::write(&path, &profile.json) {
                Ok(()) => said(profile, &path),
                Err(error) => {
                    format!("cannot write the profile of {} to {}: {error}\n", profile.component, path.display())
                }
            });
        }
    }
}

fn said(profile: &Profile, path: &Path) -> String {
    let cut = if profile.is_cut { ", those after it left out" } else { "" };
    format!(
        "profile of {}: {} ms of processor time in samples{cut}: {}; open it at https://profiler.firefox.com\n",
        profile.component,
        profile.samples,
        path.display()
    )
}

/// Returns a file for each profile: the one that was named if there is one profile, else that with the component's name, and a number for
/// a later version.
fn paths(path: &Path, profiles: &[Profile]) -> Vec<PathBuf> {
    if profiles.len() == 1 {
        return vec![path.to_owned()];
    }
    let mut taken = Vec::new();
    for profile in profiles {
        let safe = |c: char| if c.is_alphanumeric() || c == '-' { c } else { '_' };
        let component: String = profile.component.chars().map(safe).collect();
        let named = (1..).map(|number| if number == 1 { component.clone() } else { format!("{component}-{number}") });
        let extension = path.extension().map(|extension| extension.to_string_lossy().into_owned());
        let mut files = named.map(|name| match &extension {
            Some(extension) => path.with_extension(format!("{name}.{extension}")),
            None => path.with_extension(name),
        });
        let file = files.find(|file| !taken.contains(file));
        taken.extend(file);
    }
    taken
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_profile_has_a_file_of_its_own() {
        let names = |components: &[&str], path: &str| {
            let profile =
                |name: &&str| Profile { component: (*name).to_owned(), samples: 1, is_cut: false, json: Vec::new() };
            let profiles: Vec<_> = components.iter().map(profile).collect();
            paths(Path::new(path), &profiles).iter().map(|path| path.display().to_string()).collect::<Vec<_>>()
        };
        assert_eq!(names(&["api"], "a/p.json"), ["a/p.json"]);
        assert_eq!(names(&["api", "auth"], "a/p.json"), ["a/p.api.json", "a/p.auth.json"]);
        assert_eq!(names(&["api", "api", "../x"], "p"), ["p.api", "p.api-2", "p.___x"]);
        assert_eq!(names(&[], "p"), [""; 0]);
    }
}
