//! `wharf wit check`: all that is wrong with a WIT package, with its places.

use super::read::{folder, told};
use crate::command_error::CommandError;
use crate::output::talk;
use clap::Args;
use std::path::PathBuf;
use std::process::ExitCode;
use wharf_wit::{check, has_errors};

#[derive(Debug, Args)]
pub(crate) struct CheckArgs {
    /// A folder with .wit files, or one of them
    #[arg(default_value = "wit")]
    path: PathBuf,
}

pub(crate) fn run(args: &CheckArgs) -> Result<ExitCode, CommandError> {
    let folder = folder(&args.path)?;
    let findings = check::check(&folder);
    if has_errors(&findings) {
        return Err(told(&findings, &folder));
    }
    if findings.is_empty() {
        talk(&format!("{}: nothing is wrong\n", args.path.display()));
    } else {
        talk(&told(&findings, &folder).text());
    }
    Ok(ExitCode::SUCCESS)
}
