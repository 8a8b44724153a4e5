//! Values for the variables of a manifest: of flags, of the environment and of files.
//!
//! In: an app as it was read. Out: the app without a variable in it. Next: [`fetch`](crate::fetch), `node`.

use crate::{Environment, Error, Read, Text};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use wharf_app::{App, Given, Hidden, LineError, environment_name, parse_dotenv, parse_variables};

/// The name of the file beside the manifest that gives values.
pub(crate) const DOTENV: &str = ".env";

/// What flags say of the variables of a manifest.
#[derive(Clone, Debug, Default)]
pub struct Values {
    /// Names and values.
    pub given: Vec<(String, Hidden)>,
    /// A TOML file with values.
    pub file: Option<PathBuf>,
    /// A file with lines `WHARF_VARIABLE_NAME=VALUE`, in the place of `.env` beside the manifest.
    pub env_file: Option<PathBuf>,
}

impl Values {
    /// Returns the files that values are taken from, whether they are there or not.
    pub fn files(&self, folder: &Path) -> Vec<PathBuf> {
        let dotenv = self.env_file.clone().unwrap_or_else(|| folder.join(DOTENV));
        self.file.iter().cloned().chain([dotenv]).collect()
    }

    /// Fills the variables of an app in; `folder` is its manifest's. `stored` returns which secrets an app has in its store, if anybody knows.
    ///
    /// # Errors
    /// When a file cannot be read, a value is for no variable, or a variable has no value that fits it.
    pub fn fill(
        &self,
        read: Read,
        folder: &Path,
        environment: &Environment,
        stored: impl FnOnce(&str) -> Option<BTreeSet<String>>,
    ) -> Result<Read, Error> {
        let Read { app, text } = read;
        let mut given = self.given(&app, folder, environment)?;
        if app.variables.iter().any(|variable| variable.secret) {
            given.stored = stored(&app.name);
        }
        match app.fill(&given) {
            Ok(app) => Ok(Read { app, text }),
            Err(problems) => Err(Error::Incomplete { text, problems }),
        }
    }

    fn given(&self, app: &App, folder: &Path, environment: &Environment) -> Result<Given, Error> {
        let mut given = Given { environment: of_app(app, environment), ..Given::default() };
        for (name, value) in &self.given {
            check_name(app, name, "--variable")?;
            if app.variable(name).is_some_and(|variable| variable.secret) {
                return Err(Error::SecretFlag { name: name.clone() });
            }
            given.flags.insert(name.clone(), value.clone());
        }
        if let Some(file) = &self.file {
            given.file = parsed(file, parse_variables)?;
            given.file.keys().try_for_each(|name| check_name(app, name, &file.display().to_string()))?;
        }
        given.dotenv = match &self.env_file {
            Some(file) => parsed(file, parse_dotenv)?,
            None if app.variables.is_empty() => BTreeMap::new(),
            None => match parsed(&folder.join(DOTENV), parse_dotenv) {
                Err(error) if error.is_missing_file() => BTreeMap::new(),
                read => read?,
            },
        };
        Ok(given)
    }
}

/// Returns what the environment says of the app's variables.
fn of_app(app: &App, environment: &Environment) -> BTreeMap<String, Hidden> {
    let names = app.variables.iter().map(|variable| environment_name(&variable.name));
    names.filter_map(|name| environment.text(&name).map(|value| (name, Hidden::new(value)))).collect()
}

/// Refuses a value for a variable that the app does not have: it was meant for another one.
fn check_name(app: &App, name: &str, place: &str) -> Result<(), Error> {
    if app.variable(name).is_some() {
        return Ok(());
    }
    let meant = app.nearest_variable(name).map(str::to_owned);
    Err(Error::UnknownVariable { place: place.to_owned(), name: name.to_owned(), meant })
}

type Parse = fn(&str) -> Result<BTreeMap<String, Hidden>, Vec<LineError>>;

fn parsed(file: &Path, parse: Parse) -> Result<BTreeMap<String, Hidden>, Error> {
    let Text { text, .. } = Text::read(file)?;
    parse(&text).map_err(|errors| Error::Values { file: file.to_owned(), errors })
}

#[cfg(test)]
mod tests {
    use super::*;
    use wharf_app::parse;

    const MANIFEST: &str = "name = \"shop\"\nversion = \"0.1.0\"\n\
        [variables]\ngreeting = { default = \"hello\" }\nkey = { required = true, secret = true }\n\
        [component.api]\nsource = \"api.wasm\"\n[component.api.grants]\nconfig = { greeting = \"{{ greeting }}\" }\n\
        [[trigger.http]]\nroute = \"/...\"\ncomponent = \"api\"\n";

    /// Fills with files of these contents, and returns the greeting or the error.
    fn filled(values: &Values, dotenv: &str, environment: &[(&str, &str)]) -> Result<String, Error> {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(DOTENV), dotenv).unwrap();
        let (app, problems) = parse(MANIFEST);
        let read = Read { app: app.unwrap_or_else(|| panic!("{problems:?}")), text: None };
        let environment = environment.iter().map(|(name, value)| (name.into(), value.into())).collect();
        let stored = |_: &str| Some(BTreeSet::from(["key".to_owned()]));
        let read = values.fill(read, folder.path(), &environment, stored)?;
        Ok(format!("{:?}", read.app.components[0].grants.config))
    }

    fn flag(name: &str, value: &str) -> Values {
        Values { given: vec![(name.to_owned(), Hidden::new(value.to_owned()))], ..Values::default() }
    }

    #[test]
    fn a_flag_comes_before_the_environment_before_a_file_before_the_default() {
        let dotenv = "WHARF_VARIABLE_GREETING=of-dotenv\n";
        let environment = [("WHARF_VARIABLE_GREETING", "of-environment")];
        let greets = |filled: Result<String, Error>, with: &str| {
            let found = filled.unwrap();
            assert!(found.contains(with), "{found} has no {with}");
        };
        greets(filled(&flag("greeting", "of-flag"), dotenv, &environment), "of-flag");
        greets(filled(&Values::default(), dotenv, &environment), "of-environment");
        greets(filled(&Values::default(), dotenv, &[]), "of-dotenv");
        greets(filled(&Values::default(), "", &[]), "hello");
    }

    #[test]
    fn values_for_other_variables_and_secrets_on_a_command_line_are_refused() {
        let error = filled(&flag("greting", "x"), "", &[]).unwrap_err();
        assert!(matches!(&error, Error::UnknownVariable { meant: Some(meant), .. } if meant == "greeting"), "{error}");
        let error = filled(&flag("key", "x"), "", &[]).unwrap_err();
        assert!(matches!(error, Error::SecretFlag { .. }), "{error}");
        assert!(error.help().unwrap().contains("WHARF_VARIABLE_KEY"), "{error:?}");
    }

    #[test]
    fn a_file_may_be_missing_unless_it_is_named() {
        let named = Values { env_file: Some("/nowhere/values".into()), ..Values::default() };
        assert!(filled(&named, "", &[]).unwrap_err().is_missing_file());
        let error = filled(&Values::default(), "no value\n", &[]).unwrap_err();
        assert!(matches!(&error, Error::Values { errors, .. } if errors[0].line == 1), "{error}");
    }
}
