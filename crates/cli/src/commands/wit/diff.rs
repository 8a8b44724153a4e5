//! `wharf wit diff`: what changed between two versions of an interface.

use super::read::read;
use crate::command_error::CommandError;
use crate::output;
use clap::Args;
use std::path::PathBuf;
use std::process::ExitCode;

#[derive(Debug, Args)]
pub(crate) struct DiffArgs {
    /// The old version: a component, a .wit file, a folder with .wit files, or a WIT package in binary form
    old: PathBuf,
    /// The new version, of the same kind
    new: PathBuf,
    /// Print everything as one JSON object
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &DiffArgs) -> Result<ExitCode, CommandError> {
    let (old, new) = (read(&args.old)?, read(&args.new)?);
    if old.side().world.is_some() != new.side().world.is_some() {
        let (component, package) =
            if old.side().world.is_some() { (&args.old, &args.new) } else { (&args.new, &args.old) };
        let text = format!("{} is a component, {} is a package of interfaces", component.display(), package.display());
        return Err(CommandError::usage(text).hint("compare two components, or two packages"));
    }
    let diff = wharf_wit::diff(old.side(), new.side());
    let text = if args.json {
        let value = serde_json::to_value(&diff)
            .map_err(|error| CommandError::failed(format!("cannot write the changes as JSON: {error}")))?;
        format!("{value:#}\n")
    } else {
        diff.text()
    };
    output::data(&text)?;
    Ok(if diff.verdict.is_enough == Some(false) { ExitCode::from(1) } else { ExitCode::SUCCESS })
}
