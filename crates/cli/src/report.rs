//! How problems of an app look in a terminal.
//!
//! In: errors of the rooms below. Out: [`CommandError`]s with excerpts, colours and hints. Next: the terminal.

use crate::command_error::{CommandError, chain};
use crate::logging::has_colours;
use crate::output::talk;
use std::fmt::Write;
use wharf_app::{Palette, Problem, Severity, render_without_text};
use wharf_node::ComponentError;
use wharf_project::{Error, Text};

/// Returns problems with excerpts of the file, coloured in a terminal.
pub(crate) fn problems(problems: &[Problem], text: &Text) -> String {
    wharf_app::render_with(problems, &text.name, &text.text, &palette())
}

/// Tells what is odd in a file and no mistake.
pub(crate) fn warn(odd: &[Problem], text: &Text) {
    talk(&problems(odd, text));
}

/// Returns the colours of stderr: none unless it is a terminal.
pub(crate) fn palette() -> Palette {
    if has_colours() { Palette::ANSI } else { Palette::PLAIN }
}

/// Returns one component's error as a problem of the manifest.
pub(crate) fn component_problem(error: &ComponentError) -> Problem {
    let problem = |message: String| Problem::error(error.code(), error.span().clone(), message);
    match error {
        ComponentError::Missing { missing, .. } => {
            let mut help = String::new();
            for missing in missing {
                let _ = writeln!(help, "{}: {}", missing.import, missing.help);
            }
            problem(error.to_string()).with_help(help.trim_end().to_owned())
        }
        ComponentError::Read { source, .. } if source.kind() == std::io::ErrorKind::NotFound => {
            problem(chain(error)).with_help("build the component first, or correct `source`".to_owned())
        }
        ComponentError::Digest { .. } => {
            problem(chain(error)).with_help("remove the file: it is fetched again".to_owned())
        }
        ComponentError::Load { source: wharf_runtime::LoadError::Engine(_), .. } => {
            problem(chain(error)).with_help("a smaller --instances reserves less address space".to_owned())
        }
        _ => problem(chain(error)),
    }
}

/// Returns an error of the node with what to do about it.
pub(crate) fn node_error(error: &wharf_node::Error) -> CommandError {
    let code = error.code().map_or_else(String::new, |code| format!("[{code}] "));
    let shown = CommandError::usage(format!("{code}{}", chain(error)));
    match error {
        wharf_node::Error::Listen { .. } => {
            shown.hint("choose another port with --listen, or `--listen 127.0.0.1:0` for a free one")
        }
        wharf_node::Error::StateInUse { .. } => {
            shown.hint("stop the other process, or give this one a folder of its own with --state")
        }
        _ => shown,
    }
}

/// Returns the error of an app that could not be loaded, with excerpts of the manifest where there is one.
pub(crate) fn load_error(error: &wharf_node::Error, text: Option<&Text>) -> CommandError {
    let wharf_node::Error::Components(errors) = error else {
        return node_error(error);
    };
    incomplete(&errors.iter().map(component_problem).collect::<Vec<_>>(), text)
}

/// Returns the error of a download that no line of a manifest asked for.
pub(crate) fn download_error(error: &wharf_registry::Error) -> CommandError {
    CommandError::usage(format!("[{}] {}", error.code(), chain(error))).hint(error.help())
}

impl From<Error> for CommandError {
    fn from(error: Error) -> Self {
        match &error {
            Error::Manifest { text, problems: all } => {
                let errors = all.iter().filter(|problem| problem.severity == Severity::Error).count();
                let count = if errors == 1 { "1 error".to_owned() } else { format!("{errors} errors") };
                Self::rendered(format!("{}\n{}: {count}", problems(all, text).trim_end(), text.name))
            }
            Error::Incomplete { text, problems } => incomplete(problems, text.as_ref()),
            Error::Operator { text, problems: all } => Self::rendered(problems(all, text)),
            Error::Values { file, errors } => {
                let lines: Vec<String> = errors.iter().map(|error| format!("{}: {error}", file.display())).collect();
                Self::usage(lines.join("\n       "))
            }
            Error::Fetch(error) => download_error(error),
            _ => {
                let shown = Self::usage(chain(&error));
                error.help().into_iter().fold(shown, Self::hint)
            }
        }
    }
}

fn incomplete(lacking: &[Problem], text: Option<&Text>) -> CommandError {
    CommandError::rendered(match text {
        Some(text) => problems(lacking, text),
        None => render_without_text(lacking),
    })
}
