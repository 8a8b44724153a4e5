//! Reads grants of labels: `keyvalue = ["default"]`, or a table with what calls may use.

use std::collections::HashMap;

use toml::Spanned;
use toml::de::DeValue;

use super::limits::{self, LABEL_CONCURRENCY, LABEL_SIZE, LABEL_TIMEOUT};
use crate::codes;
use crate::grant::{Access, LabelGrant, check_label};
use crate::read::{Problems, Section, as_text, entries, wrong_type};
use wharf_problem::{Problem, Span};

/// Reads one capability's labels. `path` is that of the table of one label.
pub(super) fn read(
    section: &Section<'_>,
    key: &'static str,
    path: &'static str,
    problems: &mut Problems,
) -> Vec<LabelGrant> {
    let Some(value) = section.value(key) else { return Vec::new() };
    let read = match value.get_ref() {
        DeValue::Array(_) => {
            section.texts(key, problems).iter().map(|text| LabelGrant::full(text.get_ref(), text.span())).collect()
        }
        DeValue::Table(table) => {
            entries(table).into_iter().filter_map(|(label, value)| one(key, &label, value, path, problems)).collect()
        }
        _ => section.mistyped(key, value, problems).unwrap_or_default(),
    };
    valid(read, problems)
}

/// Leaves out what is no label, or is there twice.
fn valid(grants: Vec<LabelGrant>, problems: &mut Problems) -> Vec<LabelGrant> {
    let mut places: HashMap<String, Span> = HashMap::new();
    let mut kept = Vec::new();
    for grant in grants {
        if let Err(error) = check_label(&grant.label) {
            let problem = Problem::error(codes::LABEL, grant.span.clone(), error.to_string());
            problems.add(problem.with_help("labels are names that you choose, such as `default` or `orders`"));
            continue;
        }
        if let Some(first) = places.get(&grant.label) {
            let message = format!("the label `{}` is there twice", grant.label);
            let problem = Problem::error(codes::DUPLICATE, grant.span.clone(), message);
            problems.add(problem.with_label("the second").with_related(first.clone(), "the first"));
            continue;
        }
        places.insert(grant.label.clone(), grant.span.clone());
        kept.push(grant);
    }
    kept
}

fn one(
    key: &str,
    label: &Spanned<&str>,
    value: &Spanned<DeValue<'_>>,
    path: &'static str,
    problems: &mut Problems,
) -> Option<LabelGrant> {
    let title = format!("grants.{key}.{}", label.get_ref());
    let DeValue::Table(table) = value.get_ref() else {
        problems.add(wrong_type(value.span(), &format!("`{title}`"), "table", value.get_ref()));
        return None;
    };
    let section = Section::open(table, value.span(), path, title, problems);
    let access = access(key, &section, problems)?;
    Some(LabelGrant {
        access,
        timeout: limits::duration(&section, &LABEL_TIMEOUT, problems),
        concurrency: limits::count(&section, &LABEL_CONCURRENCY, problems),
        size_bytes: limits::size(&section, &LABEL_SIZE, problems),
        ..LabelGrant::full(label.get_ref(), label.span())
    })
}

/// Returns what may be done with a label; none after a problem.
fn access(key: &str, section: &Section<'_>, problems: &mut Problems) -> Option<Access> {
    let Some(value) = section.value("access") else { return Some(Access::ReadWrite) };
    let text = as_text(value).map(Spanned::into_inner);
    let is_sent = key == "messaging";
    match text {
        Some("read-write") => return Some(Access::ReadWrite),
        Some("read") if !is_sent => return Some(Access::ReadOnly),
        _ => {}
    }
    let problem = |message| Problem::error(codes::TYPE, value.span(), message);
    problems.add(if is_sent {
        problem("`access` to messages is `\"read-write\"`, as they are only sent")
            .with_help("leave `access` out, or the label if the component may not send")
    } else {
        problem("`access` is `\"read\"` or `\"read-write\"`")
    });
    None
}
