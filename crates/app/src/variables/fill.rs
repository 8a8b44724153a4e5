//! Fills an app's variables in.

use std::collections::BTreeMap;

use super::{Given, VALUE_LEN_MAX, Variable, environment_name};
use crate::app::App;
use crate::codes;
use crate::grant::Grants;
use crate::hidden::Hidden;
use crate::template::Template;
use wharf_problem::Problem;
use wharf_problem::nearest;

/// Bytes that all texts of an app together may have once variables are filled in: a short manifest could say a long one often.
const TOTAL_LEN_MAX: usize = 16 << 20;

impl App {
    /// Puts values in the place of variables: what is given, else the default. Afterwards every template has a text, and the values of
    /// secret variables are in [`App::secrets`].
    ///
    /// # Errors
    ///
    /// Every variable that has no value, each with how to give it one, and every text that cannot be filled.
    pub fn fill(mut self, given: &Given) -> Result<Self, Vec<Problem>> {
        let mut problems = Vec::new();
        let mut values: BTreeMap<&str, &str> = BTreeMap::new();
        let mut secrets: BTreeMap<String, Hidden> = BTreeMap::new();
        for variable in &self.variables {
            let value = given.value(&variable.name);
            if value.is_some_and(|value| value.reveal().len() > VALUE_LEN_MAX) {
                problems.push(too_long(variable));
                continue;
            }
            match (value, &variable.default) {
                (Some(value), _) if variable.secret => {
                    secrets.insert(variable.name.clone(), value.clone());
                }
                (Some(value), _) => _ = values.insert(&variable.name, value.reveal()),
                (None, Some(default)) => _ = values.insert(&variable.name, default),
                (None, None) if variable.secret && is_stored(variable, given) => {}
                (None, None) if variable.required => problems.push(missing(variable)),
                (None, None) => {}
            }
        }
        if problems.is_empty() {
            let mut left = TOTAL_LEN_MAX;
            for component in &mut self.components {
                fill_grants(&mut component.grants, &values, &mut left, &mut problems);
            }
        }
        self.secrets = secrets;
        if problems.is_empty() { Ok(self) } else { Err(problems) }
    }

    /// Returns the variable of that name.
    pub fn variable(&self, name: &str) -> Option<&Variable> {
        self.variables.iter().find(|variable| variable.name == name)
    }

    /// Returns the variable that was probably meant by a name that is none.
    pub fn nearest_variable(&self, name: &str) -> Option<&str> {
        nearest(name, self.variables.iter().map(|variable| variable.name.as_str()))
    }
}

/// Returns whether a secret may be in the store: it is, or nobody can tell.
fn is_stored(variable: &Variable, given: &Given) -> bool {
    given.stored.as_ref().is_none_or(|names| names.contains(&variable.name))
}

fn fill_grants(grants: &mut Grants, values: &BTreeMap<&str, &str>, left: &mut usize, problems: &mut Vec<Problem>) {
    let environment = grants.environment.iter_mut().map(|grant| (&grant.name, &mut grant.value, &grant.span, true));
    let config = grants.config.iter_mut().map(|grant| (&grant.key, &mut grant.value, &grant.span, false));
    for (name, template, span, is_environment) in environment.chain(config) {
        if template.text().is_some() {
            continue;
        }
        let Some(text) = template.fill(VALUE_LEN_MAX.min(*left), |name| values.get(name).copied()) else {
            // Names are known to be declared, so that only the length is left.
            let message = format!("`{name}` is too long once its variables are filled in");
            problems.push(Problem::error(codes::UNSET, span.clone(), message));
            continue;
        };
        if is_environment && text.contains('\0') {
            let message = format!("the environment variable `{name}` would have a NUL in it");
            problems.push(Problem::error(codes::ENVIRONMENT, span.clone(), message));
        }
        *left -= text.len();
        *template = Template::literal(text);
    }
}

fn missing(variable: &Variable) -> Problem {
    let Variable { name, span, .. } = variable;
    let environment = environment_name(name);
    let problem = Problem::error(codes::UNSET, span.clone(), format!("the variable `{name}` has no value"));
    let problem = problem.with_label("required, and nobody gives it");
    problem.with_help(if variable.secret {
        format!("store it with `wharf secrets set {name}`, or give it by the environment variable {environment} or in `.env`")
    } else {
        format!(
            "give it with `--variable {name}=VALUE`, by the environment variable {environment}, in `.env`, or in a file for \
             `--variables`"
        )
    })
}

fn too_long(variable: &Variable) -> Problem {
    let message = format!("the value that is given for the variable `{}` is too long", variable.name);
    Problem::error(codes::UNSET, variable.span.clone(), message).with_label("at most 64 KiB")
}
