//! Reads a manifest.
//!
//! In: the text of `wharf.toml`. Out: the [`App`] and all problems. The manifest is read to its end whatever is wrong
//! with it; an app with an error in it is thrown away as the last step, so that the readers need no second path.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashSet};

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::app::{App, Component, NAME_LEN_MAX, check_name, valid_name_from};
use crate::codes;
use crate::grant::HttpGrant;
use crate::read::{Problems, Section, entries, place_in_text, wrong_type};
use wharf_problem::nearest;
use wharf_problem::{Problem, Severity, Span};

mod build;
mod certain;
mod component;
mod conflict;
mod cycle;
mod dependencies;
mod grants;
mod labels;
mod limits;
mod source;
mod testing;
mod trigger;
mod values;
mod variables;

/// Bytes that a manifest may have: a hundred times what a large app needs, and little enough to be read in no time when
/// it comes from somebody who means harm.
const LEN_MAX: usize = 1 << 20;

/// Syntax errors that are reported. Nobody reads more, and each is compared with the others.
const SYNTAX_PROBLEMS_MAX: usize = 100;

/// Problems that are reported. Nobody reads more, and showing each costs its line.
const PROBLEMS_MAX: usize = 200;

/// A name in the manifest that has to be a component's.
struct Mention {
    name: String,
    span: Span,
}

/// Reads a manifest and finds everything that is wrong with it.
///
/// The app is there if and only if no problem is an error. Problems are in the order of the file, at most the first 200.
/// Costs about as much as reading the text; never panics, whatever the text.
pub fn parse(text: &str) -> (Option<App>, Vec<Problem>) {
    if text.len() > LEN_MAX {
        let problem = Problem::error(codes::TOO_LONG, 0..0, "the manifest is longer than 1 MiB");
        return (None, vec![problem.with_help("serve large bodies from a component instead of a `static` answer")]);
    }
    let (document, syntax_errors) = DeTable::parse_recoverable(text);
    let mut syntax_problems = syntax_problems(text, &syntax_errors);
    let (app, mut problems) = read_app(document.get_ref());
    if !syntax_problems.is_empty() {
        certain::retain(&mut problems, &mut syntax_problems, document.get_ref(), text);
        problems.extend(syntax_problems);
    }
    problems.sort_by_key(|problem| problem.span.start);
    let sound = problems.iter().all(|problem| problem.severity == Severity::Warning);
    if problems.len() > PROBLEMS_MAX {
        problems.retain(|problem| sound || problem.severity == Severity::Error);
        problems.truncate(PROBLEMS_MAX);
    }
    (sound.then_some(app), problems)
}

/// Returns what TOML itself finds wrong. Errors at the same place follow from each other; only the first is kept.
pub(crate) fn syntax_problems(text: &str, errors: &[toml::de::Error]) -> Vec<Problem> {
    let mut problems: Vec<Problem> = Vec::new();
    for error in errors {
        let span = error.span().unwrap_or(text.len()..text.len());
        if problems.len() == SYNTAX_PROBLEMS_MAX {
            break;
        }
        if problems.iter().any(|problem| problem.span.start == span.start) {
            continue;
        }
        if lacks_value(text, error.message(), &span) {
            problems.push(Problem::error(codes::SYNTAX, span, "the key has no value"));
            continue;
        }
        let (what, label) = error.message().split_once(", expected ").unwrap_or((error.message(), ""));
        let problem = Problem::error(codes::SYNTAX, span, what);
        problems.push(if label.is_empty() { problem } else { problem.with_label(format!("expected {label}")) });
    }
    problems
}

/// Returns whether TOML expected a text only because nothing at all follows the `=`.
fn lacks_value(text: &str, message: &str, span: &Span) -> bool {
    let after = text.get(span.start..).unwrap_or_default();
    message.starts_with("string values must be quoted")
        && after.lines().next().is_none_or(|rest| rest.trim().is_empty())
}

fn read_app(table: &DeTable<'_>) -> (App, Vec<Problem>) {
    let mut problems = Problems::default();
    let root = Section::open(table, 0..0, "", String::new(), &mut problems);
    let mut mentions = Vec::new();
    let name = read_name(&root, &mut problems);
    let version = read_version(&root, &mut problems);
    let variables = variables::read(&root, &mut problems);
    let components = read_components(&root, &mut mentions, &mut problems);
    let http = trigger::read(&root, &mut mentions, &mut problems);
    let test = testing::read(&root, &mut mentions, &mut problems);
    conflict::check(&http, &mut problems);
    cycle::check(&components, &mut problems);
    variables::check_uses(&root, &variables, &mut problems);
    check_mentions(&mentions, &component_names(&root), &mut problems);
    let untouched = root.value("component").is_none() && root.value("trigger").is_none();
    if untouched || (components.is_empty() && http.is_empty() && !problems.have_errors()) {
        let problem = Problem::error(codes::EMPTY, 0..0, "the app has no components");
        problems.add(problem.with_help("add `[component.NAME]` with `source = \"FILE.wasm\"`"));
    }
    (App { name, version, components, http, variables, test, secrets: BTreeMap::new() }, problems.into_list())
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

fn read_components(root: &Section<'_>, mentions: &mut Vec<Mention>, problems: &mut Problems) -> Vec<Component> {
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
        let title = format!("component.{}", brief(name.get_ref()));
        let section = Section::open(table, value.span(), "component.*", title, problems);
        components.push(component::read(&name, &section, mentions, problems));
    }
    components
}

/// Returns as much of a name as a sound one has: each problem of the table repeats it.
fn brief(name: &str) -> Cow<'_, str> {
    match name.char_indices().nth(NAME_LEN_MAX) {
        Some((end, _)) => format!("{}…", &name[..end]).into(),
        None => name.into(),
    }
}

/// Returns every name that has a table, sound or not, so that one mistake in it is not reported twice.
fn component_names<'d>(root: &Section<'d>) -> Vec<&'d str> {
    let table = root.value("component").and_then(|value| value.get_ref().as_table());
    table.map_or(Vec::new(), |table| entries(table).into_iter().map(|(name, _)| name.into_inner()).collect())
}

fn check_mentions(mentions: &[Mention], known: &[&str], problems: &mut Problems) {
    let names: HashSet<&str> = known.iter().copied().collect();
    let mut unknown: Vec<&Mention> = mentions.iter().filter(|mention| !names.contains(mention.name.as_str())).collect();
    unknown.sort_by_key(|mention| mention.span.start);
    // More are not reported anyway, and each is compared with many names.
    for Mention { name, span } in unknown.into_iter().take(PROBLEMS_MAX) {
        let message = format!("the app has no component `{name}`");
        let problem = Problem::error(codes::UNKNOWN_COMPONENT, span.clone(), message);
        problems.add(match nearest(name, known.iter().copied()) {
            Some(meant) => problem.with_label(format!("did you mean `{meant}`?")),
            None => problem.with_help(format!("add `[component.{name}]`, or name another component")),
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
fn mention_of(grant: &HttpGrant, text: &Spanned<&str>) -> Option<Mention> {
    let HttpGrant::Internal { component } = grant else { return None };
    let start = "http://".len();
    let span = place_in_text(text, &(start..start + component.len()));
    Some(Mention { name: component.clone(), span })
}

#[cfg(test)]
mod tests;
