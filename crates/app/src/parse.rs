//! Reads a manifest.
//!
//! In: the text of `wharf.toml`. Out: the [`App`] and all problems. The manifest is read to its end whatever is wrong
//! with it; an app with an error in it is thrown away as the last step, so that the readers need no second path.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::app::{App, Component, Target, check_name, valid_name_from};
use crate::codes;
use crate::grant::HttpGrant;
use crate::nearest::nearest;
use crate::problem::{Problem, Severity, Span};
use crate::read::{Problems, Section, entries, wrong_type};

mod component;
mod conflict;
mod grants;
mod limits;
mod trigger;

/// A name in the manifest that has to be a component's.
pub(crate) struct Mention<'d> {
    name: Spanned<&'d str>,
}

/// Reads a manifest and finds everything that is wrong with it.
///
/// The app is there if and only if no problem is an error. Problems are in the order of the file. Costs about as much
/// as reading the text; never panics, whatever the text.
pub fn parse(text: &str) -> (Option<App>, Vec<Problem>) {
    let (document, syntax_errors) = DeTable::parse_recoverable(text);
    let syntax_problems = syntax_problems(text, &syntax_errors);
    let (app, mut problems) = read_app(document.get_ref());
    if !syntax_problems.is_empty() {
        problems.retain(|problem| survives(problem, &syntax_problems, text));
        problems.extend(syntax_problems);
    }
    problems.sort_by_key(|problem| problem.span.start);
    let sound = problems.iter().all(|problem| problem.severity == Severity::Warning);
    (sound.then_some(app), problems)
}

/// Returns what TOML itself finds wrong. Errors at the same place follow from each other; only the first is kept.
fn syntax_problems(text: &str, errors: &[toml::de::Error]) -> Vec<Problem> {
    let mut problems: Vec<Problem> = Vec::new();
    for error in errors {
        let span = error.span().unwrap_or(text.len()..text.len());
        if problems.iter().any(|problem| problem.span.start == span.start) {
            continue;
        }
        let (what, label) = error.message().split_once(", expected ").unwrap_or((error.message(), ""));
        let problem = Problem::error(codes::SYNTAX, span, what);
        problems.push(if label.is_empty() { problem } else { problem.with_label(format!("expected {label}")) });
    }
    problems
}

/// Returns whether a problem stands in a file that is not valid TOML.
///
/// What is missing may be what could not be read, and a line that could not be read says nothing.
fn survives(problem: &Problem, syntax_problems: &[Problem], text: &str) -> bool {
    let from_absence = [codes::MISSING, codes::EMPTY, codes::UNKNOWN_COMPONENT].contains(&problem.code);
    let same_line = |other: &Problem| {
        let (a, b) = (problem.span.start.min(other.span.start), problem.span.start.max(other.span.start));
        text.get(a..b).is_none_or(|between| !between.contains('\n'))
    };
    !from_absence && !syntax_problems.iter().any(same_line)
}

fn read_app(table: &DeTable<'_>) -> (App, Vec<Problem>) {
    let mut problems = Problems::default();
    let root = Section::open(table, 0..0, "", String::new(), &mut problems);
    let mut mentions = Vec::new();
    let name = read_name(&root, &mut problems);
    let version = read_version(&root, &mut problems);
    refuse_later(&root, "variables", "values that are filled in when the app runs", &mut problems);
    let components = read_components(&root, &mut mentions, &mut problems);
    let http = trigger::read(&root, &mut mentions, &mut problems);
    conflict::check(&http, &mut problems);
    let known: Vec<&str> = components.iter().map(|component| component.name.as_str()).collect();
    check_mentions(&mentions, &known, &mut problems);
    if components.is_empty() && http.iter().all(|trigger| matches!(trigger.target, Target::Component(_))) {
        let problem = Problem::error(codes::EMPTY, 0..0, "the app has no components");
        problems.add(problem.with_help("add `[component.NAME]` with `source = \"FILE.wasm\"`"));
    }
    (App { name, version, components, http }, problems.into_list())
}

fn read_name(root: &Section<'_>, problems: &mut Problems) -> String {
    if root.value("name").is_none() {
        root.missing("name", "write `name = \"my-app\"` at the top", problems);
    }
    let Some(name) = root.text("name", problems) else { return String::new() };
    check_name_at(&name, "the name of the app", problems);
    (*name.get_ref()).to_owned()
}

