//! Takes values of the expected types out of a manifest's tables and collects what is wrong with them.
//!
//! Nothing here stops at the first mistake: a value that cannot be used is reported and treated as absent.

use std::time::Duration;

use toml::Spanned;
use toml::de::{DeInteger, DeTable, DeValue};

use crate::codes;
use crate::fields::{self, Kind};
use crate::pattern::PatternError;
use crate::quantity::{parse_duration, parse_size};
use wharf_problem::nearest;
use wharf_problem::{Problem, Severity, Span};

/// The problems found so far.
#[derive(Default)]
pub(crate) struct Problems {
    list: Vec<Problem>,
}

impl Problems {
    pub(crate) fn add(&mut self, problem: Problem) {
        self.list.push(problem);
    }

    /// Reports a text that is no pattern; the range inside the text becomes a place in the file.
    pub(crate) fn add_pattern(&mut self, code: &'static str, text: &Spanned<&str>, error: PatternError) {
        let span = place_in_text(text, &error.range);
        let mut problem = Problem::error(code, span, error.message);
        problem.help = error.help;
        self.add(problem);
    }

    pub(crate) fn have_errors(&self) -> bool {
        self.list.iter().any(|problem| problem.severity == Severity::Error)
    }

    pub(crate) fn into_list(self) -> Vec<Problem> {
        self.list
    }
}

/// Returns where a range of a text's value is in the file.
///
/// Only texts without escapes are as long in the file as their value, give or take the quotes; others are shown whole.
pub(crate) fn place_in_text(text: &Spanned<&str>, range: &Span) -> Span {
    let whole = text.span();
    let quotes = whole.len().checked_sub(text.get_ref().len());
    match quotes {
        Some(2) if !range.is_empty() => whole.start + 1 + range.start..whole.start + 1 + range.end,
        _ => whole,
    }
}

/// One table of the manifest, and which keys it may have.
#[derive(Clone)]
pub(crate) struct Section<'d> {
    table: &'d DeTable<'d>,
    /// The table in [`fields::FIELDS`].
    path: &'static str,
    /// What it is called in messages.
    title: String,
    /// Where it starts.
    pub(crate) span: Span,
}

impl<'d> Section<'d> {
    /// Opens a table and reports the keys that do not belong there.
    pub(crate) fn open(
        table: &'d DeTable<'d>,
        span: Span,
        path: &'static str,
        title: String,
        problems: &mut Problems,
    ) -> Self {
        for key in table.keys() {
            if fields::child(path, key.get_ref()).is_none() {
                problems.add(unknown_key(key, path, &title));
            }
        }
        Self { table, path, title, span }
    }

    /// Returns the value of a key, of whatever type.
    pub(crate) fn value(&self, key: &'static str) -> Option<&'d Spanned<DeValue<'d>>> {
        debug_assert!(fields::child(self.path, key).is_some(), "`{key}` of `{}` is not in the table", self.path);
        self.table.get(key)
    }

    /// Returns where a key is written.
    pub(crate) fn key_span(&self, key: &str) -> Option<Span> {
        self.table.get_key_value(key).map(|(key, _)| key.span())
    }

