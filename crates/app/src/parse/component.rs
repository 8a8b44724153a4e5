//! Reads `[component.NAME]`.

use toml::Spanned;
use toml::de::DeValue;

use super::source::read_source_keys;
use super::{Mention, build, dependencies, grants, limits};
use crate::app::{Component, Source};
use crate::codes;
use crate::grant::path_mistake;
use crate::read::{Problems, Section, as_text};
use wharf_problem::{Problem, Span};

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

pub(super) fn file(path: &Spanned<&str>, problems: &mut Problems) -> (Source, Span) {
    let text = *path.get_ref();
    if let Some(why) = path_mistake(text) {
        problems.add(Problem::error(codes::PATH, path.span(), format!("the path of the component {why}")));
    } else if text.contains("://") {
        let problem = Problem::error(codes::SOURCE, path.span(), "a path is no URL");
        problems.add(problem.with_help("write `source = { url = \"https://…\", digest = \"sha256:…\" }`"));
    }
    (Source::File(text.to_owned()), path.span())
}
