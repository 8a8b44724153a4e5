//! Reads the grants that give values: environment, configuration and secrets.

use std::collections::HashMap;

use toml::Spanned;

use crate::codes;
use crate::grant::{ConfigGrant, EnvGrant, SecretGrant, check_label};
use crate::read::{Problems, Section};
use crate::template::Template;
use wharf_problem::{Problem, Span};

pub(super) fn environment(section: &Section<'_>, problems: &mut Problems) -> Vec<EnvGrant> {
    let mut variables = Vec::new();
    for (name, value) in section.text_map("environment", problems) {
        let template = template(&value, problems).unwrap_or_else(|| Template::literal(""));
        match EnvGrant::checked(name.get_ref(), template, value.span()) {
            Ok(variable) => variables.push(variable),
            Err(why) => problems.add(Problem::error(codes::ENVIRONMENT, name.span(), why)),
        }
    }
    variables
}

pub(super) fn config(section: &Section<'_>, problems: &mut Problems) -> Vec<ConfigGrant> {
    let mut values = Vec::new();
    for (key, value) in section.text_map("config", problems) {
        if key.get_ref().is_empty() {
            problems.add(Problem::error(codes::EMPTY, key.span(), "the key of a configuration value is empty"));
        }
        let Some(template) = template(&value, problems) else { continue };
        values.push(ConfigGrant { key: (*key.get_ref()).to_owned(), value: template, span: value.span() });
    }
    values
}

fn template(text: &Spanned<&str>, problems: &mut Problems) -> Option<Template> {
    match Template::parse(text.get_ref()) {
        Ok(template) => Some(template),
        Err(error) => {
            problems.add_pattern(codes::TEMPLATE, text, error);
            None
        }
    }
}

pub(super) fn secrets(section: &Section<'_>, problems: &mut Problems) -> Vec<SecretGrant> {
    let mut grants = Vec::new();
    let mut places: HashMap<&str, Span> = HashMap::new();
    for text in section.texts("secrets", problems) {
        let name = *text.get_ref();
        if let Err(error) = check_label(name) {
            let message = format!("`{name}` is no name of a secret: it {}", error.why);
            problems.add(Problem::error(codes::LABEL, text.span(), message));
            continue;
        }
        if let Some(first) = places.insert(name, text.span()) {
            let problem = Problem::error(codes::DUPLICATE, text.span(), format!("the secret `{name}` is there twice"));
            problems.add(problem.with_label("the second").with_related(first, "the first"));
            continue;
        }
        grants.push(SecretGrant { name: name.to_owned(), span: text.span() });
    }
    grants
}
