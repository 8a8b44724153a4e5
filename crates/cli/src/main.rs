//! `wharf`: argv → command → exit code. The only crate that prints, reads the environment, and exits.
//!
//! In: the command line. Out: data on stdout, talk on stderr, an exit code. Next: `node`.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "printing is what a command line is for")]

mod args;
mod building;
mod command_error;
mod commands;
mod debug;
mod labels;
mod locked;
mod logging;
mod output;
mod progress;
mod reference;
mod report;
mod serving;
mod surroundings;
mod variables;

use args::{Cli, Command};
use clap::Parser;
use command_error::CommandError;
use std::process::ExitCode;

/// A request makes hundreds of small allocations that live as long as it does, which is what this allocator is quick at; what guests have in
/// their memories is mapped by the engine, and none of its business. Numbers are in docs/performance.md.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let verbosity = logging::start(cli.log_format, cli.verbose);
    match run(cli, &verbosity) {
        Ok(code) => code,
        Err(error) => error.print(),
    }
}

fn run(cli: Cli, verbosity: &logging::Verbosity) -> Result<ExitCode, CommandError> {
    match cli.command {
        Command::New(args) => commands::new::run(&args),
        Command::Add(args) => commands::add::run(&args),
        Command::Up(args) => commands::up::run(&args, cli.log_format),
        Command::Dev(args) => commands::dev::run(&args, cli.log_format, cli.verbose > 0, verbosity),
        Command::Build(args) => commands::build::run(&args, cli.verbose > 0),
        Command::Run(args) => commands::run::run(&args),
        Command::Call(args) => commands::call::run(&args),
        Command::Test(args) => commands::test::run(&args),
        Command::Inspect(args) => commands::inspect::run(&args),
        Command::Compose(args) => commands::compose::run(&args),
        Command::Wit(args) => commands::wit::run(&args),
        Command::Doctor(args) => commands::doctor::run(&args),
        Command::Explain(args) => commands::explain::run(&args),
        Command::Diff(args) => commands::diff::run(&args),
        Command::Secrets(args) => commands::secrets::run(&args),
        Command::Schema(args) => commands::schema::run(&args),
        Command::Completions(args) => commands::completions::run(&args),
        Command::Compile(args) => commands::compile::run(&args),
        Command::Reference(args) => reference::run(&args),
    }
}
