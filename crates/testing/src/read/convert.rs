//! What is given, and what fails.

use super::{Reader, quoted};
use crate::file;
use crate::suite::{Blob, Body, CALLS, Error, Fault, Given, HttpAnswer, Key, Settings, Sql};
use serde_json::Value as Json;
use std::time::Duration;
use toml::{Spanned, Value};
use wharf_app::nearest;

/// The label that is meant where none is said.
const DEFAULT: &str = "default";

fn label(label: Option<String>) -> String {
    label.unwrap_or_else(|| DEFAULT.to_owned())
}

/// Returns a TOML value as JSON. A text that is an object or a list of JSON stands for that: TOML has no `null`.
pub(super) fn json(value: Value) -> Json {
    match value {
        Value::String(text) => {
            let is_structure = text.trim_start().starts_with(['{', '[']);
            let parsed = if is_structure { serde_json::from_str(&text).ok() } else { None };
            parsed.unwrap_or(Json::String(text))
        }
        other => plain(other),
    }
}

fn plain(value: Value) -> Json {
    match value {
        Value::String(text) => Json::String(text),
        Value::Integer(number) => number.into(),
        Value::Float(number) => serde_json::Number::from_f64(number).map_or(Json::Null, Json::Number),
        Value::Boolean(value) => Json::Bool(value),
        Value::Datetime(time) => Json::String(time.to_string()),
        Value::Array(values) => Json::Array(values.into_iter().map(plain).collect()),
        Value::Table(table) => Json::Object(table.into_iter().map(|(key, value)| (key, plain(value))).collect()),
    }
}

impl Reader {
    pub(super) fn settings(&mut self, settings: file::Settings) -> Settings {
        Settings {
            variables: settings.variables,
            secrets: settings.secrets,
            clock: settings.clock.and_then(|clock| self.clock(&clock)),
            seed: settings.seed,
            timeout: settings.timeout.map(|timeout| self.duration(&timeout)),
        }
    }

    /// Reads a point in time, with or without quotes.
    fn clock(&mut self, clock: &Spanned<Value>) -> Option<Duration> {
        let text = match clock.get_ref() {
            Value::String(text) => text.clone(),
            Value::Datetime(time) => time.to_string(),
            _ => String::new(),
        };
        let timestamp = text.parse::<jiff::Timestamp>().ok();
        let since = timestamp.and_then(|timestamp| Duration::try_from(timestamp.as_duration()).ok());
        if since.is_none() {
            let help = "write a time with a zone and not before 1970, as in \"2026-01-31T12:00:00Z\"";
            self.help(clock.span(), "this is no point in time", help);
        }
        since
    }

    pub(super) fn given(&mut self, given: file::Given) -> Given {
        let sql = |one: file::Sql| Sql { label: label(one.label), statements: one.statements.into() };
        Given {
            keyvalue: given.keyvalue.into_iter().map(|one| self.key(one)).collect(),
            blob: given.blob.into_iter().map(|one| self.blob(one)).collect(),
            sql: given.sql.into_iter().map(sql).collect(),
            http: given.http.into_iter().map(|one| self.http(one)).collect(),
        }
    }

    fn key(&mut self, key: file::Key) -> Key {
        let value = self.body(0..0, "`given.keyvalue`", (key.value, key.value_json, key.file));
        Key { label: label(key.label), key: key.key, value }
    }

    fn blob(&mut self, blob: file::Blob) -> Blob {
        let body = self.body(0..0, "`given.blob`", (blob.body, None, blob.file));
        Blob { label: label(blob.label), container: blob.container, name: blob.name, body }
    }

    /// Returns a body that is given in one of three ways, or not at all.
    pub(super) fn body(
        &mut self,
        span: wharf_app::Span,
        what: &str,
        (text, value, file): (Option<String>, Option<Value>, Option<String>),
    ) -> Body {
        match (text, value, file) {
            (None, None, None) => Body::default(),
            (Some(text), None, None) => Body::Text(text),
            (None, Some(value), None) => Body::Text(json(value).to_string()),
            (None, None, Some(file)) => Body::File(file),
            _ => {
                self.error(span, format!("a body of {what} is given in one way: as text, as JSON or as a file"));
                Body::default()
            }
        }
    }

    fn http(&mut self, http: file::Http) -> HttpAnswer {
        let file::Http { request, response } = http;
        let span = request.url.span();
        let url = request.url.into_inner();
        if !url.starts_with("http://") && !url.starts_with("https://") && !url.starts_with('*') {
            self.help(span.clone(), "this is no URL", "write the whole URL, as in \"https://api.example.com/v1/*\"");
        }
        let status = response.status.map_or(200, |status| self.status(&status));
        HttpAnswer {
            method: self.method(request.method),
            url,
            body_contains: request.body_contains.into(),
            status,
            headers: self.headers(response.headers),
            body: self.body(span, "`given.http`", (response.body, response.body_json, response.file)),
        }
    }

    pub(super) fn fault(&mut self, fault: file::Fault) -> Option<Fault> {
        let span = fault.call.span();
        let call = fault.call.get_ref();
        let (capability, operation) = call.split_once('.').unwrap_or((call, "*"));
        let Some((_, operations)) = CALLS.iter().find(|(known, _)| *known == capability) else {
            let known: Vec<&str> = CALLS.iter().map(|(capability, _)| *capability).collect();
            let message = format!("there are no calls of `{capability}` that could fail");
            self.unknown(span, message, capability, &known);
            return None;
        };
        if operation != "*" && !operations.contains(&operation) {
            let message = format!("`{capability}` has no call `{operation}`");
            self.unknown(span, message, operation, operations);
            return None;
        }
        if fault.error.is_none() && fault.delay.is_none() {
            self.help(span.clone(), "this call neither fails nor is slow", "add `error = \"unavailable\"` or `delay`");
        }
        if let Some(nth) = fault.nth.as_ref().filter(|nth| *nth.get_ref() == 0) {
            self.error(nth.span(), "calls are counted from 1 on");
        }
        if let Some(url) = fault.url.as_ref().filter(|_| capability != "http") {
            self.error(url.span(), "only calls of `http` have a URL");
        }
        Some(Fault {
            capability: capability.to_owned(),
            operation: (operation != "*").then(|| operation.to_owned()),
            label: fault.label,
            url: fault.url.map(Spanned::into_inner),
            nth: fault.nth.map(Spanned::into_inner),
            error: fault.error.and_then(|error| self.fault_error(&error)),
            delay: fault.delay.map(|delay| self.duration(&delay)),
        })
    }

    fn fault_error(&mut self, error: &Spanned<String>) -> Option<Error> {
        let all = [
            ("unavailable", Error::Unavailable),
            ("timeout", Error::Timeout),
            ("failed", Error::Failed),
            ("busy", Error::Busy),
        ];
        let found = all.iter().find(|(name, _)| name == error.get_ref()).map(|(_, error)| *error);
        if found.is_none() {
            let known: Vec<&str> = all.iter().map(|(name, _)| *name).collect();
            let message = format!("a call cannot fail with `{}`", error.get_ref());
            self.unknown(error.span(), message, error.get_ref(), &known);
        }
        found
    }

    pub(super) fn unknown(&mut self, span: wharf_app::Span, message: String, word: &str, known: &[&str]) {
        match nearest(word, known.iter().copied()) {
            Some(meant) => self.help(span, message, format!("did you mean `{meant}`?")),
            None => self.help(span, message, format!("there are {}", quoted(known))),
        }
    }
}
