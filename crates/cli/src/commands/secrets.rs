//! `wharf secrets`: keep, list and remove the secrets of an app.

use crate::command_error::{CommandError, chain};
use crate::output::{self, talk};
use crate::report;
use crate::surroundings;
use clap::{Args, Subcommand};
use std::io::{IsTerminal, Read};
use std::path::PathBuf;
use std::process::ExitCode;
use wharf_app::MANIFEST;
use wharf_node::{Secrets, SecretsError};
use wharf_project::Project;

/// Bytes of input that are read: more than any secret may have, so that a wrong file ends soon.
const INPUT_BYTES: u64 = 1 << 20;

#[derive(Debug, Args)]
pub(crate) struct SecretsArgs {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Give a secret a value, which is read from stdin
    Set(SetArgs),
    /// Print the names of the secrets that have a value
    List(Place),
    /// Take a secret away
    Remove(RemoveArgs),
}

#[derive(Debug, Args)]
struct SetArgs {
    /// The name, as in the manifest: lower-case letters, digits, `-` and `_`
    name: String,
    /// Takes a value that was meant, to refuse it.
    #[arg(hide = true)]
    value: Vec<std::ffi::OsString>,
    /// Keep a line break at the end of the value
    #[arg(long)]
    exact: bool,
    #[command(flatten)]
    place: Place,
}

#[derive(Debug, Args)]
struct RemoveArgs {
    /// The name
    name: String,
    #[command(flatten)]
    place: Place,
}

/// Whose secrets, and where they are
#[derive(Debug, Args)]
struct Place {
    /// The manifest, a folder with one, or a component without one; says the app and where its state is
    #[arg(long, value_name = "PATH", default_value = ".")]
    manifest: PathBuf,
    /// The app [default: the manifest's]
    #[arg(long, value_name = "NAME")]
    app: Option<String>,
    /// Where state is kept, as for `wharf up` [default: .wharf beside the manifest]
    #[arg(long, value_name = "DIR")]
    state: Option<PathBuf>,
    /// The operator's file, as for `wharf up` [default: node.toml beside the manifest, if there is one]
    #[arg(long, value_name = "FILE")]
    node: Option<PathBuf>,
}

pub(crate) fn run(args: &SecretsArgs) -> Result<ExitCode, CommandError> {
    match &args.action {
        Action::Set(args) => set(args),
        Action::List(place) => {
            let names = place.find()?.secrets.names().map_err(|error| failed(&error))?;
            output::data(&names.iter().map(|name| format!("{name}\n")).collect::<String>())
        }
        Action::Remove(args) => remove(args),
    }
}

fn set(args: &SetArgs) -> Result<ExitCode, CommandError> {
    let SetArgs { name, .. } = args;
    if !args.value.is_empty() {
        let error = CommandError::usage("the value of a secret is read from stdin, and more than a name was given");
        return Err(error.hint(format!(
            "everybody on this machine sees a command line; write `wharf secrets set {name} < FILE`, or type the value when asked"
        )));
    }
    let found = args.place.find()?;
    let value = read_value(name, args.exact)?;
    if value.is_empty() {
        return Err(CommandError::usage("there is no value on stdin")
            .hint(format!("`wharf secrets remove {name}` takes one away")));
    }
    let made = found.secrets.set(name, value).map_err(|error| failed(&error))?;
    let file = found.secrets.file();
    let mut told = format!("{name} of {} is in {}\n", found.app, file.path().display());
    if made {
        told += &format!(
            "it is encrypted for the new identity in {}: without that file nobody can read it\n",
            file.identity().display()
        );
    }
    talk(&told);
    Ok(ExitCode::SUCCESS)
}

fn remove(args: &RemoveArgs) -> Result<ExitCode, CommandError> {
    let found = args.place.find()?;
    if !found.secrets.remove(&args.name).map_err(|error| failed(&error))? {
        let error = CommandError::failed(format!("{} has no secret `{}`", found.app, args.name));
        return Err(error.hint("`wharf secrets list` shows those that it has"));
    }
    Ok(ExitCode::SUCCESS)
}

/// The secrets of an app that was found.
struct Found {
    app: String,
    secrets: Secrets,
}

impl Place {
    fn find(&self) -> Result<Found, CommandError> {
        let (app, state, folder) = match (&self.app, &self.state) {
            (Some(app), Some(state)) if !self.is_project() => (app.clone(), state.clone(), self.folder()),
            (app, state) => {
                let project = Project::find(&self.manifest)?;
                let app = match app {
                    Some(app) => app.clone(),
                    None => project.read(None, report::warn)?.app.name,
                };
                (app, surroundings::state_of(&project, state.as_deref()), project.folder())
            }
        };
        let bindings = surroundings::operator(self.node.as_deref(), &folder)?;
        let secrets = Secrets::find(&bindings.operator, &state, &app).map_err(|error| failed(&error))?;
        Ok(Found { app, secrets })
    }

    fn is_project(&self) -> bool {
        self.manifest.is_file() || self.manifest.join(MANIFEST).is_file()
    }

    fn folder(&self) -> PathBuf {
        if self.manifest.is_dir() { self.manifest.clone() } else { PathBuf::from(".") }
    }
}

fn failed(error: &SecretsError) -> CommandError {
    let text = chain(error);
    match error {
        SecretsError::Elsewhere { .. } => CommandError::usage(text).hint("set it there"),
        SecretsError::Name(_) | SecretsError::TooLong { .. } => CommandError::usage(text),
        SecretsError::Binding(_) => CommandError::usage(format!("[WHARF-0007] {text}")),
        _ => CommandError::failed(format!("[WHARF-0008] {text}")),
    }
}

/// Reads a value: a line that is typed and not shown, or else everything there is.
fn read_value(name: &str, exact: bool) -> Result<Vec<u8>, CommandError> {
    let failed = |error: std::io::Error| CommandError::failed(format!("cannot read stdin: {error}"));
    let stdin = std::io::stdin();
    // With room for all of it: a buffer that grew would leave copies behind.
    let mut value = Vec::with_capacity(64 << 10);
    if stdin.is_terminal() {
        talk(&format!("value of {name}, which is not shown: "));
        let typed =
            Silent::start().and_then(|_silent| std::io::BufRead::read_until(&mut stdin.lock(), b'\n', &mut value));
        talk("\n");
        typed.map_err(failed)?;
    } else {
        stdin.lock().take(INPUT_BYTES).read_to_end(&mut value).map_err(failed)?;
    }
    if !exact {
        let line = value.strip_suffix(b"\r\n").or_else(|| value.strip_suffix(b"\n"));
        let len = line.map_or(value.len(), <[u8]>::len);
        value.truncate(len);
    }
    Ok(value)
}

/// A terminal that does not show what is typed, until this is dropped.
struct Silent(rustix::termios::Termios);

impl Silent {
    fn start() -> std::io::Result<Self> {
        use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};
        let before = tcgetattr(std::io::stdin())?;
        let mut silent = before.clone();
        silent.local_modes.remove(LocalModes::ECHO);
        tcsetattr(std::io::stdin(), OptionalActions::Flush, &silent)?;
        Ok(Self(before))
    }
}

impl Drop for Silent {
    fn drop(&mut self) {
        use rustix::termios::{OptionalActions, tcsetattr};
        // A terminal that is gone shows nothing either.
        let _ = tcsetattr(std::io::stdin(), OptionalActions::Flush, &self.0);
    }
}
