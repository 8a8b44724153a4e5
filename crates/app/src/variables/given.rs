//! What whoever runs the app gives for its variables.

use std::collections::{BTreeMap, BTreeSet};

use crate::hidden::Hidden;

/// Values for variables, from where they were found. Any of them may be secret, so that all are hidden.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Given {
    /// `--variable NAME=VALUE`, by the variable's name.
    pub flags: BTreeMap<String, Hidden>,
    /// The environment, by the names of [`environment_name`].
    pub environment: BTreeMap<String, Hidden>,
    /// The `.env` file, likewise.
    pub dotenv: BTreeMap<String, Hidden>,
    /// The file of `--variables`, by the variable's name.
    pub file: BTreeMap<String, Hidden>,
    /// The names that the app's store of secrets has; absent if nobody knows before they are asked for.
    pub stored: Option<BTreeSet<String>>,
}

/// What is wrong with a line of a file. Says nothing of what stands there: it may be secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line} {why}")]
pub struct LineError {
    /// From 1 on.
    pub line: usize,
    /// What is wrong, as the end of a sentence.
    pub why: &'static str,
}

impl Given {
    /// Returns the value that is given for a variable: by a flag, else by the environment, else by `.env`, else by the file.
    pub(crate) fn value(&self, variable: &str) -> Option<&Hidden> {
        let name = environment_name(variable);
        let environment = || self.environment.get(&name).or_else(|| self.dotenv.get(&name));
        self.flags.get(variable).or_else(environment).or_else(|| self.file.get(variable))
    }
}

/// What the environment variables begin with that give values.
pub(crate) const ENVIRONMENT_PREFIX: &str = "WHARF_VARIABLE_";

/// Returns the environment variable that gives a variable its value: `WHARF_VARIABLE_STRIPE_KEY` for `stripe-key`.
pub fn environment_name(variable: &str) -> String {
    format!("{ENVIRONMENT_PREFIX}{}", variable.to_ascii_uppercase().replace('-', "_"))
}
