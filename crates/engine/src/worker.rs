//! The other side of [`crate::CompilerProcess`]: what the process does.
//!
//! In: its arguments, and a component. Out: machine code. Next: the process that started it.

use crate::engine::{self, Lane, Settings};
use rustix::process::{Resource, Rlimit, Signal, nice, set_parent_process_death_signal, setrlimit};
use std::io::Read;

/// How much lower its priority is: requests come first.
const NICENESS: i32 = 5;

/// Seconds from the signal that ends it to the one that it cannot miss.
const GRACE_SECONDS: u64 = 5;

/// Why a component was not compiled.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WorkerError {
    /// It was started by somebody else than a [`CompilerProcess`](crate::CompilerProcess) of the same version.
    #[error("this command is for the program itself: it compiles a component in a process of its own")]
    Usage,
    /// The operating system does not bound it, or the component could not be read.
    #[error("the compiler cannot start: {0}")]
    Start(#[source] std::io::Error),
    /// The engine refuses the component. The causes stand in the text, one after another.
    #[error("{0}")]
    Compile(String),
}

/// What one process is to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Job {
    pub(crate) lane: Lane,
    pub(crate) dumps: bool,
    pub(crate) memory_bytes: u64,
    pub(crate) cpu_seconds: u64,
}

impl Job {
    pub(crate) fn to_args(self) -> [String; 4] {
        let dumps = if self.dumps { "dumps" } else { "no-dumps" };
        [self.lane.name().into(), dumps.into(), self.memory_bytes.to_string(), self.cpu_seconds.to_string()]
    }

    fn from_args(args: &[String]) -> Option<Self> {
        let [lane, dumps, memory_bytes, cpu_seconds] = args else { return None };
        let dumps = match dumps.as_str() {
            "dumps" => true,
            "no-dumps" => false,
            _ => return None,
        };
        let (memory_bytes, cpu_seconds) = (memory_bytes.parse().ok()?, cpu_seconds.parse().ok()?);
        Some(Self { lane: Lane::named(lane)?, dumps, memory_bytes, cpu_seconds })
    }

    /// Bounds this process, for good.
    fn bound(self) -> rustix::io::Result<()> {
        let set =
            |resource, soft: u64, hard: u64| setrlimit(resource, Rlimit { current: Some(soft), maximum: Some(hard) });
        // Whoever waits for the code is gone: nobody else does.
        set_parent_process_death_signal(Some(Signal::KILL))?;
        set(Resource::Data, self.memory_bytes, self.memory_bytes)?;
        set(Resource::Cpu, self.cpu_seconds, self.cpu_seconds.saturating_add(GRACE_SECONDS))?;
        set(Resource::Core, 0, 0)?;
        // It writes no files.
        set(Resource::Fsize, 0, 0)?;
        nice(NICENESS).map(drop)
    }
}

/// Compiles one component, after this process has bounded itself for good. For a program that somebody started as a
/// [`CompilerProcess`](crate::CompilerProcess), with the arguments that follow that one's own. What it returns is for stdout; an error
/// is for stderr, and for an exit code that is not zero.
///
/// # Errors
/// See [`WorkerError`].
pub fn compile_worker(args: &[String], mut component: impl Read) -> Result<Vec<u8>, WorkerError> {
    let job = Job::from_args(args).ok_or(WorkerError::Usage)?;
    job.bound().map_err(|error| WorkerError::Start(error.into()))?;
    let mut bytes = Vec::new();
    component.read_to_end(&mut bytes).map_err(WorkerError::Start)?;
    let settings = Settings { instances: 1, warm_slots: 0, dumps: job.dumps, ..Settings::default() };
    let failed = |error: wasmtime::Error| WorkerError::Compile(format!("{error:#}"));
    let config = engine::config(&settings, job.lane, engine::stack_size(0));
    let engine = config.and_then(|config| wasmtime::Engine::new(&config)).map_err(failed)?;
    engine.precompile_component(&bytes).map_err(failed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_is_what_its_arguments_say() {
        for lane in [Lane::Plain, Lane::Concurrent, Lane::Debug] {
            for dumps in [true, false] {
                let job = Job { lane, dumps, memory_bytes: 1 << 30, cpu_seconds: 7 };
                assert_eq!(Job::from_args(&job.to_args()), Some(job));
            }
        }
        for args in [&["plain"][..], &["plane", "dumps", "1", "1"], &["plain", "dumps", "-1", "1"]] {
            let args: Vec<String> = args.iter().map(|&arg| arg.to_owned()).collect();
            assert!(Job::from_args(&args).is_none(), "{args:?}");
        }
    }
}
