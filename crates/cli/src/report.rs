//! How problems of an app look in a terminal.

use crate::command_error::{CommandError, chain};
use crate::project::Text;
use std::fmt::Write;
use std::io::IsTerminal;
use wharf_app::{Palette, Problem};
use wharf_node::ComponentError;

/// Returns problems with excerpts of the file, coloured in a terminal.
pub(crate) fn problems(problems: &[Problem], text: &Text) -> String {
    wharf_app::render_with(problems, &text.name, &text.text, &palette())
}

/// Returns the colours of stderr: none unless it is a terminal.
#[expect(clippy::disallowed_methods, reason = "the program itself reads its environment")]
pub(crate) fn palette() -> Palette {
    let colour = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    if colour { Palette::ANSI } else { Palette::PLAIN }
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
