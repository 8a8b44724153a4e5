//! `wharf schema`: the JSON schema of the manifest, for editors.

use crate::command_error::CommandError;
use crate::output;
use clap::Args;
use std::process::ExitCode;

#[derive(Debug, Args)]
pub(crate) struct SchemaArgs {}

pub(crate) fn run(_args: &SchemaArgs) -> Result<ExitCode, CommandError> {
    output::data(&format!("{:#}\n", wharf_app::json_schema()))
}
