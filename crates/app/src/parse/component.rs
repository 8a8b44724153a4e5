//! Reads `[component.NAME]`.

use toml::Spanned;
use toml::de::DeValue;

use super::{Mention, build, dependencies, grants, limits};
use crate::app::{Component, Source};
use crate::codes;
use crate::grant::path_mistake;
use crate::problem::{Problem, Span};
use crate::read::{Problems, Section, as_text};

pub(super) fn read(
    name: &Spanned<&str>,
    section: &Section<'_>,
    mentions: &mut Vec<Mention>,
    problems: &mut Problems,
) -> Component {
    let (source, source_span) = read_source(section, problems);
    Component {
        name: (*name.get_ref()).to_owned(),
        source,
        build: build::read(section, problems),
        limits: limits::read(section, problems),
        reuse: limits::read_reuse(section, problems),
        grants: grants::read(section, mentions, problems),
        dependencies: dependencies::read(section, mentions, problems),
        name_span: name.span(),
        source_span,
        files_spans: files_spans(section),
    }
}

/// Returns where the granted folders stand. In an app without mistakes each entry of the list is one of them.
fn files_spans(section: &Section<'_>) -> Vec<Span> {
    let grants = section.value("grants").and_then(|grants| grants.get_ref().as_table());
    let files = grants.and_then(|grants| grants.get("files")).and_then(|files| files.get_ref().as_array());
    files.map_or(Vec::new(), |files| files.iter().map(Spanned::span).collect())
}

fn read_source(section: &Section<'_>, problems: &mut Problems) -> (Source, Span) {
    let nowhere = (Source::File(String::new()), section.span.clone());
    let Some(value) = section.value("source") else {
        section.missing("source", "write `source = \"FILE.wasm\"`", problems);
        return nowhere;
    };
    let read = match value.get_ref() {
        DeValue::String(_) => as_text(value).map(|path| file(&path, problems)),
        DeValue::Table(_) => {
            let Some(table) = section.section("source", "component.*.source", problems) else { return nowhere };
            read_source_keys(&table, problems)
        }
        _ => section.mistyped("source", value, problems),
    };
    read.unwrap_or(nowhere)
}

fn file(path: &Spanned<&str>, problems: &mut Problems) -> (Source, Span) {
    let text = *path.get_ref();
    if let Some(why) = path_mistake(text) {
        problems.add(Problem::error(codes::PATH, path.span(), format!("the path of the component {why}")));
    } else if text.contains("://") {
        problems.add(later(path.span(), "this version of Wharf does not download components"));
    }
    (Source::File(text.to_owned()), path.span())
}

/// Reads the keys that say where the bytes of a component come from, in `source` or in a dependency.
pub(super) fn read_source_keys(table: &Section<'_>, problems: &mut Problems) -> Option<(Source, Span)> {
    for (key, message) in [
        ("registry", "this version of Wharf does not load components from registries"),
        ("url", "this version of Wharf does not download components"),
    ] {
        if let Some(span) = table.key_span(key) {
            problems.add(later(span, message));
            return None;
        }
    }
    if table.value("path").is_none() {
        table.missing("path", "write `path = \"FILE.wasm\"`", problems);
    }
    for key in ["version", "digest"] {
        if let Some(span) = table.key_span(key) {
            let problem = Problem::error(codes::LATER, span, format!("this version of Wharf does not check a `{key}`"));
            problems.add(problem.with_label("not in this version").with_help(format!("remove `{key}`")));
        }
    }
    table.text("path", problems).map(|path| file(&path, problems))
}

fn later(span: Span, message: &str) -> Problem {
    Problem::error(codes::SOURCE_LATER, span, message)
        .with_label("not in this version")
        .with_help("put the component into a file and write `source = \"FILE.wasm\"`")
}
