//! The parser's errors in words that say what to write.

use std::collections::BTreeSet;

use wharf_app::{Problem, nearest};
use wit_parser::{PackageName, ResolveErrorKind};

use crate::finding::{MISFIT, MISSING_PACKAGE, SYNTAX, UNKNOWN_NAME};
use crate::parse::{Mistake, MistakeKind, Place};
use crate::scan::{definitions, references};
use crate::{Finding, SourceFile};

/// How many versions or packages are listed.
const LISTED_MAX: usize = 6;

/// Returns a mistake with its place and what to do.
pub(crate) fn finding(mistake: &Mistake, place: &Place, groups: &[&[SourceFile]]) -> Finding {
    let text = groups.iter().copied().flatten().find(|file| file.name == place.file).map_or("", |file| &file.text);
    let at = place.range.clone();
    let words = mistake.words();
    let word = text.get(at.clone()).unwrap_or_default();
    let problem = if mistake.is_unknown_name() {
        let known: Vec<&str> = groups.iter().copied().flatten().flat_map(|file| definitions(&file.text)).collect();
        let meant = nearest(word, known.into_iter().filter(|known| *known != word && word.len() > 2));
        let problem = Problem::error(UNKNOWN_NAME, at, words.clone());
        match meant {
            Some(meant) => problem.with_label(format!("did you mean `{meant}`?")),
            None => problem,
        }
    } else {
        let code = match &mistake.kind {
            MistakeKind::Parse(_) => SYNTAX,
            MistakeKind::Resolve(_) => MISFIT,
        };
        Problem::error(code, at, words.clone())
    };
    let problem = match help(mistake, &words, text, place) {
        Some(help) => problem.with_help(help),
        None => problem,
    };
    Finding { file: place.file.clone(), problem }
}

fn help(mistake: &Mistake, words: &str, text: &str, place: &Place) -> Option<String> {
    if let MistakeKind::Resolve(error) = &mistake.kind {
        return Some(match error.kind() {
            ResolveErrorKind::DuplicatePackage { name, .. } => {
                format!("keep one of the files or folders that declare `{name}`")
            }
            ResolveErrorKind::PackageCycle { .. } => {
                "move what both packages need into a third one that both use".to_owned()
            }
            ResolveErrorKind::ItemShadowing { .. } => {
                "rename one of them where it is included: `include w with { a as b };`".to_owned()
            }
            _ if words.contains("unreleased version") => {
                "raise the version of the package, or gate the item with `@unstable(feature = name)`".to_owned()
            }
            _ => return None,
        });
    }
    let rest = text.get(place.range.start..).unwrap_or_default();
    let word: String = rest.chars().take_while(|c| c.is_alphanumeric() || matches!(c, '-' | '_')).collect();
    if words.contains("found keyword") {
        return Some(format!("`{word}` is a word of WIT; a name may be one when it is written `%{word}`"));
    }
    if words.contains("invalid character in identifier")
        || rest.starts_with('_')
        || words.contains("unexpected character '_'")
    {
        let start = text.get(..place.range.start)?;
        let begin = start.rfind(|c: char| !(c.is_alphanumeric() || matches!(c, '-' | '_'))).map_or(0, |at| at + 1);
        let name: String =
            text.get(begin..)?.chars().take_while(|c| c.is_alphanumeric() || matches!(c, '-' | '_')).collect();
        return Some(format!("names are words in lower case joined by `-`: `{}`", kebab(&name)));
    }
    if words.contains("empty `use` list") || !words.contains("expected") {
        return None;
    }
    words.contains("';'").then(|| "statements end with `;`".to_owned())
}

/// Returns the name as WIT writes it: `MyName` and `my_name` are `my-name`.
fn kebab(name: &str) -> String {
    let mut out = String::new();
    for c in name.chars() {
        let is_border = c.is_uppercase() || matches!(c, '_' | '-');
        if is_border && !out.is_empty() && !out.ends_with('-') {
            out.push('-');
        }
        if !matches!(c, '_' | '-') {
            out.extend(c.to_lowercase());
        }
    }
    out
}

/// Returns that a package is not there, at the first place that names it.
pub(crate) fn missing(groups: &[&[SourceFile]], name: &PackageName, known: &BTreeSet<PackageName>) -> Option<Finding> {
    let version = name.version.as_ref().map(ToString::to_string);
    let is_it = |reference: &crate::Reference| {
        !reference.is_declaration
            && reference.namespace == name.namespace
            && reference.package == name.name
            && reference.version == version
    };
    let mut places = groups.iter().copied().flatten().flat_map(|file| {
        references(&file.text).into_iter().filter(is_it).map(move |reference| (&file.name, reference.range))
    });
    let (file, at) = places.next()?;
    let more = places.count();
    let problem = Problem::error(MISSING_PACKAGE, at, format!("the package `{name}` is not there"));
    let label = if more == 0 { String::new() } else { format!("and in {more} more places") };
    Some(Finding { file: file.clone(), problem: problem.with_label(label).with_help(advice(name, known)) })
}

fn advice(name: &PackageName, known: &BTreeSet<PackageName>) -> String {
    let of_name = |other: &&PackageName| other.namespace == name.namespace && other.name == name.name;
    let versions: Vec<String> =
        known.iter().filter(of_name).take(LISTED_MAX).map(|other| format!("`{other}`")).collect();
    if !versions.is_empty() {
        let there = versions.join(", ");
        return format!(
            "{there} is there, and versions are taken as written: write it so, or fetch this one with `wharf wit fetch`"
        );
    }
    let written = |name: &PackageName| format!("{}:{}", name.namespace, name.name);
    let others: Vec<(String, &PackageName)> = known.iter().map(|other| (written(other), other)).collect();
    let meant = nearest(&written(name), others.iter().map(|(text, _)| text.as_str()));
    match others.iter().find(|(text, _)| Some(text.as_str()) == meant) {
        Some((_, other)) => format!("did you mean `{other}`?"),
        None => "fetch it with `wharf wit fetch`, or put its files into `deps`".to_owned(),
    }
}
