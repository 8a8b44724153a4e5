//! `wharf compile-alone`: what this program starts itself as, to compile one component within limits. Not for users.
//!
//! In: a component on stdin. Out: its machine code on stdout, or why there is none on stderr. Next: the process that serves.

use crate::command_error::CommandError;
use clap::Args;
use std::io::Write;
use std::process::ExitCode;
use wharf_runtime::{CompilerProcess, compile_worker};

/// The name of the command.
pub(crate) const NAME: &str = "compile-alone";

/// The bound on its memory counts what is committed, and the allocator would commit a gibibyte that it only reserves.
const COMMIT_WHAT_IS_USED: (&str, &str) = ("MIMALLOC_ARENA_EAGER_COMMIT", "0");

#[derive(Debug, Args)]
pub(crate) struct CompileArgs {
    /// What the process is told
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    job: Vec<String>,
}

/// Returns this program as a compiler.
pub(crate) fn process() -> CompilerProcess {
    let (name, value) = COMMIT_WHAT_IS_USED;
    CompilerProcess { variables: vec![(name.into(), value.into())], ..CompilerProcess::itself([NAME]) }
}

pub(crate) fn run(args: &CompileArgs) -> Result<ExitCode, CommandError> {
    match compile_worker(&args.job, std::io::stdin().lock()) {
        Ok(code) => {
            // Whoever does not read it does not need it.
            let written = std::io::stdout().lock().write_all(&code);
            Ok(if written.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
        }
        Err(error) => {
            // As it is: it becomes a part of what that process says.
            eprintln!("{error}");
            Ok(ExitCode::FAILURE)
        }
    }
}
