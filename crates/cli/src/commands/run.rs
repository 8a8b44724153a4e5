//! `wharf run`: run a program and end with its exit code.

use crate::args::{GrantArgs, PlaceArgs};
use crate::command_error::{CommandError, chain};
use crate::debug::DebugArgs;
use crate::labels::Labels;
use crate::surroundings::user_cache;
use clap::Args;
use std::path::Path;
use std::process::ExitCode;
use wharf_app::{NetPattern, parse_size};
use wharf_component::{Entry, Facts, PROVIDED};
use wharf_node::Program;
use wharf_runtime::{Failure, invoke};

#[derive(Debug, Args)]
pub(crate) struct RunArgs {
    /// A command component of WASI 0.2 or 0.3 or a core module of WASI preview 1, and its arguments
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, required = true, value_name = "FILE [ARGS]")]
    program: Vec<String>,
    /// Memory that the program may use
    #[arg(long, value_name = "SIZE", default_value = "1GiB", value_parser = memory)]
    memory: u64,
    /// Let it listen on `HOST:PORT`, where anybody may connect to it
    #[arg(long = "allow-listen", value_name = "PATTERN", value_parser = NetPattern::parse)]
    listening: Vec<NetPattern>,
    #[command(flatten)]
    debug: DebugArgs,
    #[command(flatten)]
    grants: GrantArgs,
    #[command(flatten)]
    places: PlaceArgs,
}

/// Reads a size flag.
pub(crate) fn memory(text: &str) -> Result<u64, String> {
    parse_size(text).map_err(|error| error.to_string())
}

pub(crate) fn run(args: &RunArgs) -> Result<ExitCode, CommandError> {
    let Some((file, arguments)) = args.program.split_first() else {
        return Err(CommandError::usage("there is no file to run"));
    };
    let file = Path::new(file);
    let (bytes, facts) = read(file)?;
    let missing = wharf_component::check(&facts, PROVIDED);
    facts
        .verdict(&missing)
        .run
        .map_err(|reason| CommandError::usage(format!("{} cannot be run: {reason}", file.display())))?;
    let current = std::env::current_dir().unwrap_or_default();
    let grants = args.grants.grants(&current);
    let labels = Labels::open(file, &grants, &args.places)?;
    let name = file.file_name().unwrap_or(file.as_os_str()).to_string_lossy();
    let debugging = args.debug.start(&current, &name)?;
    let state = user_cache();
    let program = Program {
        name: &name,
        arguments,
        grants: &grants,
        bound: labels.bound(),
        listening: &args.listening,
        memory_bytes: usize::try_from(args.memory).unwrap_or(usize::MAX),
        state: state.as_deref(),
        diagnostics: debugging.diagnostics.clone(),
    };
    let runtime = program.runtime();
    let ended = event_loop()?.block_on(async {
        // A module is loaded as it is run, and waits for the debugger then.
        if facts.entries.contains(&Entry::Preview1Command) {
            debugging.announce();
            return program.run_module(&runtime, &bytes).await.map_err(failed);
        }
        let component = program.load(&runtime, &bytes).map_err(|error| CommandError::failed(chain(&error)))?;
        debugging.wait();
        invoke::command::run(&component).await.map_err(failed)
    });
    debugging.finish(ended.as_ref().map_or(1, |code| kept(*code)));
    // What it used is closed before the process ends.
    drop(labels);
    Ok(ExitCode::from(kept(ended?)))
}

/// Reads a file and finds out what it is.
pub(crate) fn read(file: &Path) -> Result<(Vec<u8>, Facts), CommandError> {
    let shown = file.display();
    let bytes = std::fs::read(file).map_err(|error| CommandError::usage(format!("cannot read {shown}: {error}")))?;
    let facts = wharf_component::inspect(&bytes)
        .map_err(|error| CommandError::usage(format!("[WHARF-0002] {shown}: {}", chain(&error))))?;
    Ok((bytes, facts))
}

/// Returns the event loop of a command that runs one guest.
pub(crate) fn event_loop() -> Result<tokio::runtime::Runtime, CommandError> {
    let built = tokio::runtime::Builder::new_current_thread().enable_all().build();
    built.map_err(|error| CommandError::failed(format!("cannot start an event loop: {error}")))
}

/// Returns the error of a guest, with its backtrace.
pub(crate) fn failed(failure: Failure) -> CommandError {
    let detail = failure.detail.map_or_else(String::new, |detail| format!("\n{detail}"));
    CommandError::failed(format!("[{}] {}{detail}", failure.cause.code(), failure.cause))
}

/// An exit code of a guest is a `u8` here, as the operating system keeps it; what does not fit stays an error.
fn kept(code: i32) -> u8 {
    let kept = u8::try_from(code & 0xff).unwrap_or(1);
    if kept == 0 && code != 0 { 1 } else { kept }
}
