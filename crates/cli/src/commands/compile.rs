//! `wharf compile-alone`: what this program starts itself as, to compile one component within limits. Not for users.
//!
//! In: a component on stdin. Out: its machine code on stdout, or why there is none on stderr. Next: the process that serves.

use crate::command_error::CommandError;
use clap::Args;
use std::io::Write;
use std::process::ExitCode;
use wharf_runtime::compile_worker;

/// The name of the command.
pub(crate) const NAME: &str = "compile-alone";

#[derive(Debug, Args)]
pub(crate) struct CompileArgs {
    /// What the process is told
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    job: Vec<String>,
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
