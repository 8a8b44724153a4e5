//! Reads `[component.NAME.grants]`.

use std::collections::HashMap;

use toml::Spanned;
use toml::de::DeValue;

use super::{Mention, labels, mention_of, values};
use crate::codes;
use crate::fields;
use crate::grant::{Access, DirGrant, Grants, HttpGrant, LaterGrant, NetPattern, guest_path_mistake, path_mistake};
use crate::read::{Problems, Section, as_text, wrong_type};
use wharf_problem::{Problem, Span};

const PATH: &str = "component.*.grants";

pub(super) fn read(component: &Section<'_>, mentions: &mut Vec<Mention>, problems: &mut Problems) -> Grants {
    let Some(section) = component.section("grants", PATH, problems) else { return Grants::default() };
    Grants {
        environment: values::environment(&section, problems),
        files: read_files(&section, problems),
        http: read_http(&section, mentions, problems),
        net: read_net(&section, problems),
        keyvalue: labels::read(&section, "keyvalue", "component.*.grants.keyvalue.*", problems),
        sql: labels::read(&section, "sql", "component.*.grants.sql.*", problems),
        blobstore: labels::read(&section, "blobstore", "component.*.grants.blobstore.*", problems),
        messaging: labels::read(&section, "messaging", "component.*.grants.messaging.*", problems),
        config: values::config(&section, problems),
        secrets: values::secrets(&section, problems),
        later: read_later(&section, problems),
    }
}

fn read_http(section: &Section<'_>, mentions: &mut Vec<Mention>, problems: &mut Problems) -> Vec<HttpGrant> {
    let mut grants = Vec::new();
    for text in section.texts("http", problems) {
        match HttpGrant::parse(text.get_ref()) {
            Ok(grant) => {
                mentions.extend(mention_of(&grant, &text));
                grants.push(grant);
            }
            Err(error) => problems.add_pattern(codes::GRANT_PATTERN, &text, error),
        }
    }
    grants
}

fn read_net(section: &Section<'_>, problems: &mut Problems) -> Vec<NetPattern> {
    let mut patterns = Vec::new();
    for text in section.texts("net", problems) {
        match NetPattern::parse(text.get_ref()) {
            Ok(pattern) => patterns.push(pattern),
            Err(error) => problems.add_pattern(codes::GRANT_PATTERN, &text, error),
        }
    }
    patterns
}

fn read_files(section: &Section<'_>, problems: &mut Problems) -> Vec<DirGrant> {
    let mut dirs = Vec::new();
    let mut places: HashMap<String, Span> = HashMap::new();
    for value in section.list("files", problems) {
        let Some(dir) = read_dir(value, problems) else { continue };
        let first = places.entry(dir.guest.trim_end_matches('/').to_owned()).or_insert(value.span());
        if *first != value.span() {
            let message = format!("two folders for the path `{}` of the component", dir.guest);
            let problem = Problem::error(codes::DUPLICATE, value.span(), message);
            problems.add(problem.with_label("the second").with_related(first.clone(), "the first"));
        }
        dirs.push(dir);
    }
    dirs
}

fn read_dir(value: &Spanned<DeValue<'_>>, problems: &mut Problems) -> Option<DirGrant> {
    if let Some(text) = as_text(value) {
        let dir = DirGrant::parse(text.get_ref(), Access::ReadOnly);
        return dir.map_err(|error| problems.add_pattern(codes::PATH, &text, error)).ok();
    }
    let DeValue::Table(table) = value.get_ref() else {
        problems.add(wrong_type(value.span(), "an entry of `files`", "text or table", value.get_ref()));
        return None;
    };
    let title = "grants.files".to_owned();
    let section = Section::open(table, value.span(), "component.*.grants.files", title, problems);
    if section.value("host").is_none() {
        section.missing("host", "write the folder on the node, as in `host = \"data\"`", problems);
    }
    let guest = section.text("guest", problems);
    let writable = section.bool("writable", problems).is_some_and(Spanned::into_inner);
    let host = section.text("host", problems)?;
    let guest = guest.unwrap_or_else(|| host.clone());
    let host_mistake = path_mistake(host.get_ref()).map(|why| (&host, "the folder on the node", why));
    let guest_mistake = path_mistake(guest.get_ref()).or_else(|| guest_path_mistake(guest.get_ref()));
    let guest_mistake = guest_mistake.map(|why| (&guest, "the path that the component sees", why));
    if let Some((text, what, why)) = host_mistake.or(guest_mistake) {
        problems.add(Problem::error(codes::PATH, text.span(), format!("{what} {why}")));
        return None;
    }
    let access = if writable { Access::ReadWrite } else { Access::ReadOnly };
    Some(DirGrant { host: host.into_inner().to_owned(), guest: guest.into_inner().to_owned(), access })
}

fn read_later(section: &Section<'_>, problems: &mut Problems) -> Vec<LaterGrant> {
    let mut grants = Vec::new();
    for field in fields::children(PATH).filter(|field| field.later) {
        let (_, key) = field.split();
        let (Some(value), Some(span)) = (section.value(key), section.key_span(key)) else { continue };
        if !matches!(value.get_ref(), DeValue::Array(_) | DeValue::Table(_) | DeValue::Boolean(_)) {
            problems.add(wrong_type(value.span(), &format!("`{key}`"), "list or table", value.get_ref()));
            continue;
        }
        let message = format!("this version of Wharf does not provide `{key}` yet");
        let problem = Problem::warning(codes::CAPABILITY_LATER, span.clone(), message);
        problems.add(problem.with_label("the grant has no effect"));
        grants.push(LaterGrant { capability: key.to_owned(), span });
    }
    grants
}
