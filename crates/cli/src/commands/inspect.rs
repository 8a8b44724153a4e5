//! `wharf inspect`: what a component is, what it may ask for, and whether it can be served or run here.

use crate::command_error::CommandError;
use crate::commands::run::read;
use crate::output;
use clap::Args;
use std::path::PathBuf;
use std::process::ExitCode;
use wharf_component::PROVIDED;

#[derive(Debug, Args)]
pub(crate) struct InspectArgs {
    /// A component or a core module
    file: PathBuf,
    /// Print everything as one JSON object
    #[arg(long, conflicts_with = "wit")]
    json: bool,
    /// Print the WIT text and nothing else
    #[arg(long)]
    wit: bool,
}

pub(crate) fn run(args: &InspectArgs) -> Result<ExitCode, CommandError> {
    let (_, facts) = read(&args.file)?;
    if args.wit {
        return output::data(&facts.wit);
    }
    if args.json {
        let missing = wharf_component::check(&facts, PROVIDED);
        let mut value = serde_json::to_value(&facts)
            .map_err(|error| CommandError::failed(format!("cannot write the facts as JSON: {error}")))?;
        if let Some(object) = value.as_object_mut() {
            object.insert("file".to_owned(), args.file.display().to_string().into());
            object.insert("verdict".to_owned(), json(&facts.verdict(&missing))?);
            object.insert("missing".to_owned(), json(&missing)?);
        }
        return output::data(&format!("{value:#}\n"));
    }
    output::data(&wharf_component::render_text(&facts))
}

fn json<T: serde::Serialize>(value: &T) -> Result<serde_json::Value, CommandError> {
    serde_json::to_value(value).map_err(|error| CommandError::failed(format!("cannot write JSON: {error}")))
}
