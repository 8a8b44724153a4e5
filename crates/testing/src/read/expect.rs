//! What is expected.

use super::{Reader, convert};
use crate::expect::{Expect, Sent, Wanted};
use crate::file::{self, Presence};
use crate::json;
use regex::{Regex, RegexBuilder};
use std::collections::BTreeMap;
use toml::Spanned;

/// Bytes that a compiled pattern may have.
const PATTERN_BYTES_MAX: usize = 1 << 20;

/// The label that is meant where none is said.
const DEFAULT: &str = "default";

impl Reader {
    pub(super) fn expect(&mut self, expect: file::Expect) -> Expect {
        let status = expect.status.map(|status| self.status(&status));
        let body_matches = expect.body_matches.and_then(|pattern| self.pattern(&pattern));
        let mut json_path = Vec::new();
        for (path, value) in expect.json_path {
            if let Err(why) = json::check_path(path.get_ref()) {
                let help = "write a path such as \"items[0].name\"";
                self.help(path.span(), format!("this is no path into JSON: {why}"), help);
            }
            json_path.push((path.into_inner(), convert::json(value)));
        }
        Expect {
            status,
            headers: headers(expect.headers),
            body: expect.body,
            body_file: expect.body_file,
            body_contains: expect.body_contains.into(),
            body_matches,
            body_json: expect.body_json.map(convert::json),
            json_path,
            stdout: expect.stdout,
            stdout_contains: expect.stdout_contains.into(),
            exit: expect.exit,
            result: expect.result,
            log_contains: expect.log_contains.into(),
            trap: expect.trap,
            keyvalue: by_label(expect.keyvalue),
            blob: by_label(expect.blob),
            sql: expect.sql.into_iter().map(query).collect(),
            http_requests: expect.http_requests.map(|all| all.into_iter().map(request).collect()),
            messages: expect.messages.map(|all| all.into_iter().map(message).collect()),
        }
    }

    fn pattern(&mut self, pattern: &Spanned<String>) -> Option<Regex> {
        match RegexBuilder::new(pattern.get_ref()).size_limit(PATTERN_BYTES_MAX).build() {
            Ok(regex) => Some(regex),
            Err(error) => {
                let text = error.to_string();
                let why = text.lines().last().unwrap_or_default().trim_start_matches("error: ");
                self.error(pattern.span(), format!("this is no regular expression: {why}"));
                None
            }
        }
    }
}

fn wanted(presence: Presence) -> Wanted {
    match presence {
        Presence::Text(text) => Wanted::Text(text),
        Presence::Is(true) => Wanted::Any,
        Presence::Is(false) => Wanted::Absent,
    }
}

fn headers(headers: BTreeMap<String, Presence>) -> Vec<(String, Wanted)> {
    headers.into_iter().map(|(name, presence)| (name.to_ascii_lowercase(), wanted(presence))).collect()
}

fn by_label(labels: BTreeMap<String, BTreeMap<String, Presence>>) -> Vec<(String, String, Wanted)> {
    let of = |(label, keys): (String, BTreeMap<String, Presence>)| {
        keys.into_iter().map(move |(key, presence)| (label.clone(), key, wanted(presence)))
    };
    labels.into_iter().flat_map(of).collect()
}

fn query(query: file::Query) -> (String, String, Vec<Vec<serde_json::Value>>) {
    let rows = query.rows.into_iter().map(|row| row.into_iter().map(convert::json).collect()).collect();
    (query.label.unwrap_or_else(|| DEFAULT.to_owned()), query.query, rows)
}

fn request(sent: file::Sent) -> Sent {
    Sent {
        kind: sent.method.unwrap_or_else(|| "GET".to_owned()),
        to: sent.url,
        headers: headers(sent.headers),
        body: sent.body,
        body_contains: sent.body_contains.into(),
        body_json: sent.body_json.map(convert::json),
    }
}

fn message(sent: file::Message) -> Sent {
    Sent {
        kind: sent.label.unwrap_or_else(|| DEFAULT.to_owned()),
        to: sent.topic,
        headers: Vec::new(),
        body: sent.body,
        body_contains: sent.body_contains.into(),
        body_json: sent.body_json.map(convert::json),
    }
}
