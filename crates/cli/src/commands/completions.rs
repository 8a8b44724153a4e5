//! `wharf completions`: a completion script for a shell.

use crate::args::Cli;
use crate::command_error::CommandError;
use clap::{Args, CommandFactory};
use clap_complete::Shell;
use std::process::ExitCode;

#[derive(Debug, Args)]
pub(crate) struct CompletionsArgs {
    /// The shell
    shell: Shell,
}

pub(crate) fn run(args: &CompletionsArgs) -> Result<ExitCode, CommandError> {
    clap_complete::generate(args.shell, &mut Cli::command(), "wharf", &mut std::io::stdout());
    Ok(ExitCode::SUCCESS)
}
