//! Values for the variables of a manifest: fetched from the command line, the environment and files.
//!
//! In: an app as it was read. Out: the app without a variable in it. Next: `node`.

use crate::command_error::CommandError;
use crate::project::Read;
use crate::report;
use clap::Args;
use std::collections::{BTreeMap, BTreeSet};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use wharf_app::{App, Given, Hidden, LineError, environment_name, parse_dotenv, parse_variables};

/// The name of the file beside the manifest that gives values.
const DOTENV: &str = ".env";

/// Where values for the variables of a manifest come from.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Values for the variables of a manifest")]
pub(crate) struct VariableArgs {
    /// Give a variable a value; comes before the environment (WHARF_VARIABLE_NAME), .env and --variables
    #[arg(long = "variable", value_name = "NAME=VALUE", value_parser = parse_variable)]
    variable: Vec<(String, Hidden)>,
    /// Take values from a TOML file with a line `name = "value"` for each variable
    #[arg(long, value_name = "FILE")]
    variables: Option<PathBuf>,
    /// Take values from this file, with lines WHARF_VARIABLE_NAME=VALUE [default: .env beside the manifest, if there is one]
    #[arg(long, value_name = "FILE")]
    env_file: Option<PathBuf>,
}

fn parse_variable(text: &str) -> Result<(String, Hidden), &'static str> {
    // The message of clap shows what was written, so this is the only mistake that is found here.
    let (name, value) = text.split_once('=').ok_or("a value is given as `NAME=VALUE`")?;
    Ok((name.to_owned(), Hidden::new(value.to_owned())))
}

impl VariableArgs {
    /// Returns the files that values are taken from, whether they are there or not.
    pub(crate) fn files(&self, folder: &Path) -> Vec<PathBuf> {
        let dotenv = self.env_file.clone().unwrap_or_else(|| folder.join(DOTENV));
        self.variables.iter().cloned().chain([dotenv]).collect()
    }

    /// Fills the variables of an app in. `stored` returns which secrets an app has in its store, if anybody knows.
    pub(crate) fn fill(
        &self,
        read: Read,
        folder: &Path,
        stored: impl FnOnce(&str) -> Option<BTreeSet<String>>,
    ) -> Result<Read, CommandError> {
        let Read { app, text } = read;
        let mut given = self.given(&app, folder)?;
        if app.variables.iter().any(|variable| variable.secret) {
            given.stored = stored(&app.name);
        }
        let filled = app.fill(&given).map_err(|problems| match &text {
            Some(text) => CommandError::rendered(report::problems(&problems, text)),
            None => CommandError::rendered(wharf_app::render_without_text(&problems)),
        });
        Ok(Read { app: filled?, text })
    }

    fn given(&self, app: &App, folder: &Path) -> Result<Given, CommandError> {
        let mut given = Given { environment: environment(app), ..Given::default() };
        for (name, value) in &self.variable {
            check_name(app, name, "--variable")?;
            if app.variable(name).is_some_and(|variable| variable.secret) {
                let error = CommandError::usage(format!("the variable `{name}` is secret and was given by --variable"));
                let name = environment_name(name);
                return Err(error.hint(format!(
                    "everybody on this machine sees a command line: use `wharf secrets set`, the environment variable {name} or {DOTENV}"
                )));
            }
            given.flags.insert(name.clone(), value.clone());
        }
        if let Some(file) = &self.variables {
            given.file = parsed(file, parse_variables)?;
            given.file.keys().try_for_each(|name| check_name(app, name, &file.display().to_string()))?;
        }
        given.dotenv = match &self.env_file {
            Some(file) => parsed(file, parse_dotenv)?,
            None if app.variables.is_empty() => BTreeMap::new(),
            None => match parsed(&folder.join(DOTENV), parse_dotenv) {
                Err(Unread::Missing(_)) => BTreeMap::new(),
                read => read?,
            },
        };
        Ok(given)
    }
}

/// Returns what the environment says of the app's variables.
#[expect(clippy::disallowed_methods, reason = "the program itself reads its environment")]
fn environment(app: &App) -> BTreeMap<String, Hidden> {
    let names = app.variables.iter().map(|variable| environment_name(&variable.name));
    names.filter_map(|name| std::env::var(&name).ok().map(|value| (name, Hidden::new(value)))).collect()
}

/// Refuses a value for a variable that the app does not have: it was meant for another one.
fn check_name(app: &App, name: &str, place: &str) -> Result<(), CommandError> {
    if app.variable(name).is_some() {
        return Ok(());
    }
    let error =
        CommandError::usage(format!("{place} gives a value for `{name}`, and the app has no variable of that name"));
    Err(match app.nearest_variable(name) {
        Some(meant) => error.hint(format!("did you mean `{meant}`?")),
        None => error.hint("variables are declared in the manifest: [variables]"),
    })
}

/// Why a file of values is not read.
enum Unread {
    Missing(CommandError),
    Wrong(CommandError),
}

impl From<Unread> for CommandError {
    fn from(unread: Unread) -> Self {
        match unread {
            Unread::Missing(error) | Unread::Wrong(error) => error,
        }
    }
}

type Parse = fn(&str) -> Result<BTreeMap<String, Hidden>, Vec<LineError>>;

fn parsed(file: &Path, parse: Parse) -> Result<BTreeMap<String, Hidden>, Unread> {
    let shown = file.display();
    let text = std::fs::read_to_string(file).map_err(|error| {
        let read = CommandError::usage(format!("cannot read {shown}: {error}"));
        if error.kind() == ErrorKind::NotFound { Unread::Missing(read) } else { Unread::Wrong(read) }
    })?;
    parse(&text).map_err(|errors| {
        let lines: Vec<String> = errors.iter().map(|error| format!("{shown}: {error}")).collect();
        Unread::Wrong(CommandError::usage(lines.join("\n       ")))
    })
}