    pub(crate) fn text(&self, key: &'static str, problems: &mut Problems) -> Option<Spanned<&'d str>> {
        let value = self.value(key)?;
        as_text(value).or_else(|| self.mistyped(key, value, problems))
    }

    pub(crate) fn bool(&self, key: &'static str, problems: &mut Problems) -> Option<Spanned<bool>> {
        let value = self.value(key)?;
        let found = value.get_ref().as_bool().map(|found| Spanned::new(value.span(), found));
        found.or_else(|| self.mistyped(key, value, problems))
    }

    pub(crate) fn integer(&self, key: &'static str, problems: &mut Problems) -> Option<Spanned<u64>> {
        let value = self.value(key)?;
        let DeValue::Integer(integer) = value.get_ref() else {
            return self.mistyped(key, value, problems);
        };
        self.whole(key, value.span(), integer, problems)
    }

    pub(crate) fn size(&self, key: &'static str, problems: &mut Problems) -> Option<Spanned<u64>> {
        let value = self.value(key)?;
        if let DeValue::Integer(bytes) = value.get_ref() {
            return self.whole(key, value.span(), bytes, problems);
        }
        let Some(text) = as_text(value) else {
            return self.mistyped(key, value, problems);
        };
        match parse_size(text.get_ref()) {
            Ok(bytes) => Some(Spanned::new(value.span(), bytes)),
            Err(why) => self.not_a_quantity(key, &text, "size", why, problems),
        }
    }

    pub(crate) fn duration(&self, key: &'static str, problems: &mut Problems) -> Option<Spanned<Duration>> {
        let text = self.text(key, problems)?;
        match parse_duration(text.get_ref()) {
            Ok(duration) => Some(Spanned::new(text.span(), duration)),
            Err(why) => self.not_a_quantity(key, &text, "duration", why, problems),
        }
    }

    /// Returns the texts of a list; entries of other types are reported and left out.
    pub(crate) fn texts(&self, key: &'static str, problems: &mut Problems) -> Vec<Spanned<&'d str>> {
        let mut texts = Vec::new();
        for value in self.list(key, problems) {
            match as_text(value) {
                Some(text) => texts.push(text),
                None => {
                    problems.add(wrong_type(value.span(), &format!("an entry of `{key}`"), "text", value.get_ref()))
                }
            }
        }
        texts
    }

    /// Returns the entries of a list.
    pub(crate) fn list(&self, key: &'static str, problems: &mut Problems) -> Vec<&'d Spanned<DeValue<'d>>> {
        match self.value(key) {
            None => Vec::new(),
            Some(value) => match value.get_ref().as_array() {
                Some(list) => list.iter().collect(),
                None => self.mistyped(key, value, problems).unwrap_or_default(),
            },
        }
    }

    /// Returns the names and texts of a table, in the order of the file.
    pub(crate) fn text_map(
        &self,
        key: &'static str,
        problems: &mut Problems,
    ) -> Vec<(Spanned<&'d str>, Spanned<&'d str>)> {
        let Some(value) = self.value(key) else { return Vec::new() };
        let DeValue::Table(table) = value.get_ref() else {
            return self.mistyped(key, value, problems).unwrap_or_default();
        };
        let mut pairs = Vec::new();
        for (name, value) in entries(table) {
            match as_text(value) {
                Some(text) => pairs.push((name, text)),
                None => {
                    let what = format!("`{}` in `{key}`", name.get_ref());
                    problems.add(wrong_type(value.span(), &what, "text", value.get_ref()));
                }
            }
        }
        pairs
    }

    /// Opens the table under a key.
    pub(crate) fn section(
        &self,
        key: &'static str,
        path: &'static str,
        problems: &mut Problems,
    ) -> Option<Section<'d>> {
        let value = self.value(key)?;
        let DeValue::Table(table) = value.get_ref() else {
            return self.mistyped(key, value, problems);
        };
        let title = if self.title.is_empty() { key.to_owned() } else { format!("{}.{key}", self.title) };
        Some(Section::open(table, value.span(), path, title, problems))
    }

    /// Reports a value whose type does not fit the key.
    pub(crate) fn mistyped<T>(
        &self,
        key: &'static str,
        value: &Spanned<DeValue<'_>>,
        problems: &mut Problems,
    ) -> Option<T> {
        let kind = fields::child(self.path, key).map_or(Kind::Any, |field| field.kind);
        let problem = wrong_type(value.span(), &format!("`{key}`"), kind.words(), value.get_ref());
        problems.add(match (kind, value.get_ref()) {
            (Kind::Tables, DeValue::Table(_)) => problem.with_help(format!("write `[[{}]]`", self.child_title(key))),
            (Kind::Texts, DeValue::String(text)) => problem.with_help(format!("write `[{text:?}]`")),
            (Kind::Text | Kind::Duration, DeValue::Integer(_) | DeValue::Float(_) | DeValue::Boolean(_)) => {
                problem.with_help("put quotes around it")
            }
            _ => problem,
        });
        None
    }

    /// Reports that a key has to be there, unless it probably is and is misspelt.
    pub(crate) fn missing(&self, key: &str, help: &str, problems: &mut Problems) {
        let unknown = self.table.keys().filter(|found| fields::child(self.path, found.get_ref()).is_none());
        if unknown.into_iter().any(|found| nearest(found.get_ref(), [key]).is_some()) {
            return;
        }
        let message = match self.title.as_str() {
            "" => format!("the manifest has no `{key}`"),
            title => format!("`{title}` has no `{key}`"),
        };
        problems.add(Problem::error(codes::MISSING, self.span.clone(), message).with_help(help));
    }

    fn child_title(&self, key: &str) -> String {
        if self.title.is_empty() { key.to_owned() } else { format!("{}.{key}", self.title) }
    }

    fn whole(
        &self,
        key: &'static str,
        span: Span,
        integer: &DeInteger<'_>,
        problems: &mut Problems,
    ) -> Option<Spanned<u64>> {
        if let Ok(number) = u64::from_str_radix(integer.as_str(), integer.radix()) {
            return Some(Spanned::new(span, number));
        }
        let why = if integer.as_str().starts_with('-') { "is below zero" } else { "is too large" };
        problems.add(Problem::error(codes::BOUNDS, span, format!("`{key}` {why}")));
        None
    }

    fn not_a_quantity<T>(
        &self,
        key: &str,
        text: &Spanned<&str>,
        what: &str,
        why: &str,
        problems: &mut Problems,
    ) -> Option<T> {
        let problem = Problem::error(codes::QUANTITY, text.span(), format!("`{key}` is not a valid {what}"));
        problems.add(problem.with_label(why));
        None
    }
}

/// Returns a table's keys and values, in the order of the file.
pub(crate) fn entries<'d>(table: &'d DeTable<'d>) -> Vec<(Spanned<&'d str>, &'d Spanned<DeValue<'d>>)> {
    let mut entries: Vec<_> =
        table.iter().map(|(key, value)| (Spanned::new(key.span(), key.get_ref().as_ref()), value)).collect();
    entries.sort_by_key(|(key, _)| key.span().start);
    entries
}

