//! Reads the operator's file and fetches what it keeps elsewhere.
//!
//! In: `--node FILE`, or `node.toml` beside the manifest. Out: bindings with all their values. Next: `node`.

use crate::command_error::CommandError;
use crate::project::Text;
use crate::report;
use std::path::{Path, PathBuf};
use wharf_app::{Elsewhere, Operator, Severity, parse_operator};

/// The name of the operator's file.
const FILE: &str = "node.toml";

/// Reads the operator's file. Without `flag` it is the one in `folder`; none is no error then. Says which file it was.
pub(crate) fn read(flag: Option<&Path>, folder: &Path) -> Result<(Operator, Option<PathBuf>), CommandError> {
    let file = match flag {
        Some(file) => file.to_owned(),
        None => {
            let file = folder.join(FILE);
            if !file.is_file() {
                return Ok((Operator::default(), None));
            }
            file
        }
    };
    let name = file.display().to_string();
    let text =
        std::fs::read_to_string(&file).map_err(|error| CommandError::usage(format!("cannot read {name}: {error}")))?;
    let (operator, problems) = parse_operator(&text);
    let text = Text { name, text };
    if !problems.is_empty() && problems.iter().all(|problem| problem.severity == Severity::Warning) {
        eprint!("{}", report::problems(&problems, &text));
    }
    let Some(mut operator) = operator else {
        return Err(CommandError::rendered(report::problems(&problems, &text)));
    };
    let start = file.parent().unwrap_or(Path::new(""));
    let fetched = operator.resolve(|place| fetch(place, start));
    fetched.map_err(|(table, why)| CommandError::usage(format!("{}: [{table}]: {why}", text.name)))?;
    Ok((operator, Some(file)))
}

#[expect(clippy::disallowed_methods, reason = "the program itself reads its environment")]
fn fetch(place: Elsewhere<'_>, start: &Path) -> Result<String, String> {
    match place {
        Elsewhere::Env(name) => {
            std::env::var(name).map_err(|_| format!("the environment variable {name} is not set, or is no text"))
        }
        Elsewhere::File(path) => {
            let path = start.join(path);
            let text =
                std::fs::read_to_string(&path).map_err(|error| format!("cannot read {}: {error}", path.display()))?;
            Ok(text.strip_suffix("\r\n").or_else(|| text.strip_suffix('\n')).unwrap_or(&text).to_owned())
        }
    }
}
