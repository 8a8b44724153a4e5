//! Compiles a component in a process of its own, whose memory and processor time have bounds.
//!
//! In: the bytes of a component. Out: its machine code as bytes, or why there is none. Next: [`crate::Cache`], which keeps them.
//!
//! What a compiler needs for a component is not bounded by the component's size, and the engine's makers say so: to compile what
//! strangers send, and how long that takes, is for the embedder to bound (Wasmtime's documentation, "What is considered a security
//! vulnerability"). The process has none of this one's variables, a lower priority, and ends with it.

use crate::compile::CompileError;
use crate::engine::{Lane, Settings};
use crate::worker::Job;
use std::ffi::OsString;
use std::io::{Read, Write};
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;
use wharf_telemetry::Size;

/// The most that a compiled component may have. One with CPython has 39 MB.
const CODE_BYTES: u64 = 1 << 30;

/// What is read of what the process says.
const SAID_BYTES: u64 = 16 << 10;

/// A program that compiles one component and ends: any that gives its further arguments to [`compile_worker`](crate::compile_worker).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CompilerProcess {
    /// The program.
    pub program: PathBuf,
    /// Its first arguments. Those of [`compile_worker`](crate::compile_worker) follow.
    pub args: Vec<OsString>,
    /// Its variables of the environment. It gets no others.
    pub variables: Vec<(OsString, OsString)>,
    /// The memory that it may have.
    pub memory_bytes: u64,
    /// The processor time that it may take, over all threads, in whole seconds.
    pub cpu: Duration,
}

/// Why there is no machine code.
pub(crate) enum Failed {
    /// The process could not be started.
    Start(std::io::Error),
    /// It did not compile the component.
    Compile(CompileError),
}

impl CompilerProcess {
    /// Returns this program, which has a command for it, with 4 GiB of memory and five minutes of processor time: some ten times of what
    /// the largest known components need.
    pub fn itself(args: impl IntoIterator<Item = impl Into<OsString>>) -> Self {
        Self {
            // The very file that runs, also when another one is in its place by now: that one could have another engine.
            program: "/proc/self/exe".into(),
            args: args.into_iter().map(Into::into).collect(),
            variables: Vec::new(),
            memory_bytes: 4 << 30,
            cpu: Duration::from_secs(300),
        }
    }

    /// Returns the machine code of a component for an engine of that lane and these settings.
    pub(crate) fn compile(&self, bytes: &[u8], lane: Lane, settings: &Settings) -> Result<Vec<u8>, Failed> {
        let job = Job {
            lane,
            dumps: settings.dumps,
            memory_bytes: self.memory_bytes,
            cpu_seconds: self.cpu.as_secs().max(1),
        };
        let mut command = Command::new(&self.program);
        command.args(&self.args).args(job.to_args());
        command.env_clear().envs(self.variables.iter().map(|(name, value)| (name, value)));
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let child = command.spawn().map_err(Failed::Start)?;
        let (code, said, status) = talk(child, bytes).map_err(Failed::Start)?;
        if status.success() {
            return match code {
                Some(code) => Ok(code),
                None => Err(stopped(format!("its machine code has more than {}", Size::from(CODE_BYTES)))),
            };
        }
        Err(self.failure(status, &said))
    }

    fn failure(&self, status: ExitStatus, said: &str) -> Failed {
        let memory = Size::from(self.memory_bytes);
        match status.signal() {
            None => Failed::Compile(CompileError::Invalid(said.trim().to_owned().into())),
            Some(signal) if signal == rustix::process::Signal::XCPU.as_raw() => {
                stopped(format!("it took more than {} s of processor time", self.cpu.as_secs().max(1)))
            }
            // What Rust says before it aborts a process that gets no more memory.
            Some(_) if said.contains("memory allocation of") => {
                stopped(format!("it took more than {memory} of memory"))
            }
            Some(signal) => stopped(format!("its process was ended by signal {signal}")),
        }
    }
}

fn stopped(why: String) -> Failed {
    Failed::Compile(CompileError::Stopped(why))
}

/// Gives the process its component while its code and its words are read: it must not wait for us while we wait for it. The code is
/// absent if it is too long.
fn talk(mut child: Child, bytes: &[u8]) -> std::io::Result<(Option<Vec<u8>>, String, ExitStatus)> {
    let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let (code, said) = std::thread::scope(|scope| {
        // A process that ended early does not read to the end; how it ended is what counts.
        scope.spawn(move || stdin.map(|mut stdin| stdin.write_all(bytes)));
        let said = scope.spawn(move || read(stderr, SAID_BYTES).unwrap_or_default());
        let code = read(stdout, CODE_BYTES);
        (code, said.join().unwrap_or_default())
    });
    let status = child.wait()?;
    let code = code?;
    let is_whole = code.len() as u64 <= CODE_BYTES;
    Ok((is_whole.then_some(code), String::from_utf8_lossy(&said).into_owned(), status))
}

/// Reads so much and one byte more. What is left is not read: whoever writes on is told so.
fn read(from: Option<impl Read>, limit_bytes: u64) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    if let Some(from) = from {
        from.take(limit_bytes + 1).read_to_end(&mut bytes)?;
    }
    Ok(bytes)
}
