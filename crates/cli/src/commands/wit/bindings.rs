//! `wharf wit bindings`: source code between a language and a world.

use crate::command_error::CommandError;
use crate::commands::templates::refused;
use clap::{Args, ValueEnum};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use wharf_scaffold::{Bindings, Rendered};

#[derive(Debug, Args)]
pub(crate) struct BindingsArgs {
    /// The language
    #[arg(value_enum)]
    language: Language,
    /// The folder or file with the world
    #[arg(long, value_name = "DIR", default_value = "wit")]
    wit: PathBuf,
    /// The world [default: the only one]
    #[arg(long, value_name = "WORLD")]
    world: Option<String>,
    /// The folder to write into. For Go it is below the folder with go.mod
    #[arg(long, value_name = "DIR", default_value = "gen")]
    out: PathBuf,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Language {
    /// A header, a source file and an object file, for C and C++
    C,
    /// Packages, and the library that they call
    Go,
}

/// What the generator puts before the packages that the user writes.
const EXPORTS: &str = "export_";

pub(crate) fn run(args: &BindingsArgs) -> Result<ExitCode, CommandError> {
    let (bindings, module) = match args.language {
        Language::C => (Bindings::C, None),
        Language::Go => go(&args.out)?,
    };
    let files = bindings.generate(&args.wit, args.world.as_deref()).map_err(refused)?;
    // Packages that the user writes are beside go.mod, and get what the generator adds to them there.
    let (exports, own): (Vec<Rendered>, Vec<Rendered>) =
        files.into_iter().partition(|file| module.is_some() && file.path.starts_with(EXPORTS));
    write(&args.out, own)?;
    write(module.as_deref().unwrap_or(Path::new("")), exports)?;
    Ok(ExitCode::SUCCESS)
}

/// Writes what is not there yet as it is: builds look at times.
fn write(folder: &Path, files: Vec<Rendered>) -> Result<(), CommandError> {
    let is_new = |file: &Rendered| fs::read(folder.join(&file.path)).ok().as_deref() != Some(file.bytes.as_slice());
    let files: Vec<Rendered> = files.into_iter().filter(is_new).collect();
    wharf_scaffold::write(folder, &files, true).map_err(refused)
}

/// Finds the module that a folder is in.
fn go(out: &Path) -> Result<(Bindings, Option<PathBuf>), CommandError> {
    let failed = |error: std::io::Error| CommandError::usage(format!("cannot find {}: {error}", out.display()));
    let absolute = std::path::absolute(out).map_err(failed)?;
    for folder in absolute.ancestors().skip(1) {
        let file = folder.join("go.mod");
        if !file.is_file() {
            continue;
        }
        let text = fs::read_to_string(&file)
            .map_err(|error| CommandError::usage(format!("cannot read {}: {error}", file.display())))?;
        let below = absolute.strip_prefix(folder).unwrap_or(out).to_string_lossy().replace('\\', "/");
        return Ok((Bindings::go(&text, &below).map_err(refused)?, Some(folder.to_owned())));
    }
    let error = CommandError::usage(format!("there is no go.mod above {}", out.display()));
    Err(error.hint("`go mod init NAME` makes one"))
}
