//! A server process that a test starts, kills, stops in its tracks, and starts again.

use std::fs::{self, File, OpenOptions};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use super::folder::{Owner, give};
use super::guard::Guard;
use super::ports::Ports;
use crate::wait::{BOUND, until};

/// How often a server is started that ends instead of serving, which is what it does when its port is taken.
const ATTEMPTS: usize = 3;

/// How often it is asked whether it is up: less than any of them takes to start.
const LOOK: Duration = Duration::from_millis(5);

/// A server process on loopback. Gone, with its folder, when dropped.
///
/// The methods take `&self`, so that one thread may kill a server that another one uses. They block for as long as the server
/// takes, and panic with its log when it does not do what it should within [`crate::BOUND`].
#[derive(Debug)]
pub struct Daemon {
    recipe: Recipe,
    running: Mutex<Option<Running>>,
    ports: Ports,
    folder: TempDir,
}

/// How a server is started and ended.
#[derive(Debug)]
pub(super) struct Recipe {
    pub(super) program: PathBuf,
    pub(super) args: Vec<String>,
    /// Who it runs as, when not as ourselves.
    pub(super) owner: Option<Owner>,
    /// Tells whether the server at these ports answers.
    pub(super) is_ready: fn(&Ports, &Login) -> bool,
    pub(super) login: Login,
    /// What asks it to end well.
    pub(super) stop: End,
    /// What ends it quickly and leaves nothing behind.
    pub(super) discard: End,
}

/// Who asks whether a server is up.
#[derive(Clone, Debug, Default)]
pub(super) struct Login {
    pub(super) user: String,
    pub(super) password: String,
}

/// A signal that ends a server.
#[derive(Clone, Copy, Debug)]
pub(super) enum End {
    Kill,
    Terminate,
    Interrupt,
    Quit,
}

#[derive(Debug)]
struct Running {
    child: Child,
    guard: Guard,
}

// === impl Daemon ===

impl Daemon {
    /// Starts a server in a new folder, at as many ports as `count`; `prepare` fills the folder and says how to start it.
    pub(super) fn start(count: usize, owner: Option<Owner>, prepare: impl Fn(&Path, &Ports) -> Recipe) -> Daemon {
        let mut last_words = String::new();
        for _ in 0..ATTEMPTS {
            let folder = tempfile::Builder::new().prefix("wharf-test-").tempdir();
            let folder = folder.expect("a temporary folder can be made");
            give(folder.path(), owner).expect("a new folder can be given away");
            let ports = Ports::take(count);
            let recipe = prepare(folder.path(), &ports);
            let daemon = Daemon { recipe, running: Mutex::new(None), ports, folder };
            let launched = daemon.launch(&mut daemon.lock());
            match launched {
                Ok(()) => return daemon,
                Err(log) => last_words = log,
            }
        }
        panic!("a server ended {ATTEMPTS} times instead of serving:\n{last_words}");
    }

    /// Returns the port where it serves.
    pub fn port(&self) -> u16 {
        self.ports.get(0)
    }

    /// Returns the folder of its data, settings and log.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Returns what it wrote to its log until now, in all its lives.
    pub fn log(&self) -> String {
        fs::read(self.log_file()).map(|text| String::from_utf8_lossy(&text).into_owned()).unwrap_or_default()
    }

    /// Returns the id of its process; absent while it is down.
    pub fn pid(&self) -> Option<u32> {
        self.lock().as_ref().map(|running| running.child.id())
    }

    /// Tells whether its process is there. One that is paused is.
    pub fn is_alive(&self) -> bool {
        self.lock().as_mut().is_some_and(|running| running.child.try_wait().is_ok_and(|status| status.is_none()))
    }

    /// Asks it to end, as an operator would, and waits for that. Does nothing while it is down.
    pub fn stop(&self) {
        self.end(&mut self.lock(), self.recipe.stop);
    }

    /// Kills it and its processes by SIGKILL: what it did not write is lost. Does nothing while it is down.
    pub fn kill(&self) {
        self.end(&mut self.lock(), End::Kill);
    }

    /// Starts it again at the same port, with the same data, and waits until it answers. If it runs, stops it first.
    ///
    /// # Panics
    /// When it does not serve; shows its log.
    pub fn restart(&self) {
        let mut running = self.lock();
        self.end(&mut running, self.recipe.stop);
        let mut attempts = (0..ATTEMPTS).map(|_| self.launch(&mut running));
        let served = attempts.any(|attempt| attempt.is_ok());
        assert!(served, "{} does not start again:\n{}", self.recipe.program.display(), self.log());
    }

    /// Stops it in its tracks by SIGSTOP: it keeps its connections, the kernel accepts new ones, and nothing is answered.
    pub fn pause(&self) {
        let Some(pid) = self.pid() else { return };
        // The parent first, so that it has no new children meanwhile.
        pause(pid);
        family(pid).into_iter().for_each(pause);
    }

    /// Lets it go on after [`Self::pause`].
    pub fn resume(&self) {
        let Some(pid) = self.pid() else { return };
        family(pid).iter().chain([&pid]).for_each(|pid| signal(*pid, Signal::CONT));
    }

