//! `wharf wit print`: the WIT of whatever has an interface.

use super::read::read;
use crate::command_error::CommandError;
use crate::output;
use clap::Args;
use std::path::PathBuf;
use std::process::ExitCode;
use wharf_wit::{Part, PartError};

#[derive(Debug, Args)]
pub(crate) struct PrintArgs {
    /// A component, a .wit file, a folder with .wit files, or a WIT package in binary form
    path: PathBuf,
    /// Print one world and what it needs
    #[arg(long, value_name = "NAME", conflicts_with = "interface")]
    world: Option<String>,
    /// Print one interface and what it uses, for example `wasi:http/types`
    #[arg(long, value_name = "NAME")]
    interface: Option<String>,
    /// Print everything as one JSON object, as `wasm-tools component wit --json` does
    #[arg(long, conflicts_with_all = ["world", "interface"])]
    json: bool,
}

pub(crate) fn run(args: &PrintArgs) -> Result<ExitCode, CommandError> {
    let wit = read(&args.path)?;
    let side = wit.side();
    if args.json {
        let value = wharf_wit::json(side.resolve);
        let value = value.ok_or_else(|| CommandError::failed("the interfaces cannot be written as JSON"))?;
        return output::data(&format!("{value:#}\n"));
    }
    let (part, kind, name) = match (&args.world, &args.interface) {
        (Some(name), _) => (Part::World(name), "world", name.as_str()),
        (_, Some(name)) => (Part::Interface(name), "interface", name.as_str()),
        _ => (Part::Whole, "package", ""),
    };
    let shown = args.path.display();
    match wharf_wit::print(side.resolve, side.package, part) {
        Ok(text) => output::data(&text),
        Err(PartError::Unknown(known)) => {
            let error = CommandError::usage(format!("{shown} has no {kind} {name}"));
            Err(match known.is_empty() {
                true => error.hint(format!("it has no {kind} at all")),
                false => error.hint(format!("it has {}", known.join(", "))),
            })
        }
        Err(PartError::TooLong) => Err(CommandError::usage(format!("the WIT of {shown} is longer than 4 MiB"))),
    }
}
