//! Reads `[component.NAME.dependencies]`.

use toml::Spanned;
use toml::de::DeValue;

use super::{Mention, source};
use crate::codes;
use crate::dependency::{Dependency, GrantKind, ImportName, Inherit, Link, Supplier};
use crate::read::{Problems, Section, as_text, entries, wrong_type};
use wharf_problem::nearest;
use wharf_problem::{Problem, Span};

const PATH: &str = "component.*.dependencies.*";

pub(super) fn read(section: &Section<'_>, mentions: &mut Vec<Mention>, problems: &mut Problems) -> Vec<Dependency> {
    let Some(value) = section.value("dependencies") else { return Vec::new() };
    let DeValue::Table(table) = value.get_ref() else {
        return section.mistyped("dependencies", value, problems).unwrap_or_default();
    };
    entries(table).into_iter().filter_map(|(name, value)| one(&name, value, mentions, problems)).collect()
}

fn one(
    name: &Spanned<&str>,
    value: &Spanned<DeValue<'_>>,
    mentions: &mut Vec<Mention>,
    problems: &mut Problems,
) -> Option<Dependency> {
    let title = format!("dependencies.\"{}\"", name.get_ref());
    let DeValue::Table(table) = value.get_ref() else {
        let problem = wrong_type(value.span(), &format!("`{title}`"), "table", value.get_ref());
        problems.add(problem.with_help("write `{ component = \"NAME\" }` or `{ path = \"FILE.wasm\" }`"));
        return None;
    };
    let import = match ImportName::parse(name.get_ref()) {
        Ok(import) => Some(import),
        Err(why) => {
            let problem = Problem::error(codes::DEPENDENCY, name.span(), format!("`{}` {why}", name.get_ref()));
            problems.add(problem.with_help("write what the component imports, as in `\"acme:auth/check@1.0.0\"`"));
            None
        }
    };
    let section = Section::open(table, value.span(), PATH, title, problems);
    let supplier = read_supplier(&section, mentions, problems);
    let link = read_link(&section, problems);
    let inherit = read_inherit(&section, problems);
    let (supplier, supplier_span) = supplier?;
    let link = link.unwrap_or(match supplier {
        Supplier::Component(_) => Link::Fused,
        Supplier::Source(_) => Link::Isolated,
    });
    Some(Dependency { import: import?, supplier, link, inherit, span: name.span(), supplier_span })
}

fn read_supplier(
    section: &Section<'_>,
    mentions: &mut Vec<Mention>,
    problems: &mut Problems,
) -> Option<(Supplier, Span)> {
    let component = section.text("component", problems);
    let other = ["path", "url", "registry", "version", "digest"].into_iter().find_map(|key| section.key_span(key));
    if let (Some(name), Some(span)) = (&component, other.clone()) {
        let problem = Problem::error(codes::EXCLUSIVE, span, "a dependency comes from one place");
        problems.add(problem.with_related(name.span(), "the component of the app"));
    }
    if let Some(name) = component {
        mentions.push(Mention { name: (*name.get_ref()).to_owned(), span: name.span() });
        return Some((Supplier::Component((*name.get_ref()).to_owned()), name.span()));
    }
    if section.value("component").is_some() {
        return None;
    }
    if other.is_none() {
        section.missing(
            "component",
            "write `component = \"NAME\"`, `path = \"FILE.wasm\"`, or a `url` with its `digest`",
            problems,
        );
        return None;
    }
    source::read_source_keys(section, problems).map(|(source, span)| (Supplier::Source(source), span))
}

fn read_link(section: &Section<'_>, problems: &mut Problems) -> Option<Link> {
    let text = section.text("link", problems)?;
    let link = match *text.get_ref() {
        "fused" => Some(Link::Fused),
        "isolated" => Some(Link::Isolated),
        _ => None,
    };
    if link.is_none() {
        problems.add(Problem::error(codes::TYPE, text.span(), "`link` is `\"fused\"` or `\"isolated\"`"));
    }
    link
}

/// Reads `true`, `false`, or a list of kinds of grants.
fn read_inherit(section: &Section<'_>, problems: &mut Problems) -> Inherit {
    let Some(value) = section.value("inherit") else { return Inherit::Nothing };
    let list = match value.get_ref() {
        DeValue::Boolean(true) => return Inherit::Everything,
        DeValue::Boolean(false) => return Inherit::Nothing,
        DeValue::Array(list) => list,
        _ => return section.mistyped("inherit", value, problems).unwrap_or_default(),
    };
    let mut kinds = Vec::new();
    for entry in list.iter() {
        let Some(text) = as_text(entry) else {
            problems.add(wrong_type(entry.span(), "an entry of `inherit`", "text", entry.get_ref()));
            continue;
        };
        match GrantKind::of_key(text.get_ref()) {
            Some(kind) => kinds.push(kind),
            None => {
                let message = format!("there are no grants `{}`", text.get_ref());
                let problem = Problem::error(codes::DEPENDENCY, text.span(), message);
                let known = GrantKind::ALL.map(GrantKind::key);
                problems.add(match nearest(text.get_ref(), known) {
                    Some(meant) => problem.with_label(format!("did you mean `{meant}`?")),
                    None => problem.with_help(format!("`inherit` names keys of `grants`: {}", known.join(", "))),
                });
            }
        }
    }
    Inherit::Only(kinds)
}
