//! `template.toml`: what a template says of itself.
//!
//! In: its text. Out: [`Description`]. Next: [`crate::template`].

use std::collections::BTreeMap;

use globset::{Glob, GlobSet, GlobSetBuilder};
use serde::Deserialize;

use crate::error::Error;
use crate::interfaces;

/// Variables of one template: more is no template that anybody fills in.
const VARIABLES_MAX: usize = 64;

/// What a template says of itself.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Description {
    /// One line for lists.
    pub description: String,
    /// The language of its sources: `rust`, `js`, `ts`, `python`, `go`, `c`, or any other word.
    pub language: String,
    /// What starts it: `http`, `command`, `library`, or any other word.
    pub kind: String,
    /// The generation of WASI, `0.2` or `0.3`.
    pub wasi: String,
    /// What to run when it is written. `{{ name }}` and other variables may stand in it.
    #[serde(default)]
    pub next: Vec<String>,
    /// Values that the user may give, beside `name`.
    #[serde(default)]
    pub variables: BTreeMap<String, Variable>,
    /// Sets of interfaces that are put into `wit/deps`.
    #[serde(default)]
    pub wit: Vec<String>,
    /// Globs of files in which `{{` has no meaning.
    #[serde(default)]
    pub verbatim: Vec<String>,
}

/// A value that the user may give.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Variable {
    /// What it is, for people.
    pub description: String,
    /// The value when nobody gives one; without it, somebody has to.
    pub default: Option<String>,
}

impl Description {
    /// Reads a description.
    pub(crate) fn read(place: &str, text: &str) -> Result<Self, Error> {
        let refused = |message: String| Error::Description { place: place.to_owned(), message };
        let description: Self = toml::from_str(text).map_err(|error| refused(error.to_string()))?;
        if description.variables.len() > VARIABLES_MAX {
            return Err(refused(format!("it has more than {VARIABLES_MAX} variables")));
        }
        for name in description.variables.keys() {
            wharf_app::check_name(name).map_err(|why| refused(format!("the name of the variable `{name}` {why}")))?;
        }
        for set in &description.wit {
            if !interfaces::is_known(set) {
                let known = interfaces::names().collect::<Vec<_>>().join(", ");
                return Err(refused(format!("there is no set of interfaces `{set}`; there are {known}")));
            }
        }
        description.verbatim_globs().map_err(|error| refused(format!("`verbatim`: {error}")))?;
        Ok(description)
    }

    /// Returns what matches the files in which `{{` has no meaning.
    pub(crate) fn verbatim_globs(&self) -> Result<GlobSet, globset::Error> {
        let mut globs = GlobSetBuilder::new();
        for glob in &self.verbatim {
            globs.add(Glob::new(glob)?);
        }
        globs.build()
    }
}
