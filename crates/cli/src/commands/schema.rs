//! `wharf schema`: the JSON schema of the manifest, for editors.

use crate::command_error::CommandError;
use clap::Args;
use std::process::ExitCode;

#[derive(Debug, Args)]
pub(crate) struct SchemaArgs {}

pub(crate) fn run(_args: &SchemaArgs) -> Result<ExitCode, CommandError> {
    println!("{:#}", wharf_app::json_schema());
    Ok(ExitCode::SUCCESS)
}
