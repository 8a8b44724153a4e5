//! `wharf new`: an app from a template.

use crate::command_error::CommandError;
use crate::commands::templates::{self, Filled, TemplateArgs, refused};
use crate::output::talk;
use clap::Args;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

#[derive(Debug, Args)]
pub(crate) struct NewArgs {
    /// The name of the app: lower-case letters, digits and `-`
    #[arg(required_unless_present = "list")]
    name: Option<String>,
    /// Where to put it [default: a folder of that name]
    #[arg(long, short, value_name = "DIR")]
    path: Option<PathBuf>,
    #[command(flatten)]
    template: TemplateArgs,
    /// Print the templates that there are
    #[arg(long)]
    list: bool,
    /// Print the list as JSON
    #[arg(long, requires = "list")]
    json: bool,
}

pub(crate) fn run(args: &NewArgs) -> Result<ExitCode, CommandError> {
    let Some(name) = args.name.as_ref().filter(|_| !args.list) else { return templates::list(args.json) };
    let filled = args.template.fill(name)?;
    let folder = args.path.clone().unwrap_or_else(|| PathBuf::from(name));
    wharf_scaffold::write(&folder, &filled.files, args.template.force).map_err(refused)?;
    talk(&told(name, &folder, &filled));
    Ok(ExitCode::SUCCESS)
}

fn told(name: &str, folder: &Path, filled: &Filled) -> String {
    let is_here = folder == Path::new(".") || folder == Path::new("");
    let change = if is_here { String::new() } else { format!("  cd {}\n", folder.display()) };
    let next: String = filled.next.iter().map(|line| format!("  {line}\n")).collect();
    let place = if is_here { "this folder".to_owned() } else { folder.display().to_string() };
    format!(
        "{name} is in {place}: {}, from {}\n{change}{next}",
        filled.template.description.description, filled.template.name
    )
}
