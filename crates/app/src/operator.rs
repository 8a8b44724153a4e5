//! The operator's file, `node.toml`: where the labels of apps are.
//!
//! Pure like the manifest: whoever reads the file fetches what [`Elsewhere`] names and calls [`OperatorBinding::resolve`].

use std::collections::BTreeMap;
use std::time::Duration;

use toml::de::{DeTable, DeValue};
use toml::{Spanned, Table, Value};

use crate::codes;
use crate::grant::check_label;
use crate::parse::syntax_problems;
use crate::quantity::{parse_duration, parse_size};
use crate::read::{as_text, entries, wrong_type};
use wharf_problem::nearest;
use wharf_problem::{Problem, Severity, Span};

/// Capabilities whose labels can be bound.
const CAPABILITIES: &[&str] = &["blobstore", "keyvalue", "messaging", "secrets", "sql"];

/// The one capability without labels that has settings.
const HTTP: &str = "http";

/// Bytes that the file may have.
const LEN_MAX: usize = 1 << 20;

/// What an operator says.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Operator {
    /// In the order of the file.
    pub bindings: Vec<OperatorBinding>,
    /// How requests to servers are made: the table `[http]`, which only outbound HTTP understands.
    pub http: Table,
    /// What differs for an app: the tables `[app.NAME.http]`.
    pub app_http: BTreeMap<String, Table>,
}

/// What one label is bound to.
#[derive(Clone, Debug, PartialEq)]
pub struct OperatorBinding {
    /// The capability, such as `keyvalue`.
    pub capability: &'static str,
    /// The app whose label it is; absent for that label of every app.
    pub app: Option<String>,
    /// The label.
    pub label: String,
    /// The backend.
    pub backend: String,
    /// A namespace that several labels share.
    pub namespace: Option<String>,
    /// Time of one call.
    pub timeout: Option<Duration>,
    /// Calls at once.
    pub concurrency: Option<u32>,
    /// Bytes of one value, object, row or message.
    pub size_bytes: Option<u64>,
    /// What the backend reads.
    pub settings: Table,
    /// Where the file has it.
    pub span: Span,
}