/// Returns the text that a value is.
pub(crate) fn as_text<'d>(value: &'d Spanned<DeValue<'d>>) -> Option<Spanned<&'d str>> {
    value.get_ref().as_str().map(|text| Spanned::new(value.span(), text))
}

/// Returns the problem of a value whose type does not fit.
pub(crate) fn wrong_type(span: Span, what: &str, expected: &str, found: &DeValue<'_>) -> Problem {
    let found = match found {
        DeValue::String(_) => "a text",
        DeValue::Integer(_) => "a number",
        DeValue::Float(_) => "a fraction",
        DeValue::Boolean(_) => "`true` or `false`",
        DeValue::Datetime(_) => "a date or time",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    };
    let message = format!("{what} has the wrong type");
    Problem::error(codes::TYPE, span, message).with_label(format!("expected {expected}, found {found}"))
}

fn unknown_key(key: &Spanned<impl AsRef<str>>, path: &'static str, title: &str) -> Problem {
    let name = key.get_ref().as_ref();
    let place = if title.is_empty() { "at the top of the manifest".to_owned() } else { format!("in `{title}`") };
    let problem = Problem::error(codes::UNKNOWN_KEY, key.span(), format!("unknown key `{name}` {place}"));
    let known: Vec<&str> = fields::children(path).map(|field| field.split().1).collect();
    if let Some(meant) = nearest(name, known.iter().copied()) {
        return problem.with_label(format!("did you mean `{meant}`?"));
    }
    let elsewhere = fields::FIELDS.iter().find(|field| field.split().1 == name && !field.split().0.is_empty());
    if let Some(field) = elsewhere {
        let table = field.split().0.replace('*', "NAME");
        return problem.with_label("not known here").with_help(format!("`{name}` is a key of `{table}`"));
    }
    let listed: Vec<String> = known.iter().map(|key| format!("`{key}`")).collect();
    problem.with_label("not known").with_help(format!("the keys here are {}", listed.join(", ")))
}
