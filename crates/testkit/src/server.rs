//! A running `wharf up` or `wharf dev`.

use crate::http1::{Http1, Response};
use crate::output::Output;
use crate::program::{Ended, Owned, Program, outputs, shared_cache};
use crate::wait::BOUND;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;
use tempfile::TempDir;

/// A `wharf up` or `wharf dev` to be started.
#[derive(Debug)]
pub struct Up {
    program: Program,
    args: Vec<String>,
    state: Option<PathBuf>,
    patience: Duration,
}

impl Up {
    pub(crate) fn new(program: Program, verb: &str, path: &Path) -> Self {
        let path = path.display().to_string();
        Self {
            program,
            args: vec![verb.to_owned(), path, "--listen=127.0.0.1:0".to_owned()],
            state: None,
            patience: BOUND,
        }
    }

    /// Adds arguments, separated by spaces.
    #[must_use]
    pub fn with(mut self, args: &str) -> Self {
        self.args.extend(args.split_whitespace().map(str::to_owned));
        self
    }

    /// Listens there, instead of at a free port.
    #[must_use]
    pub fn listen(mut self, address: SocketAddr) -> Self {
        self.args.retain(|arg| !arg.starts_with("--listen="));
        self.args.push(format!("--listen={address}"));
        self
    }

    /// Uses this state folder and its own cache, instead of a temporary one with the cache that all tests share.
    #[must_use]
    pub fn state(mut self, state: &Path) -> Self {
        self.state = Some(state.to_owned());
        self
    }

    /// Uses this state folder, which outlives the server, with the cache that all tests share.
    ///
    /// # Panics
    /// When the folder cannot be made.
    #[must_use]
    pub fn keep(self, state: &Path) -> Self {
        std::fs::create_dir_all(state).expect("a folder for state can be made");
        let cache = state.join("cache");
        if !cache.exists() {
            std::os::unix::fs::symlink(shared_cache(), cache).expect("a link can be made");
        }
        self.state(state)
    }

    /// Waits so long until it serves, where something large has to be compiled first.
    #[must_use]
    pub fn patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// Starts it and waits until it serves.
    ///
    /// # Panics
    /// When it ends instead; shows what it said.
    #[track_caller]
    pub fn start(mut self) -> Server {
        self.args.push("--json".to_owned());
        let patience = self.patience;
        let (mut child, stdout, log, shown, state) = self.spawn();
        let first = stdout.line_within(patience, |_| true);
        let Some(first) = first else {
            let code = child.wait(&shown);
            panic!("{shown} ended with {code:?} instead of serving:\n{}", log.whole());
        };
        let start: Value = serde_json::from_str(&first).unwrap_or_else(|error| panic!("no JSON: {first}: {error}"));
        let url = start["url"].as_str().unwrap_or_default().to_owned();
        let address = url.rsplit('/').next().and_then(|address| address.parse().ok());
        let address = address.unwrap_or_else(|| panic!("no address in {first}"));
        Server { child, start, url, address, stdout, log, _state: state }
    }

    /// Starts it, expecting that it ends by itself.
    pub fn fail(self) -> Ended {
        let (mut child, stdout, log, shown, _state) = self.spawn();
        let code = child.wait(&shown);
        Ended { code, stdout: stdout.whole(), stderr: log.whole() }
    }

    /// Starts it as a person would, without `--json`, and returns what it printed until a line that starts with `last`, after it was
    /// asked to end.
    pub fn banner(self, last: &str) -> String {
        let (mut child, stdout, _log, shown, _state) = self.spawn();
        assert!(
            stdout.line(|line| line.starts_with(last)).is_some(),
            "no line starts with {last:?}: {}",
            stdout.text()
        );
        signal(&child, Signal::TERM);
        assert_eq!(child.wait(&shown), Some(0));
        stdout.whole()
    }

