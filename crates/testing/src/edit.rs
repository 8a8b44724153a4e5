//! What a run learnt, written into the test file; comments and format of the rest stay.
//!
//! In: the text of a file, and what came of its tests, or what servers answered. Out: the new text.

use crate::expect::{Answer, Outcome};
use crate::read;
use serde_json::Value as Json;
use std::fmt::Write;
use toml_edit::{Array, ArrayOfTables, DocumentMut, InlineTable, Item, Table, TableLike, Value};

/// Headers of recorded answers that say nothing to a test: they are about the connection or the moment, or they are secrets.
const LEFT_OUT: &[&str] = &[
    "age",
    "alt-svc",
    "connection",
    "content-length",
    "date",
    "keep-alive",
    "server",
    "set-cookie",
    "strict-transport-security",
    "transfer-encoding",
    "via",
];

/// A file that cannot be written to.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EditError {
    /// It is no TOML any more.
    #[error("the test file cannot be read any more")]
    Syntax(#[source] Box<toml_edit::TomlError>),
    /// It is not the file that was run.
    #[error("the test file has no test number {0} any more")]
    Gone(usize),
    /// The body of an answer is no text.
    #[error("the answer to {0} is no text: keep it in a file, and name that with `file` in the response")]
    Binary(String),
    /// What would be written is no test file.
    #[error("what was learnt cannot be written as a test file: {0}")]
    Unwritable(String),
}

/// What came of one step, to be written as expected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Learnt {
    /// The test's place in the file.
    pub test: usize,
    /// The step's place in the test; absent for a test without `steps`.
    pub step: Option<usize>,
    /// What came of it.
    pub outcome: Outcome,
    /// What was printed.
    pub stdout: Vec<String>,
}

/// Returns the file with what came of tests in the place of what they expect. What a test does not expect is not added, unless it expects
/// nothing.
///
/// # Errors
/// See [`EditError`].
pub fn with_outcomes(text: &str, learnt: &[Learnt]) -> Result<String, EditError> {
    let mut document = document(text)?;
    for one in learnt {
        let gone = EditError::Gone(one.test);
        let test = document.get_mut("test").and_then(|tests| element(tests, one.test));
        let table = match (test, one.step) {
            (Some(test), None) => test,
            (Some(test), Some(step)) => test.get_mut("steps").and_then(|steps| element(steps, step)).ok_or(gone)?,
            (None, _) => return Err(gone),
        };
        learn(table, one);
    }
    checked(document.to_string())
}

fn document(text: &str) -> Result<DocumentMut, EditError> {
    text.parse().map_err(|error| EditError::Syntax(Box::new(error)))
}

/// A file that is written is one that is read.
fn checked(text: String) -> Result<String, EditError> {
    let (suite, problems) = read::parse(&text);
    match suite {
        Some(_) => Ok(text),
        None => {
            Err(EditError::Unwritable(problems.first().map_or_else(String::new, |problem| problem.message.clone())))
        }
    }
}

/// Returns a table of a list, however the list is written.
fn element(item: &mut Item, index: usize) -> Option<&mut dyn TableLike> {
    match item {
        Item::ArrayOfTables(tables) => tables.get_mut(index).map(|table| table as &mut dyn TableLike),
        Item::Value(Value::Array(values)) => {
            values.get_mut(index)?.as_inline_table_mut().map(|table| table as &mut dyn TableLike)
        }
        _ => None,
    }
}

fn learn(table: &mut dyn TableLike, learnt: &Learnt) {
    if table.get("expect").is_none() {
        table.insert("expect", Item::Value(Value::InlineTable(fresh(learnt))));
        return;
    }
    let Some(expect) = table.get_mut("expect").and_then(Item::as_table_like_mut) else { return };
    let keys: Vec<String> = expect.iter().map(|(key, _)| key.to_owned()).collect();
    for key in keys {
        if let Some(value) = now(&key, learnt) {
            replace(expect, &key, value);
        }
    }
    if let (Some(paths), Outcome::Answer(answer)) =
        (expect.get_mut("json-path").and_then(Item::as_table_like_mut), &learnt.outcome)
    {
        let Ok(body) = serde_json::from_slice::<Json>(&answer.body) else { return };
        let keys: Vec<String> = paths.iter().map(|(key, _)| key.to_owned()).collect();
        for key in keys {
            if let Some(value) = crate::json::at(&body, &key) {
                replace(paths, &key, json_value(value));
            }
        }
    }
}