/// A value that is kept elsewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Elsewhere<'a> {
    /// In an environment variable of the node.
    Env(&'a str),
    /// In a file; a line break at its end does not belong to the value.
    File(&'a str),
}

impl Operator {
    /// Puts values in the place of `{ env = "NAME" }` and `{ file = "PATH" }`.
    ///
    /// # Errors
    ///
    /// The first that `fetch` cannot get, with the name of the table that needs it.
    pub fn resolve<E>(&mut self, mut fetch: impl FnMut(Elsewhere<'_>) -> Result<String, E>) -> Result<(), (String, E)> {
        for binding in &mut self.bindings {
            let resolved = resolve_table(&mut binding.settings, &mut fetch);
            resolved.map_err(|error| (binding.title(), error))?;
        }
        resolve_table(&mut self.http, &mut fetch).map_err(|error| (HTTP.to_owned(), error))?;
        for (app, table) in &mut self.app_http {
            resolve_table(table, &mut fetch).map_err(|error| (format!("app.{app}.{HTTP}"), error))?;
        }
        Ok(())
    }
}

impl OperatorBinding {
    /// Returns the name of its table in the file.
    fn title(&self) -> String {
        let own = format!("{}.{}", self.capability, self.label);
        self.app.as_ref().map_or(own.clone(), |app| format!("app.{app}.{own}"))
    }
}

fn resolve_table<E>(table: &mut Table, fetch: &mut impl FnMut(Elsewhere<'_>) -> Result<String, E>) -> Result<(), E> {
    for (_, value) in table.iter_mut() {
        let Value::Table(inner) = value else { continue };
        match elsewhere(inner) {
            Some(place) => *value = Value::String(fetch(place)?),
            None => resolve_table(inner, fetch)?,
        }
    }
    Ok(())
}

fn elsewhere(table: &Table) -> Option<Elsewhere<'_>> {
    let mut keys = table.iter();
    let (key, value) = keys.next().filter(|_| keys.next().is_none())?;
    match (key.as_str(), value.as_str()?) {
        ("env", name) => Some(Elsewhere::Env(name)),
        ("file", path) => Some(Elsewhere::File(path)),
        _ => None,
    }
}

/// Reads an operator's file and finds everything that is wrong with it, as far as it can be told without the backends.
///
/// What it says is there if and only if no problem is an error.
pub fn parse_operator(text: &str) -> (Option<Operator>, Vec<Problem>) {
    if text.len() > LEN_MAX {
        return (None, vec![Problem::error(codes::TOO_LONG, 0..0, "the file is longer than 1 MiB")]);
    }
    let (document, errors) = DeTable::parse_recoverable(text);
    if !errors.is_empty() {
        return (None, syntax_problems(text, &errors));
    }
    let mut reader = Reader::default();
    reader.file(document.get_ref());
    let mut problems = reader.problems;
    problems.sort_by_key(|problem| problem.span.start);
    let sound = problems.iter().all(|problem| problem.severity == Severity::Warning);
    (sound.then_some(reader.operator), problems)
}

#[derive(Default)]
struct Reader {
    operator: Operator,
    problems: Vec<Problem>,
}

impl Reader {
    fn file(&mut self, table: &DeTable<'_>) {
        for (key, value) in entries(table) {
            if *key.get_ref() == "app" {
                let Some(apps) = self.table(value, "`app`") else { continue };
                for (app, value) in entries(apps) {
                    let Some(capabilities) = self.table(value, &format!("`app.{}`", app.get_ref())) else { continue };
                    for (key, value) in entries(capabilities) {
                        self.capability(&key, value, Some(app.get_ref()));
                    }
                }
            } else {
                self.capability(&key, value, None);
            }
        }
    }

    fn capability(&mut self, key: &Spanned<&str>, value: &Spanned<DeValue<'_>>, app: Option<&str>) {
        if *key.get_ref() == HTTP {
            let Some(table) = self.table(value, "`http`") else { return };
            let table = plain_table(table);
            match app {
                Some(app) => _ = self.operator.app_http.insert(app.to_owned(), table),
                None => self.operator.http = table,
            }
            return;
        }
        let Some(capability) = CAPABILITIES.iter().find(|known| *known == key.get_ref()) else {
            let message = format!("unknown capability `{}`", key.get_ref());
            let problem = Problem::error(codes::UNKNOWN_KEY, key.span(), message);
            self.problems.push(match nearest(key.get_ref(), CAPABILITIES.iter().copied()) {
                Some(meant) => problem.with_label(format!("did you mean `{meant}`?")),
                None => problem.with_help(format!("labels of {} can be bound", CAPABILITIES.join(", "))),
            });
            return;
        };
        let Some(labels) = self.table(value, &format!("`{capability}`")) else { return };
        for (label, value) in entries(labels) {
            if let Err(error) = check_label(label.get_ref()) {
                self.problems.push(Problem::error(codes::LABEL, label.span(), error.to_string()));
                continue;
            }
            let title = format!("`{capability}.{}`", label.get_ref());
            let Some(table) = self.table(value, &title) else { continue };
            let binding = OperatorBinding {
                capability,
                app: app.map(str::to_owned),
                label: (*label.get_ref()).to_owned(),
                backend: String::new(),
                namespace: None,
                timeout: None,
                concurrency: None,
                size_bytes: None,
                settings: Table::new(),
                span: label.span(),
            };
            self.binding(binding, table, &title);
        }
    }

    fn binding(&mut self, mut binding: OperatorBinding, table: &DeTable<'_>, title: &str) {
        for (key, value) in entries(table) {
            let key = *key.get_ref();
            match key {
                "backend" => binding.backend = self.text(key, value).unwrap_or_default(),
                "namespace" => binding.namespace = self.text(key, value),
                "timeout" => binding.timeout = self.quantity(key, value, parse_duration),
                "size" => binding.size_bytes = self.quantity(key, value, parse_size),
                "concurrency" => binding.concurrency = self.count(key, value),
                _ => {
                    binding.settings.insert(key.to_owned(), plain(value.get_ref()));
                }
            }
        }
        if !table.contains_key("backend") {
            let problem = Problem::error(codes::MISSING, binding.span.clone(), format!("{title} has no `backend`"));
            self.problems
                .push(problem.with_help("write `backend = \"redis\"`, or another of the capability's backends"));
        }
        self.operator.bindings.push(binding);
    }

    fn table<'d>(&mut self, value: &'d Spanned<DeValue<'d>>, what: &str) -> Option<&'d DeTable<'d>> {
        match value.get_ref() {
            DeValue::Table(table) => Some(table),
            other => {
                self.problems.push(wrong_type(value.span(), what, "table", other));
                None
            }
        }
    }

    fn text(&mut self, key: &str, value: &Spanned<DeValue<'_>>) -> Option<String> {
        let text = as_text(value).map(|text| (*text.get_ref()).to_owned());
        if text.is_none() {
            self.problems.push(wrong_type(value.span(), &format!("`{key}`"), "text", value.get_ref()));
        }
        text
    }

    fn quantity<T>(
        &mut self,
        key: &str,
        value: &Spanned<DeValue<'_>>,
        parse: fn(&str) -> Result<T, &'static str>,
    ) -> Option<T> {
        let text = self.text(key, value)?;
        parse(&text)
            .map_err(|why| {
                let problem = Problem::error(codes::QUANTITY, value.span(), format!("`{key}` cannot be `{text}`"));
                self.problems.push(problem.with_label(why));
            })
            .ok()
    }

    fn count(&mut self, key: &str, value: &Spanned<DeValue<'_>>) -> Option<u32> {
        let number = value.get_ref().as_integer().and_then(|integer| {
            u32::from_str_radix(integer.as_str(), integer.radix()).ok().filter(|number| *number > 0)
        });
        if number.is_none() {
            let message = format!("`{key}` is a whole number above zero");
            self.problems.push(Problem::error(codes::BINDING, value.span(), message));
        }
        number
    }
}

/// Returns a value without its places.
fn plain(value: &DeValue<'_>) -> Value {
    match value {
        DeValue::String(text) => Value::String(text.to_string()),
        DeValue::Integer(integer) => {
            // A number past 64 bits is no setting of anything; as a text it fails where the backend reads it.
            let number = i64::from_str_radix(integer.as_str(), integer.radix());
            number.map_or_else(|_| Value::String(integer.as_str().to_owned()), Value::Integer)
        }
        DeValue::Float(float) => {
            float.as_str().parse().map_or_else(|_| Value::String(float.as_str().to_owned()), Value::Float)
        }
        DeValue::Boolean(boolean) => Value::Boolean(*boolean),
        DeValue::Datetime(datetime) => Value::Datetime(*datetime),
        DeValue::Array(list) => Value::Array(list.iter().map(|value| plain(value.get_ref())).collect()),
        DeValue::Table(table) => Value::Table(plain_table(table)),
    }
}

fn plain_table(table: &DeTable<'_>) -> Table {
    table.iter().map(|(key, value)| (key.get_ref().to_string(), plain(value.get_ref()))).collect()
}

#[cfg(test)]
mod tests;
