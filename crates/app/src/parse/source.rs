//! Reads where the bytes of a component come from, in `source` or in a dependency.

use toml::Spanned;

use super::component::file;
use crate::app::{Source, digest_mistake};
use crate::codes;
use crate::read::{Problems, Section};
use wharf_problem::{Problem, Span};

/// The keys of which a source has one.
const PLACES: [&str; 3] = ["path", "url", "registry"];

/// Reads the keys, and which of them go together.
pub(super) fn read_source_keys(table: &Section<'_>, problems: &mut Problems) -> Option<(Source, Span)> {
    let mut places = PLACES.into_iter().filter_map(|key| table.key_span(key));
    if let (Some(first), Some(second)) = (places.next(), places.next()) {
        let problem = Problem::error(codes::EXCLUSIVE, second, "a component comes from one place");
        problems.add(problem.with_related(first, "the other place"));
        return None;
    }
    let digest = read_digest(table, problems);
    let version = table.text("version", problems).map(|version| (*version.get_ref()).to_owned());
    if let Some(url) = table.text("url", problems) {
        return from_url(table, &url, digest, problems);
    }
    if let Some(reference) = table.text("registry", problems) {
        return from_registry(table, &reference, (version, digest), problems);
    }
    if PLACES.iter().all(|key| table.value(key).is_none()) {
        table.missing("path", "write `path = \"FILE.wasm\"`, or a `url` with its `digest`", problems);
        return None;
    }
    for key in ["version", "digest"] {
        if let Some(span) = table.key_span(key) {
            let problem = Problem::error(codes::SOURCE, span, format!("a file has no `{key}`"));
            problems.add(problem.with_help(format!("remove `{key}`: `wharf.lock` has the digests of files")));
        }
    }
    table.text("path", problems).map(|path| file(&path, problems))
}

fn read_digest(table: &Section<'_>, problems: &mut Problems) -> Option<String> {
    let digest = table.text("digest", problems)?;
    if let Some(why) = digest_mistake(digest.get_ref()) {
        problems.add(Problem::error(codes::SOURCE, digest.span(), format!("a digest {why}")));
    }
    Some((*digest.get_ref()).to_owned())
}

fn from_url(
    table: &Section<'_>,
    url: &Spanned<&str>,
    digest: Option<String>,
    problems: &mut Problems,
) -> Option<(Source, Span)> {
    let text = *url.get_ref();
    if !text.starts_with("https://") && !text.starts_with("http://") {
        let problem = Problem::error(codes::SOURCE, url.span(), "a URL begins with `https://` or `http://`");
        problems.add(problem.with_help("for a file write `path`, for a registry `registry`"));
    }
    if let Some(span) = table.key_span("version") {
        let problem = Problem::error(codes::SOURCE, span, "what is at a URL has no `version`");
        problems.add(problem.with_help("remove it: the digest says which one it is"));
    }
    if digest.is_none() {
        if table.value("digest").is_none() {
            let help =
                "write the digest of the file, `sha256:` and what `sha256sum` prints: nobody can change it unnoticed";
            table.missing("digest", help, problems);
        }
        return None;
    }
    Some((Source::Url { url: text.to_owned(), digest: digest? }, url.span()))
}

fn from_registry(
    table: &Section<'_>,
    reference: &Spanned<&str>,
    (version, digest): (Option<String>, Option<String>),
    problems: &mut Problems,
) -> Option<(Source, Span)> {
    let text = *reference.get_ref();
    let is_complete = text.split_once('/').is_some_and(|(host, name)| host.contains(['.', ':']) && !name.is_empty())
        || text.starts_with("localhost/");
    if !is_complete || text.contains("://") {
        let problem = Problem::error(codes::SOURCE, reference.span(), "this names no artifact of a registry");
        problems.add(problem.with_help("write the registry and the name in it, as in `ghcr.io/acme/auth`"));
    }
    let has_own = text.contains('@') || text.rsplit('/').next().is_some_and(|last| last.contains(':'));
    if version.is_none() && digest.is_none() && !has_own {
        if table.value("version").is_none() && table.value("digest").is_none() {
            table.missing("version", "write a `version`, or better a `digest`, which nobody can move", problems);
        }
        return None;
    }
    Some((Source::Registry { reference: text.to_owned(), version, digest }, reference.span()))
}
