//! `wharf wit`: read, check, compare and fetch interfaces, and make bindings for them.

mod bindings;
mod check;
mod diff;
mod fetch;
mod print;
mod read;

use crate::command_error::CommandError;
use clap::{Args, Subcommand};
use std::process::ExitCode;

#[derive(Debug, Args)]
pub(crate) struct WitArgs {
    #[command(subcommand)]
    command: WitCommand,
}

#[derive(Debug, Subcommand)]
enum WitCommand {
    /// Print the WIT of a component, a file, a folder, or a package in binary form
    Print(print::PrintArgs),
    /// Say all that is wrong with a WIT package
    Check(check::CheckArgs),
    /// Say what changed between two versions of an interface, whom it breaks, and which version it asks for
    Diff(diff::DiffArgs),
    /// Fetch the packages that a WIT package uses and does not have
    Fetch(fetch::FetchArgs),
    /// Make the source code that stands between C or Go and a world
    Bindings(bindings::BindingsArgs),
}

pub(crate) fn run(args: &WitArgs) -> Result<ExitCode, CommandError> {
    match &args.command {
        WitCommand::Print(args) => print::run(args),
        WitCommand::Check(args) => check::run(args),
        WitCommand::Diff(args) => diff::run(args),
        WitCommand::Fetch(args) => fetch::run(args),
        WitCommand::Bindings(args) => bindings::run(args),
    }
}
