//! The operator's file, with what it keeps elsewhere.
//!
//! In: `--node FILE`, or `node.toml` beside the manifest. Out: bindings with all their values. Next: `node`.

use crate::{Environment, Error, Text};
use std::path::{Path, PathBuf};
use wharf_app::{Elsewhere, Operator, Problem, Severity, parse_operator};

/// The name of the operator's file.
const FILE: &str = "node.toml";

/// What the operator binds.
#[derive(Debug, Default)]
pub struct Bindings {
    /// The bindings.
    pub operator: Operator,
    /// The file that has them, if there is one.
    pub file: Option<PathBuf>,
}

/// Reads the operator's file. Without `flag` it is the one in `folder`; none is no error then. `warn` is told what is odd and no mistake.
///
/// # Errors
/// When the file cannot be read or has mistakes, or when a value is not where it says.
pub fn read_operator(
    flag: Option<&Path>,
    folder: &Path,
    environment: &Environment,
    warn: impl FnOnce(&[Problem], &Text),
) -> Result<Bindings, Error> {
    let file = match flag {
        Some(file) => file.to_owned(),
        None => {
            let file = folder.join(FILE);
            if !file.is_file() {
                return Ok(Bindings::default());
            }
            file
        }
    };
    let text = Text::read(&file)?;
    let (operator, problems) = parse_operator(&text.text);
    if !problems.is_empty() && problems.iter().all(|problem| problem.severity == Severity::Warning) {
        warn(&problems, &text);
    }
    let Some(mut operator) = operator else { return Err(Error::Operator { text, problems }) };
    let start = file.parent().unwrap_or(Path::new(""));
    let resolved = operator.resolve(|place| value(place, start, environment));
    resolved.map_err(|(table, why)| Error::Elsewhere { file: text.name, table, why })?;
    Ok(Bindings { operator, file: Some(file) })
}

fn value(place: Elsewhere<'_>, start: &Path, environment: &Environment) -> Result<String, String> {
    match place {
        Elsewhere::Env(name) => {
            environment.text(name).ok_or_else(|| format!("the environment variable {name} is not set, or is no text"))
        }
        Elsewhere::File(path) => {
            let path = start.join(path);
            let text =
                std::fs::read_to_string(&path).map_err(|error| format!("cannot read {}: {error}", path.display()))?;
            Ok(text.strip_suffix("\r\n").or_else(|| text.strip_suffix('\n')).unwrap_or(&text).to_owned())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const REDIS: &str = "[keyvalue.default]\nbackend = \"redis\"\n";

    fn read(more: &str, environment: &[(&str, &str)]) -> Result<Bindings, String> {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(FILE), format!("{REDIS}{more}")).unwrap();
        std::fs::write(folder.path().join("password"), "of a file\n\n").unwrap();
        let environment = environment.iter().map(|(name, value)| (name.into(), value.into())).collect();
        read_operator(None, folder.path(), &environment, |_, _| {}).map_err(|error| error.to_string())
    }

    fn setting(bindings: &Bindings, name: &str) -> Option<String> {
        bindings.operator.bindings[0].settings.get(name).map(|value| value.as_str().unwrap().to_owned())
    }

    #[test]
    fn values_come_from_the_environment_and_from_files_beside_it() {
        let more = "url = { env = \"REDIS_URL\" }\npassword = { file = \"password\" }\n";
        let bindings = read(more, &[("REDIS_URL", "redis://a")]).unwrap();
        assert_eq!(setting(&bindings, "url").as_deref(), Some("redis://a"));
        // One line break at the end is the file's, the others are the value's.
        assert_eq!(setting(&bindings, "password").as_deref(), Some("of a file\n"));
        assert!(bindings.file.is_some());
    }

    #[test]
    fn a_value_that_is_not_where_it_should_be_is_told_with_its_table() {
        let error = read("url = { env = \"REDIS_URL\" }\n", &[]).unwrap_err();
        assert!(
            error.contains("node.toml: [keyvalue.default]: the environment variable REDIS_URL is not set"),
            "{error}"
        );
        let error = read("url = { file = \"none\" }\n", &[]).unwrap_err();
        assert!(error.contains("[keyvalue.default]: cannot read ") && error.contains("none"), "{error}");
    }

    #[test]
    fn no_file_binds_nothing_unless_one_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let environment = Environment::default();
        let bindings = read_operator(None, folder.path(), &environment, |_, _| {}).unwrap();
        assert_eq!((bindings.operator, bindings.file), (Operator::default(), None));
        let named = folder.path().join("other.toml");
        let error = read_operator(Some(&named), folder.path(), &environment, |_, _| {}).unwrap_err();
        assert!(error.is_missing_file(), "{error}");
    }
}