    /// Returns a port beside the first.
    pub(super) fn other_port(&self, index: usize) -> u16 {
        self.ports.get(index)
    }

    fn lock(&self) -> MutexGuard<'_, Option<Running>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn log_file(&self) -> PathBuf {
        self.folder().join("log")
    }

    /// Starts the process and waits until it answers. When it ends instead, returns its log.
    fn launch(&self, running: &mut Option<Running>) -> Result<(), String> {
        let recipe = &self.recipe;
        let log = OpenOptions::new().append(true).create(true).open(self.log_file());
        let log = log.expect("a server's folder can be written");
        let more_log = log.try_clone().expect("an open file can be shared");
        let mut command = Command::new(&recipe.program);
        command.args(&recipe.args).current_dir(self.folder());
        // What programs keep for their user, or only for a while, goes with the folder too.
        command.env("HOME", self.folder()).env("TMPDIR", self.folder());
        command.stdin(Stdio::null()).stdout::<File>(log).stderr::<File>(more_log);
        if let Some(owner) = recipe.owner {
            command.uid(owner.user).gid(owner.group);
        }
        let mut child = command.spawn().unwrap_or_else(|error| panic!("cannot start {command:?}: {error}"));
        let guard = Guard::watch(child.id(), recipe.discard.name(), self.folder());
        let mut waited = Duration::ZERO;
        while !(recipe.is_ready)(&self.ports, &recipe.login) {
            if child.try_wait().is_ok_and(|status| status.is_some()) {
                guard.dismiss();
                return Err(format!("{command:?}\n{}", self.log()));
            }
            assert!(waited < BOUND, "it runs and does not answer: {command:?}\n{}", self.log());
            thread::sleep(LOOK);
            waited += LOOK;
        }
        *running = Some(Running { child, guard });
        Ok(())
    }

    fn end(&self, running: &mut Option<Running>, end: End) {
        let Some(Running { mut child, guard }) = running.take() else { return };
        if matches!(end, End::Kill) {
            // All of them as if at once: one that outlives the others for a moment would tell its clients.
            pause(child.id());
        }
        let family = family(child.id());
        if matches!(end, End::Kill) {
            family.iter().for_each(|pid| signal(*pid, Signal::KILL));
        }
        signal(child.id(), end.signal());
        // One that was paused hears nothing before it goes on.
        family.iter().chain([&child.id()]).for_each(|pid| signal(*pid, Signal::CONT));
        until(&format!("the end of {}", self.recipe.program.display()), || !is_there(child.id()));
        guard.dismiss();
        let _ = child.wait();
        // Its children may hold the data for a moment longer.
        until("the end of a server's processes", || !family.iter().any(|pid| is_there(*pid)));
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        self.end(&mut self.lock(), self.recipe.discard);
    }
}

// === impl End ===

impl End {
    fn name(self) -> &'static str {
        match self {
            End::Kill => "KILL",
            End::Terminate => "TERM",
            End::Interrupt => "INT",
            End::Quit => "QUIT",
        }
    }

    fn signal(self) -> Signal {
        match self {
            End::Kill => Signal::KILL,
            End::Terminate => Signal::TERM,
            End::Interrupt => Signal::INT,
            End::Quit => Signal::QUIT,
        }
    }
}

/// Stops a process and waits until all its threads stand still, each of which goes on until it is next interrupted.
fn pause(pid: u32) {
    signal(pid, Signal::STOP);
    let stands_still = |stat: &Path| state(stat).is_none_or(|state| state.starts_with(['T', 't', 'Z', 'X']));
    let threads = || fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
    until("a process that stands still", || threads().all(|thread| stands_still(&thread.path().join("stat"))));
}

/// Returns the processes that come from one, without it.
fn family(ancestor: u32) -> Vec<u32> {
    let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
    let ids = entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    let pairs: Vec<(u32, u32)> = ids.filter_map(|pid| Some((pid, parent(pid)?))).collect();
    let mut found = vec![ancestor];
    let mut next = 0;
    while let Some(&one) = found.get(next) {
        found.extend(pairs.iter().filter(|(_, parent)| *parent == one).map(|(pid, _)| *pid));
        next += 1;
    }
    found.split_off(1)
}

fn parent(pid: u32) -> Option<u32> {
    state(&stat(pid))?.split_whitespace().nth(1)?.parse().ok()
}

/// Tells whether a process is there and more than its exit code.
fn is_there(pid: u32) -> bool {
    state(&stat(pid)).is_some_and(|state| !state.starts_with(['Z', 'X']))
}

fn stat(pid: u32) -> PathBuf {
    PathBuf::from(format!("/proc/{pid}/stat"))
}

/// Returns what a `stat` of `/proc` says after the name: the state, the parent, and more.
fn state(stat: &Path) -> Option<String> {
    let text = fs::read_to_string(stat).ok()?;
    // The name is in brackets and may have any character, brackets too.
    Some(text.rsplit_once(") ")?.1.to_owned())
}

fn signal(pid: u32, signal: Signal) {
    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw);
    // A process that has ended already needs no signal.
    let _ = pid.map(|pid| kill_process(pid, signal));
}