    fn spawn(self) -> (Owned, Output, Output, String, Option<TempDir>) {
        let mut command = self.program.command();
        command.args(&self.args);
        let temporary = match &self.state {
            Some(state) => {
                command.arg("--state").arg(state);
                None
            }
            None => {
                let state = TempDir::new().expect("a temporary folder can be made");
                let link = std::os::unix::fs::symlink(shared_cache(), state.path().join("cache"));
                link.expect("a link can be made");
                command.arg("--state").arg(state.path());
                Some(state)
            }
        };
        let shown = format!("{command:?}");
        let spawned = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
        let mut child = Owned(spawned.unwrap_or_else(|error| panic!("cannot start {shown}: {error}")));
        let (stdout, log) = outputs(&mut child.0);
        (child, stdout, log, shown, temporary)
    }
}

/// A running `wharf up`, killed when dropped.
#[derive(Debug)]
pub struct Server {
    child: Owned,
    /// The start-up line.
    pub start: Value,
    /// Where it says that it serves.
    pub url: String,
    /// The same as an address.
    pub address: SocketAddr,
    stdout: Output,
    log: Output,
    _state: Option<TempDir>,
}

impl Server {
    /// Opens a connection.
    pub fn connect(&self) -> Http1 {
        Http1::connect(self.address)
    }

    /// Sends one GET request by a connection of its own, and takes a complete answer.
    ///
    /// # Panics
    /// When the answer is broken.
    #[track_caller]
    pub fn get(&self, host: &str, path: &str) -> Response {
        let answer = self.connect().get(host, path);
        answer.unwrap_or_else(|broken| panic!("GET {host}{path}: {broken:?}\n{}", self.log()))
    }

    /// Tells whether the process that was started still runs.
    pub fn is_alive(&mut self) -> bool {
        self.child.0.try_wait().is_ok_and(|status| status.is_none())
    }

    /// Returns the process's id.
    pub fn pid(&self) -> u32 {
        self.child.0.id()
    }

    /// Returns what it wrote to stderr until now.
    pub fn log(&self) -> String {
        self.log.text()
    }

    /// Returns what it wrote to stdout until now.
    pub fn stdout(&self) -> String {
        self.stdout.text()
    }

    /// Waits for a line of the log with `text` in it.
    ///
    /// # Panics
    /// When there is none.
    #[track_caller]
    pub fn logged(&self, text: &str) -> String {
        self.find_logged(&[text]).unwrap_or_else(|| panic!("{text:?} was not logged:\n{}", self.log()))
    }

    /// Returns the first line of the log with all `texts` in it, which may take a moment to come.
    pub fn find_logged(&self, texts: &[&str]) -> Option<String> {
        const LOG_BOUND: Duration = Duration::from_secs(10);
        self.log.line_within(LOG_BOUND, |line| texts.iter().all(|text| line.contains(text)))
    }

    /// Returns a number of `/proc/PID/status`, such as `VmRSS` in KiB.
    pub fn status(&self, name: &str) -> u64 {
        let path = format!("/proc/{}/status", self.pid());
        let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("cannot read {path}: {error}"));
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
        let number = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
        number.unwrap_or_else(|| panic!("no {name} in {path}"))
    }

    /// Asks it to end.
    pub fn terminate(&self) {
        signal(&self.child, Signal::TERM);
    }

    /// Waits for its end.
    pub fn wait(mut self) -> Ended {
        let code = self.child.wait("wharf up");
        Ended { code, stdout: self.stdout.whole(), stderr: self.log.whole() }
    }

    /// Asks it to end and waits for that.
    pub fn stop(self) -> Ended {
        self.terminate();
        self.wait()
    }

    /// Sends it a signal.
    pub fn interrupt(&self) {
        signal(&self.child, Signal::INT);
    }
}

fn signal(child: &Owned, signal: Signal) {
    let pid = i32::try_from(child.0.id()).ok().and_then(Pid::from_raw);
    // A process that has ended already needs no signal.
    let _ = pid.map(|pid| kill_process(pid, signal));
}
