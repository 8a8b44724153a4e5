//! `wharf add`: a further component in the app of a folder.

use crate::command_error::CommandError;
use crate::commands::templates::{TemplateArgs, refused};
use crate::output::talk;
use clap::Args;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use wharf_app::MANIFEST;
use wharf_scaffold::{Addition, add_component};

#[derive(Debug, Args)]
pub(crate) struct AddArgs {
    /// The name of the component: lower-case letters, digits and `-`
    name: String,
    /// The manifest of the app, or the folder with it
    #[arg(long, value_name = "PATH", default_value = ".")]
    manifest: PathBuf,
    /// The folder of its sources, from the manifest [default: its name]
    #[arg(long, short, value_name = "DIR")]
    path: Option<String>,
    /// The route that it answers [default: `/NAME/...`]
    #[arg(long, value_name = "ROUTE")]
    route: Option<String>,
    #[command(flatten)]
    template: TemplateArgs,
}

pub(crate) fn run(args: &AddArgs) -> Result<ExitCode, CommandError> {
    let file = if args.manifest.is_dir() { args.manifest.join(MANIFEST) } else { args.manifest.clone() };
    let text = fs::read_to_string(&file).map_err(|error| {
        let error = CommandError::usage(format!("cannot read {}: {error}", file.display()));
        error.hint("`wharf add` puts a component into an app that is there; `wharf new` begins one")
    })?;
    let filled = args.template.fill(&args.name)?;
    let place = args.path.as_deref().unwrap_or(&args.name).trim_start_matches("./").trim_end_matches('/');
    let addition = Addition { name: &args.name, folder: place, route: args.route.as_deref() };
    let (text, files) = add_component(&text, filled.files, &addition).map_err(refused)?;
    let folder = file.parent().unwrap_or(Path::new(""));
    wharf_scaffold::write(folder, &files, args.template.force).map_err(refused)?;
    replace(&file, &text).map_err(|error| CommandError::failed(format!("cannot write {}: {error}", file.display())))?;
    talk(&format!(
        "{} is in {}: {}, from {}\n  it is in {} too, with a route and without grants: have a look\n",
        args.name,
        folder.join(place).display(),
        filled.template.description.description,
        filled.template.name,
        file.display()
    ));
    Ok(ExitCode::SUCCESS)
}

/// Puts a new text in the place of a file, whole: somebody may be watching it.
fn replace(file: &Path, text: &str) -> std::io::Result<()> {
    let fresh = file.with_extension("toml.new");
    fs::write(&fresh, text)?;
    let mode = fs::metadata(file)?.permissions();
    fs::set_permissions(&fresh, mode)?;
    fs::rename(fresh, file)
}