fn check_name_at(name: &Spanned<&str>, what: &str, problems: &mut Problems) {
    if let Err(why) = check_name(name.get_ref()) {
        let problem = Problem::error(codes::NAME, name.span(), format!("{what} {why}"));
        problems.add(problem.with_help(format!("write `{}`", valid_name_from(name.get_ref()))));
    }
}

fn read_version(root: &Section<'_>, problems: &mut Problems) -> String {
    let Some(version) = root.text("version", problems) else { return "0.0.0".to_owned() };
    if !is_semantic_version(version.get_ref()) {
        let problem =
            Problem::error(codes::VERSION, version.span(), "the version of the app is not a semantic version");
        problems.add(problem.with_help("write three numbers with dots, as in `1.4.0`"));
    }
    (*version.get_ref()).to_owned()
}

fn is_semantic_version(text: &str) -> bool {
    let (rest, build) = text.split_once('+').map_or((text, None), |(rest, build)| (rest, Some(build)));
    let (numbers, pre_release) = rest.split_once('-').map_or((rest, None), |(numbers, pre)| (numbers, Some(pre)));
    let number = |part: &str| {
        (1..=19).contains(&part.len())
            && part.bytes().all(|b| b.is_ascii_digit())
            && (part == "0" || !part.starts_with('0'))
    };
    let words = |text: &str| {
        text.split('.').all(|word| !word.is_empty() && word.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-'))
    };
    numbers.split('.').count() == 3
        && numbers.split('.').all(number)
        && pre_release.is_none_or(words)
        && build.is_none_or(words)
}

fn read_components<'d>(root: &Section<'d>, mentions: &mut Vec<Mention<'d>>, problems: &mut Problems) -> Vec<Component> {
    let Some(value) = root.value("component") else { return Vec::new() };
    let DeValue::Table(table) = value.get_ref() else {
        return root.mistyped("component", value, problems).unwrap_or_default();
    };
    let mut components = Vec::new();
    for (name, value) in entries(table) {
        let DeValue::Table(table) = value.get_ref() else {
            let problem =
                wrong_type(value.span(), &format!("`component.{}`", name.get_ref()), "table", value.get_ref());
            problems.add(problem.with_help(format!("write `[component.{}]`", name.get_ref())));
            continue;
        };
        check_name_at(&name, "the name of the component", problems);
        let title = format!("component.{}", name.get_ref());
        let section = Section::open(table, value.span(), "component.*", title, problems);
        components.push(component::read(&name, &section, mentions, problems));
    }
    components
}

fn check_mentions(mentions: &[Mention<'_>], known: &[&str], problems: &mut Problems) {
    for Mention { name } in mentions {
        let name_text = *name.get_ref();
        if known.contains(&name_text) {
            continue;
        }
        let message = format!("the app has no component `{name_text}`");
        let problem = Problem::error(codes::UNKNOWN_COMPONENT, name.span(), message);
        problems.add(match nearest(name_text, known.iter().copied()) {
            Some(meant) => problem.with_label(format!("did you mean `{meant}`?")),
            None => problem.with_help(format!("add `[component.{name_text}]`, or name another component")),
        });
    }
}

/// Reports a key that this version knows and does nothing for, where ignoring it would change what the app does.
fn refuse_later(section: &Section<'_>, key: &'static str, what: &str, problems: &mut Problems) {
    if section.value(key).is_none() {
        return;
    }
    let span: Span = section.key_span(key).unwrap_or(section.span.clone());
    let problem = Problem::error(codes::LATER, span, format!("this version of Wharf does not have {what}"));
    problems.add(problem.with_label("not in this version").with_help(format!("remove `{key}`")));
}

/// Keeps the component that a grant calls, to be looked for when all are known.
fn mention_of<'d>(grant: &HttpGrant, text: &Spanned<&'d str>) -> Option<Mention<'d>> {
    let HttpGrant::Internal { component } = grant else { return None };
    let at = text.get_ref().to_ascii_lowercase().find(component.as_str())?;
    let name = text.get_ref().get(at..at + component.len())?;
    let quoted = text.span().len() == text.get_ref().len() + 2;
    let start = text.span().start + 1 + at;
    Some(Mention { name: Spanned::new(if quoted { start..start + name.len() } else { text.span() }, name) })
}

#[cfg(test)]
mod tests;
