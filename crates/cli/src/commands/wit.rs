//! `wharf wit`: what has to do with interfaces.

mod bindings;

use crate::command_error::CommandError;
use clap::{Args, Subcommand};
use std::process::ExitCode;

#[derive(Debug, Args)]
pub(crate) struct WitArgs {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Make the source code that stands between C or Go and a world
    Bindings(bindings::BindingsArgs),
}

pub(crate) fn run(args: &WitArgs) -> Result<ExitCode, CommandError> {
    match &args.action {
        Action::Bindings(args) => bindings::run(args),
    }
}
