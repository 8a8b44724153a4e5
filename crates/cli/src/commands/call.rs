//! `wharf call`: call one exported function with values written as text.

use crate::args::{GrantArgs, PlaceArgs};
use crate::command_error::{CommandError, chain};
use crate::commands::run::{event_loop, failed, memory, read};
use crate::debug::DebugArgs;
use crate::labels::Labels;
use crate::output;
use crate::surroundings::user_cache;
use clap::Args;
use std::path::PathBuf;
use std::process::ExitCode;
use wharf_component::PROVIDED;
use wharf_node::Program;
use wharf_runtime::invoke::call::{self, CallError};

/// What a component that is called sees as its name.
const NAME: &str = "call";

#[derive(Debug, Args)]
pub(crate) struct CallArgs {
    /// A component
    file: PathBuf,
    /// The call, with WAVE values: `add(1, 2)`, `docs:calculator/ops.sum([1, 2])`
    call: String,
    /// Print the results as JSON instead of WAVE
    #[arg(long)]
    json: bool,
    /// Memory that the component may use
    #[arg(long, value_name = "SIZE", default_value = "1GiB", value_parser = memory)]
    memory: u64,
    #[command(flatten)]
    debug: DebugArgs,
    #[command(flatten)]
    grants: GrantArgs,
    #[command(flatten)]
    places: PlaceArgs,
}

pub(crate) fn run(args: &CallArgs) -> Result<ExitCode, CommandError> {
    let (bytes, facts) = read(&args.file)?;
    let missing = wharf_component::check(&facts, PROVIDED);
    facts
        .verdict(&missing)
        .call
        .map_err(|reason| CommandError::usage(format!("{} has nothing to call: {reason}", args.file.display())))?;
    let current = std::env::current_dir().unwrap_or_default();
    let grants = args.grants.grants(&current);
    let labels = Labels::open(&args.file, &grants, &args.places)?;
    let debugging = args.debug.start(&current, NAME)?;
    let state = user_cache();
    let program = Program {
        name: NAME,
        arguments: &[],
        grants: &grants,
        bound: labels.bound(),
        listening: &[],
        memory_bytes: usize::try_from(args.memory).unwrap_or(usize::MAX),
        state: state.as_deref(),
        diagnostics: debugging.diagnostics.clone(),
    };
    let runtime = program.runtime();
    let component = program.load(&runtime, &bytes).map_err(|error| CommandError::failed(chain(&error)))?;
    debugging.wait();
    let called = event_loop()?.block_on(call::call(&component, &args.call));
    debugging.finish(u8::from(called.is_err()));
    let values = called.map_err(call_error)?;
    let line = |value| if args.json { format!("{}\n", call::to_json(value)) } else { call::to_wave(value) + "\n" };
    output::data(&values.iter().map(line).collect::<String>())
}

fn call_error(error: CallError) -> CommandError {
    let text = error.to_string();
    match error {
        CallError::Failed(failure) => failed(failure),
        CallError::Unknown { known, .. } if known.is_empty() => CommandError::usage(text),
        CallError::Unknown { known, .. } => CommandError::usage(text).hint(format!("it exports {}", known.join(", "))),
        CallError::Ambiguous { known, .. } => {
            CommandError::usage(text).hint(format!("say which: {}", known.join(", ")))
        }
        CallError::Syntax { .. } => {
            CommandError::usage(text).hint("write a call as `name(1, \"text\", [true], {field: 2})`")
        }
        _ => CommandError::usage(text),
    }
}
