//! Reads `[variables]`, and checks that templates name them.

use std::collections::HashMap;

use toml::Spanned;
use toml::de::DeValue;

use super::{PROBLEMS_MAX, brief};
use crate::app::{check_name, valid_name_from};
use crate::codes;
use crate::read::{Problems, Section, as_text, entries, place_in_text, wrong_type};
use crate::template::Template;
use crate::variables::Variable;
use wharf_problem::nearest;
use wharf_problem::{Problem, Span};

pub(super) fn read(root: &Section<'_>, problems: &mut Problems) -> Vec<Variable> {
    let Some(value) = root.value("variables") else { return Vec::new() };
    let DeValue::Table(table) = value.get_ref() else {
        return root.mistyped("variables", value, problems).unwrap_or_default();
    };
    let mut variables = Vec::new();
    for (name, value) in entries(table) {
        if let Err(why) = check_name(name.get_ref()) {
            let problem = Problem::error(codes::NAME, name.span(), format!("the name of the variable {why}"));
            problems.add(problem.with_help(format!("write `{}`", valid_name_from(name.get_ref()))));
        }
        let title = format!("variables.{}", brief(name.get_ref()));
        let DeValue::Table(table) = value.get_ref() else {
            let problem = wrong_type(value.span(), &format!("`{title}`"), "table", value.get_ref());
            problems.add(problem.with_help("write `{ default = \"…\" }`, or `{ required = true }`"));
            continue;
        };
        let section = Section::open(table, value.span(), "variables.*", title, problems);
        variables.push(read_one(&name, &section, problems));
    }
    variables
}

fn read_one(name: &Spanned<&str>, section: &Section<'_>, problems: &mut Problems) -> Variable {
    let default = section.text("default", problems);
    let required = section.bool("required", problems);
    let secret = section.bool("secret", problems).is_some_and(Spanned::into_inner);
    let is_required = required.as_ref().is_some_and(|required| *required.get_ref());
    // The place of a default is not shown here: it may be a secret that should not be there.
    let problem = |message: String| Problem::error(codes::VARIABLE, name.span(), message);
    let shown = brief(name.get_ref());
    if secret && section.value("default").is_some() {
        let problem = problem(format!("the variable `{shown}` is secret and has a default"));
        let help = "write `{ required = true, secret = true }`, and give the value with `wharf secrets set`";
        problems.add(problem.with_label("a manifest is no place for secrets").with_help(help));
    } else if is_required && section.value("default").is_some() {
        let problem = problem(format!("the variable `{shown}` is required and has a default"));
        problems.add(problem.with_help("leave out one of them"));
    } else if !secret && !is_required && section.value("default").is_none() {
        let problem = problem(format!("the variable `{shown}` has no value if nobody gives one"));
        problems.add(problem.with_help("write `{ default = \"…\" }`, or `{ required = true }`"));
    }
    Variable {
        name: (*name.get_ref()).to_owned(),
        default: default.map(|text| (*text.get_ref()).to_owned()),
        required: is_required || !secret,
        secret,
        span: name.span(),
    }
}

/// Reports templates that name what is not declared, or what is secret.
pub(super) fn check_uses(root: &Section<'_>, variables: &[Variable], problems: &mut Problems) {
    let declared: HashMap<&str, &Variable> =
        variables.iter().map(|variable| (variable.name.as_str(), variable)).collect();
    let mut unknown: Vec<(String, Span)> = Vec::new();
    for text in templates(root) {
        let Ok(template) = Template::parse(text.get_ref()) else { continue };
        for (name, range) in template.variables() {
            let span = place_in_text(&text, range);
            match declared.get(name) {
                None => unknown.push((name.to_owned(), span)),
                Some(variable) if variable.secret => problems.add(secret(variable, span)),
                Some(_) => {}
            }
        }
    }
    unknown.sort_by_key(|(_, span)| span.start);
    // More are not reported anyway, and each is compared with many names.
    for (name, span) in unknown.into_iter().take(PROBLEMS_MAX) {
        let problem = Problem::error(codes::TEMPLATE, span, format!("the app has no variable `{name}`"));
        problems.add(match nearest(&name, variables.iter().map(|variable| variable.name.as_str())) {
            Some(meant) => problem.with_label(format!("did you mean `{meant}`?")),
            None => problem.with_help(format!(
                "declare it: `[variables]` with `{name} = {{ default = \"…\" }}`, or write `{{{{{{{{` for two braces"
            )),
        });
    }
}

fn secret(variable: &Variable, span: Span) -> Problem {
    let name = &variable.name;
    Problem::error(codes::SECRET, span, format!("the variable `{name}` is secret"))
        .with_label("everybody could see it here")
        .with_related(variable.span.clone(), "declared as secret")
        .with_help(format!(
            "grant it with `secrets = [\"{name}\"]`; the component gets it by the interface `wharf:secrets`"
        ))
}

/// Returns every text that is a template.
fn templates<'d>(root: &Section<'d>) -> Vec<Spanned<&'d str>> {
    let components = root.value("component").and_then(|value| value.get_ref().as_table());
    let grants = components.into_iter().flat_map(|table| table.values()).filter_map(|component| {
        let grants = component.get_ref().as_table()?.get("grants")?;
        grants.get_ref().as_table()
    });
    let tables = grants.flat_map(|grants| ["environment", "config"].map(|key| grants.get(key)));
    let tables = tables.flatten().filter_map(|table| table.get_ref().as_table());
    tables.flat_map(|table| table.values()).filter_map(as_text).collect()
}
