//! The flags for those who look for a mistake: core dumps, profiles, and a debugger.
//!
//! In: flags. Out: what the runtime watches, and files at the end. Next: `runtime`.

use crate::command_error::{CommandError, chain};
use crate::output::talk;
use clap::Args;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use wharf_app::App;
use wharf_runtime::{Debugged, Debugger, Diagnostics, Dumps, Profile, Profiles};

/// Where a debugger connects to, unless a flag says otherwise.
const DEBUGGER: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 1234);

/// What is watched while a guest runs
#[derive(Debug, Args)]
#[command(next_help_heading = "Debugging")]
pub(crate) struct DebugArgs {
    #[command(flatten)]
    watch: WatchArgs,
    /// Wait for a debugger before the first instruction, so that LLDB sets breakpoints
    #[arg(long)]
    debug: bool,
}

/// The same for a server
#[derive(Debug, Args)]
#[command(next_help_heading = "Debugging")]
pub(crate) struct ServeDebugArgs {
    #[command(flatten)]
    watch: WatchArgs,
    /// Write the profile after so many requests, instead of at the end
    #[arg(long, value_name = "N", requires = "profile")]
    profile_requests: Option<NonZeroUsize>,
    /// Let a debugger stop this component (the app's only one, if none is named): it answers one request at a time, without limits of time
    #[arg(long, value_name = "COMPONENT", num_args = 0..=1, require_equals = true, default_missing_value = "")]
    debug: Option<String>,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Debugging")]
struct WatchArgs {
    /// When a guest traps, write a core dump to FILE, or one for each trap to DIR; it holds all of the guest's memory
    #[arg(long, value_name = "FILE|DIR")]
    coredump: Option<PathBuf>,
    /// Sample each millisecond of processor time what guests do, and write a profile for the Firefox Profiler at the end
    #[arg(long, value_name = "FILE")]
    profile: Option<PathBuf>,
    /// Where the debugger connects to; whoever can reads and writes the memory of the guest. Port 0 takes a free one
    #[arg(long, value_name = "ADDRESS:PORT", default_value_t = DEBUGGER, requires = "debug")]
    debug_listen: SocketAddr,
}

/// What is being watched.
pub(crate) struct Debugging {
    pub(crate) diagnostics: Diagnostics,
    profile: Option<Arc<ProfileFile>>,
}

/// Returns the command that attaches LLDB.
pub(crate) fn connect(address: SocketAddr) -> String {
    format!("lldb -o 'process connect -p wasm connect://{address}'")
}

/// A profile on its way to its file.
struct ProfileFile {
    path: PathBuf,
    profiles: Arc<Profiles>,
    /// Held while it is written, so that the process does not end in the middle.
    writing: Mutex<()>,
}

impl DebugArgs {
    /// Begins for a program of that name. Files of `sources` are shown from there.
    pub(crate) fn start(&self, sources: &Path, name: &str) -> Result<Debugging, CommandError> {
        self.watch.begin(sources, None, self.debug.then_some(name))
    }
}

impl ServeDebugArgs {
    /// Begins for an app. Files of `sources` are shown from there.
    pub(crate) fn start(&self, sources: &Path, app: &App) -> Result<Debugging, CommandError> {
        let debugged = self.debug.as_deref().map(|name| debugged(name, app)).transpose()?;
        let debugging = self.watch.begin(sources, self.profile_requests, debugged)?;
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

/// Returns the name of the component that is to be debugged.
fn debugged<'a>(name: &'a str, app: &'a App) -> Result<&'a str, CommandError> {
    let known: Vec<&str> = app.components.iter().map(|component| component.name.as_str()).collect();
    match (name, known.as_slice()) {
        ("", [only]) => Ok(only),
        (name, known) if known.contains(&name) => Ok(name),
        ("", _) => {
            let error = CommandError::usage(format!("the app {} has {} components", app.name, known.len()));
            Err(error.hint(format!("say which one to debug: --debug={}", known.join(", --debug="))))
        }
        _ => {
            let error = CommandError::usage(format!("the app {} has no component {name:?} to debug", app.name));
            Err(error.hint(format!("it has {}", known.join(", "))))
        }
    }
}

impl WatchArgs {
    fn begin(
        &self,
        sources: &Path,
        requests: Option<NonZeroUsize>,
        debugged: Option<&str>,
    ) -> Result<Debugging, CommandError> {
        let dumps = self.coredump.as_deref().map(Dumps::new).transpose();
        let dumps = dumps.map_err(|error| CommandError::usage(chain(&error)))?;
        let profile = self.profile.as_ref().map(|path| ProfileFile::new(path, requests)).transpose()?;
        let debugged = debugged.map(|name| self.listen(name)).transpose()?;
        let diagnostics = Diagnostics {
            sources: std::fs::canonicalize(sources).ok().map(Into::into),
            dumps: dumps.map(Arc::new),
            profiles: profile.as_ref().map(|profile| Arc::clone(&profile.profiles)),
            debugged,
        };
        Ok(Debugging { diagnostics, profile: profile.map(Arc::new) })
    }

    fn listen(&self, name: &str) -> Result<Debugged, CommandError> {
        let debugger = Debugger::listen(self.debug_listen).map_err(|error| {
            let error = CommandError::usage(chain(&error));
            error.hint("--debug-listen 127.0.0.1:0 takes a free port")
        })?;
        if !self.debug_listen.ip().is_loopback() {
            talk("warning: whoever reaches the debugger's port reads and writes the memory of the guest\n");
        }
        Ok(Debugged { component: name.into(), debugger })
    }
}

impl Debugging {
    /// Returns where the debugger connects to, if there is a component to debug.
    pub(crate) fn debugger(&self) -> Option<(&str, SocketAddr)> {
        let debugged = self.diagnostics.debugged.as_ref()?;
        Some((&debugged.component, debugged.debugger.address()))
    }

    /// Says where the debugger is waited for, if there is one to wait for.
    pub(crate) fn announce(&self) {
        if let Some(Debugged { debugger, .. }) = &self.diagnostics.debugged {
            debugger.expect();
            talk(&format!("waiting for a debugger: {}\n", connect(debugger.address())));
        }
    }

    /// Waits for the debugger, if there is one to wait for.
    pub(crate) fn wait(&self) {
        self.announce();
        self.diagnostics.debugged.iter().for_each(|debugged| debugged.debugger.wait());
    }

    /// Writes what is not written yet, and tells the debugger that nothing will run any more.
    pub(crate) fn finish(&self, code: u8) {
        self.profile.iter().for_each(|profile| profile.write());
        self.diagnostics.debugged.iter().for_each(|debugged| debugged.debugger.end(code));
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
