//! `wharf schema`: the JSON schemas of the manifest and of test files, for editors.

use crate::command_error::CommandError;
use crate::output;
use clap::Args;
use std::process::ExitCode;

#[derive(Debug, Args)]
pub(crate) struct SchemaArgs {
    /// That of test files, which `wharf test` reads, instead of the manifest's
    #[arg(long)]
    tests: bool,
}

pub(crate) fn run(args: &SchemaArgs) -> Result<ExitCode, CommandError> {
    let schema = if args.tests { wharf_testing::json_schema() } else { wharf_app::json_schema() };
    output::data(&format!("{schema:#}\n"))
}
