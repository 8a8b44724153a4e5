//! The built program, run to its end.

use crate::guests::root;
use crate::output::Output;
use crate::server::Up;
use crate::wait::eventually;
use std::ffi::OsStr;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// The built program.
#[derive(Clone, Debug)]
pub struct Program {
    binary: PathBuf,
    environment: Vec<(String, String)>,
}

/// What a program said before it ended.
#[derive(Clone, Debug)]
pub struct Ended {
    /// Its exit code; absent if a signal ended it.
    pub code: Option<i32>,
    /// All of its standard output.
    pub stdout: String,
    /// All of its standard error.
    pub stderr: String,
}

impl Ended {
    /// Asserts that it ended well.
    #[track_caller]
    pub fn well(self) -> Self {
        assert_eq!(self.code, Some(0), "{self}");
        self
    }

    /// Asserts that it ended with `code` and said each of `texts` on stderr.
    #[track_caller]
    pub fn badly(self, code: i32, texts: &[&str]) -> Self {
        assert_eq!(self.code, Some(code), "{self}");
        for text in texts {
            assert!(self.stderr.contains(text), "{text:?} is missing in: {self}");
        }
        self
    }
}

impl std::fmt::Display for Ended {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "exit code {:?}\n-- stdout\n{}-- stderr\n{}--", self.code, self.stdout, self.stderr)
    }
}

impl Program {
    /// Names the binary: `env!("CARGO_BIN_EXE_wharf")` in the tests of its crate.
    pub fn new(binary: impl Into<PathBuf>) -> Self {
        Self { binary: binary.into(), environment: Vec::new() }
    }

    /// Adds an environment variable.
    #[must_use]
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Returns a command whose user has an empty home, and a cache folder that all tests share: compiling each guest once is what
    /// makes them quick.
    pub fn command(&self) -> Command {
        let mut command = Command::new(&self.binary);
        command
            .env("XDG_CACHE_HOME", cache_home())
            .env_remove("NO_COLOR")
            .env_remove("RUST_BACKTRACE")
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null());
        command
    }

    /// Runs it with `args` to its end.
    pub fn run<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Ended {
        run_to_end(self.command().args(args), b"")
    }

    /// Runs it with `args` in a folder, to its end.
    pub fn run_in<S: AsRef<OsStr>>(&self, folder: &Path, args: impl IntoIterator<Item = S>) -> Ended {
        run_to_end(self.command().current_dir(folder).args(args), b"")
    }

    /// Runs it with `args` and something to read, to its end.
    pub fn run_with_input<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>, input: &[u8]) -> Ended {
        run_to_end(self.command().args(args), input)
    }

    /// Prepares `wharf up PATH`.
    pub fn up(&self, path: impl AsRef<Path>) -> Up {
        Up::new(self.clone(), "up", path.as_ref())
    }

    /// Prepares `wharf dev PATH`.
    pub fn dev(&self, path: impl AsRef<Path>) -> Up {
        Up::new(self.clone(), "dev", path.as_ref())
    }
}

/// Runs a command to its end. Kills it when it takes longer than [`crate::BOUND`].
fn run_to_end(command: &mut Command, input: &[u8]) -> Ended {
    let shown = format!("{command:?}");
    let spawned = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let mut child = Owned(spawned.unwrap_or_else(|error| panic!("cannot start {shown}: {error}")));
    let (stdout, stderr) = outputs(&mut child.0);
    if let Some(mut stdin) = child.0.stdin.take() {
        // A program that ends without reading is a result, not a failure of the test.
        let _ = stdin.write_all(input);
    }
    let code = child.wait(&shown);
    Ended { code, stdout: stdout.whole(), stderr: stderr.whole() }
}

/// A process that does not outlive its test.
#[derive(Debug)]
pub(crate) struct Owned(pub(crate) Child);

impl Owned {
    /// Waits for its end and returns its exit code; absent if a signal ended it.
    pub(crate) fn wait(&mut self, what: &str) -> Option<i32> {
        let look = || self.0.try_wait().ok().flatten();
        eventually(&format!("the end of {what}"), look).code()
    }
}

impl Drop for Owned {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

pub(crate) fn outputs(child: &mut Child) -> (Output, Output) {
    let stdout = child.stdout.take().map(Output::read).unwrap_or_default();
    let stderr = child.stderr.take().map(Output::read).unwrap_or_default();
    (stdout, stderr)
}

/// The cache folder of the user that tests play.
fn cache_home() -> PathBuf {
    root().join("target/testkit")
}

/// Returns the compiled components that all tests share, with a key that exists before the first of them looks for it.
pub(crate) fn shared_cache() -> PathBuf {
    let cache = cache_home().join("wharf/cache");
    let compiled = cache.join("compiled");
    std::fs::create_dir_all(&compiled).expect("the cache of compiled guests can be made");
    let key = compiled.join("key");
    if !key.exists() {
        let mut file = tempfile::NamedTempFile::new_in(&compiled).expect("the cache can be written");
        file.write_all(b"the key of a cache that only tests").expect("the cache can be written");
        file.as_file().set_len(32).expect("the cache can be written");
        // Another test may have been first: its key is as good.
        let _ = file.persist_noclobber(&key);
    }
    cache
}
