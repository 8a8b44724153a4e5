//! `wharf diff`: what changed between two components, in power first.

use crate::command_error::CommandError;
use crate::commands::run::read;
use crate::output::{self, talk};
use clap::Args;
use std::path::PathBuf;
use std::process::ExitCode;
use wharf_wit::{Diff, Side};

#[derive(Debug, Args)]
pub(crate) struct DiffArgs {
    /// The old component or core module
    old: PathBuf,
    /// The new one
    new: PathBuf,
    /// Print everything as one JSON object
    #[arg(long)]
    json: bool,
    /// End with exit code 1 when the new one may ask for more than the old one
    #[arg(long)]
    deny_new_power: bool,
}

pub(crate) fn run(args: &DiffArgs) -> Result<ExitCode, CommandError> {
    let ((old_bytes, old), (new_bytes, new)) = (read(&args.old)?, read(&args.new)?);
    let comparison = wharf_component::compare(&old, &new);
    let interface = interface(&old_bytes, &new_bytes);
    let text = if args.json {
        let failed = |error| CommandError::failed(format!("cannot write the changes as JSON: {error}"));
        let mut value = serde_json::to_value(&comparison).map_err(failed)?;
        if let Some(object) = value.as_object_mut() {
            object.insert("has_new_power".to_owned(), comparison.has_new_power().into());
            object.insert("interface".to_owned(), serde_json::to_value(&interface).map_err(failed)?);
        }
        format!("{value:#}\n")
    } else {
        let interface = match &interface {
            Some(diff) => diff.text(),
            None => "cannot be compared: at least one file has no interface that WIT can say\n".to_owned(),
        };
        let interface: String = interface.lines().map(indented).collect();
        format!("{}\ninterface\n{interface}\n{}", comparison.power_text(), comparison.size_text())
    };
    output::data(&text)?;
    if args.deny_new_power && comparison.has_new_power() {
        talk(&format!("error: {} may ask for more than {}\n", args.new.display(), args.old.display()));
        return Ok(ExitCode::from(1));
    }
    Ok(ExitCode::SUCCESS)
}

fn indented(line: &str) -> String {
    if line.is_empty() { "\n".to_owned() } else { format!("  {line}\n") }
}

/// Returns what changed in imports and exports. None where one of the files has none that WIT can say.
fn interface(old: &[u8], new: &[u8]) -> Option<Diff> {
    let (old, new) = (wharf_component::wit(old).ok()?, wharf_component::wit(new).ok()?);
    if old.world.is_some() != new.world.is_some() {
        return None;
    }
    let side = |wit| -> Side<'_> {
        let wit: &wharf_component::Wit = wit;
        Side { resolve: &wit.resolve, package: wit.package, world: wit.world }
    };
    Some(wharf_wit::diff(side(&old), side(&new)))
}