/// Puts a value in the place of another one, with what is around that.
fn replace(table: &mut dyn TableLike, key: &str, mut value: Value) {
    let Some(Item::Value(old)) = table.get_mut(key) else { return };
    *value.decor_mut() = old.decor().clone();
    *old = value;
}

fn fresh(learnt: &Learnt) -> InlineTable {
    let keys: &[&str] = match &learnt.outcome {
        Outcome::Answer(_) => &["status", "body"],
        Outcome::Returned(_) => &["result"],
        Outcome::Exit(_) => &["exit", "stdout"],
        Outcome::Failed(_) | Outcome::Nothing => &[],
    };
    keys.iter().filter_map(|key| Some((*key, now(key, learnt)?))).collect()
}

/// Returns what a key of `expect` would say if it had been expected.
fn now(key: &str, learnt: &Learnt) -> Option<Value> {
    match (key, &learnt.outcome) {
        ("status", Outcome::Answer(answer)) => Some(i64::from(answer.status).into()),
        ("body", Outcome::Answer(answer)) => std::str::from_utf8(&answer.body).ok().map(Value::from),
        ("body-json", Outcome::Answer(answer)) => body_json(answer),
        ("result", Outcome::Returned(result)) => Some(result.as_str().into()),
        ("exit", Outcome::Exit(code)) => Some(i64::from(*code).into()),
        ("stdout", _) => {
            let end = if learnt.stdout.is_empty() { "" } else { "\n" };
            Some(format!("{}{end}", learnt.stdout.join("\n")).into())
        }
        _ => None,
    }
}

fn body_json(answer: &Answer) -> Option<Value> {
    serde_json::from_slice::<Json>(&answer.body).ok().map(|value| json_value(&value))
}

/// Returns JSON as TOML; as the text of the JSON where TOML does not have it.
fn json_value(value: &Json) -> Value {
    converted(value).unwrap_or_else(|| value.to_string().into())
}

fn converted(value: &Json) -> Option<Value> {
    Some(match value {
        Json::Null => return None,
        Json::Bool(value) => (*value).into(),
        Json::Number(number) => match number.as_i64() {
            Some(number) => number.into(),
            None => number.as_f64()?.into(),
        },
        Json::String(text) => text.as_str().into(),
        Json::Array(values) => Value::Array(values.iter().map(converted).collect::<Option<Array>>()?),
        Json::Object(members) => {
            let pairs = members.iter().map(|(key, value)| Some((key.as_str(), converted(value)?)));
            Value::InlineTable(pairs.collect::<Option<InlineTable>>()?)
        }
    })
}

/// Returns the file with recorded answers of servers at its end: method, URL, answer.
///
/// # Errors
/// See [`EditError`].
pub fn with_exchanges(text: &str, exchanges: &[(String, String, Answer)]) -> Result<String, EditError> {
    let mut document = document(text)?;
    let given = document.entry("given").or_insert_with(|| {
        let mut table = Table::new();
        table.set_implicit(true);
        Item::Table(table)
    });
    let unwritable = || EditError::Unwritable("`given.http` is not written as `[[given.http]]`".to_owned());
    let given = given.as_table_like_mut().ok_or_else(unwritable)?;
    let http = given.entry("http").or_insert(Item::ArrayOfTables(ArrayOfTables::new()));
    let http = http.as_array_of_tables_mut().ok_or_else(unwritable)?;
    for (method, url, answer) in exchanges {
        let body = std::str::from_utf8(&answer.body).map_err(|_| EditError::Binary(url.clone()))?;
        let mut table = Table::new();
        let request: InlineTable = [("method", method.as_str()), ("url", url.as_str())].into_iter().collect();
        table.insert("request", Item::Value(request.into()));
        let headers = answer.headers.iter().filter(|(name, _)| !LEFT_OUT.contains(&name.as_str()));
        let mut headers: InlineTable = headers.map(|(name, value)| (name.as_str(), value.as_str())).collect();
        headers.fmt();
        let mut response = InlineTable::new();
        response.insert("status", i64::from(answer.status).into());
        if !headers.is_empty() {
            response.insert("headers", headers.into());
        }
        response.insert("body", body.into());
        table.insert("response", Item::Value(response.into()));
        http.push(table);
    }
    checked(document.to_string())
}

/// Returns what to write for a request that no file has an answer for.
pub fn exchange_as_toml(method: &str, url: &str) -> String {
    let mut text = String::from("[[given.http]]\n");
    let (method, url) = (Value::from(method), Value::from(url));
    let _ = writeln!(text, "request = {{ method = {method}, url = {url} }}");
    text.push_str("response = { status = 200, body = \"\" }\n");
    text
}

#[cfg(test)]
mod tests;
