//! Whether what was expected came true, and where not, what was different.

use crate::expect::{Answer, Exchange, Expect, Observed, Outcome, Sent, Wanted};
use crate::{glob, json};
use serde_json::Value as Json;
use similar::{ChangeTag, TextDiff};

/// Lines of two texts that are compared line by line; comparing costs their product.
const DIFF_LINES_MAX: usize = 2000;

/// Lines of a difference that are told.
const SHOWN_LINES_MAX: usize = 60;

/// One thing that was not as expected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mismatch {
    /// The key of the test file that says what was expected; with what was expected and what there was, if both are short.
    pub what: String,
    /// More about it.
    pub lines: Vec<Line>,
}

/// A line of a difference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Line {
    /// In both.
    Same(String),
    /// Expected and not there.
    Expected(String),
    /// There and not expected.
    Got(String),
    /// Something about it.
    Note(String),
}

/// Compares what a test expects with what there was. Nothing expected: the step may not fail.
pub fn compare(expect: Option<&Expect>, got: &Observed) -> Vec<Mismatch> {
    let nothing = Expect::default();
    let expect = expect.unwrap_or(&nothing);
    let mut found = Vec::new();
    outcome(expect, got, &mut found);
    texts("stdout-contains", &expect.stdout_contains, &got.stdout.join("\n"), &mut found);
    if let Some(stdout) = &expect.stdout {
        // Whether the last line has an end is not known of what was printed by lines.
        text("stdout", stdout.strip_suffix('\n').unwrap_or(stdout), &got.stdout.join("\n"), &mut found);
    }
    texts("log-contains", &expect.log_contains, &got.log.join("\n"), &mut found);
    failures(expect, got, &mut found);
    for (label, key, wanted) in &expect.keyvalue {
        let value = got.keyvalue.get(&(label.clone(), key.clone())).and_then(Option::as_deref);
        presence(&format!("keyvalue.{label}.{key}"), wanted, value.map(lossy).as_deref(), &mut found);
    }
    for (label, name, wanted) in &expect.blob {
        let bytes = got.blob.get(&(label.clone(), name.clone())).and_then(Option::as_deref);
        presence(&format!("blob.{label}.{name}"), wanted, bytes.map(lossy).as_deref(), &mut found);
    }
    for (label, query, rows) in &expect.sql {
        let got = got.sql.get(&(label.clone(), query.clone())).cloned().unwrap_or_default();
        json_value(&format!("sql {label}: {query}"), &rows_json(rows), &rows_json(&got), &mut found);
    }
    if let Some(expected) = &expect.http_requests {
        sent("http-requests", expected, &got.http_requests, &mut found);
    }
    if let Some(expected) = &expect.messages {
        sent("messages", expected, &got.messages, &mut found);
    }
    found
}

fn outcome(expect: &Expect, got: &Observed, found: &mut Vec<Mismatch>) {
    match &got.outcome {
        Outcome::Answer(answer) => response(expect, answer, got, found),
        Outcome::Returned(result) => {
            if let Some(expected) = &expect.result {
                short("result", expected.trim(), result, found);
            }
        }
        Outcome::Exit(code) => {
            let expected = expect.exit.unwrap_or(0);
            short("exit", &expected.to_string(), &code.to_string(), found);
        }
        // A failure that is expected is compared with the others.
        Outcome::Failed(why) if expect.trap.is_none() => note("it failed", why, found),
        Outcome::Failed(_) | Outcome::Nothing => {}
    }
}

fn response(expect: &Expect, answer: &Answer, got: &Observed, found: &mut Vec<Mismatch>) {
    match expect.status {
        Some(expected) => short("status", &expected.to_string(), &answer.status.to_string(), found),
        None if answer.status >= 500 && expect.trap.is_none() => {
            note("status", &format!("{}, and the test expects no error", answer.status), found);
        }
        None => {}
    }
    for (name, wanted) in &expect.headers {
        presence(&format!("headers.{name}"), wanted, header(&answer.headers, name).as_deref(), found);
    }
    if let (Some(why), None) = (&answer.broken, &expect.trap) {
        note("the body broke off", why, found);
    }
    let body = lossy(&answer.body);
    let before = found.len();
    if let Some(expected) = &expect.body {
        text("body", expected, &body, found);
    }
    if let Some(expected) = got.body_file.as_ref().filter(|expected| **expected != answer.body) {
        text(&format!("body-file {}", expect.body_file.as_deref().unwrap_or("")), &lossy(expected), &body, found);
    }
    texts("body-contains", &expect.body_contains, &body, found);
    if let Some(pattern) = expect.body_matches.as_ref().filter(|pattern| !pattern.is_match(&body)) {
        found.push(Mismatch { what: format!("body-matches: no part fits {pattern}"), lines: got_lines(&body) });
    }
    json_body(expect, &body, found);
    // The first thing to know of a wrong status is what was said with it.
    let status_alone = before > 0 && found.len() == before && !body.is_empty();
    let is_wrong = status_alone && expect.status.is_some_and(|status| status != answer.status);
    if let Some(first) = found.first_mut().filter(|_| is_wrong) {
        first.lines = got_lines(&body);
    }
}

fn json_body(expect: &Expect, body: &str, found: &mut Vec<Mismatch>) {
    if expect.body_json.is_none() && expect.json_path.is_empty() {
        return;
    }
    let value: Json = match serde_json::from_str(body) {
        Ok(value) => value,
        Err(error) => {
            found.push(Mismatch { what: format!("body-json: the body is no JSON: {error}"), lines: got_lines(body) });
            return;
        }
    };
    if let Some(expected) = &expect.body_json {
        json_value("body-json", expected, &value, found);
    }
    for (path, expected) in &expect.json_path {
        match json::at(&value, path) {
            Some(got) => json_value(&format!("json-path {path}"), expected, got, found),
            None => found.push(Mismatch {
                what: format!("json-path {path}: expected {}, and there is nothing", json::brief(expected)),
                lines: got_lines(body),
            }),
        }
    }
}

/// A component that fails makes its test fail, unless that is expected. A status of 500 and more says that it is.
fn failures(expect: &Expect, got: &Observed, found: &mut Vec<Mismatch>) {
    let all = || got.failures.iter().cloned().chain(failed(&got.outcome)).collect::<Vec<_>>();
    match &expect.trap {
        Some(expected) => {
            let all = all();
            if !all.iter().any(|failure| failure.contains(expected.as_str())) {
                let lines = all.iter().flat_map(|failure| failure.lines()).map(|line| Line::Got(line.to_owned()));
                let what = match all.is_empty() {
                    true => format!("trap: expected a failure with {expected:?}, and there was none"),
                    false => format!("trap: no failure has {expected:?}"),
                };
                found.push(Mismatch { what, lines: lines.collect() });
            }
        }
        None if expect.status.is_some_and(|status| status >= 500) => {}
        None => {
            for failure in &got.failures {
                note("the component failed", failure, found);
            }
        }
    }
}

fn failed(outcome: &Outcome) -> Option<String> {
    match outcome {
        Outcome::Failed(why) => Some(why.clone()),
        Outcome::Answer(answer) => answer.broken.clone(),
        _ => None,
    }
}

fn sent(what: &str, expected: &[Sent], got: &[Exchange], found: &mut Vec<Mismatch>) {
    if expected.len() != got.len() {
        let expected_lines = expected.iter().map(|one| Line::Expected(format!("{} {}", one.kind, one.to)));
        let got_lines = got.iter().map(|one| Line::Got(format!("{} {}", one.kind, one.to)));
        found.push(Mismatch {
            what: format!("{what}: expected {}, got {}", expected.len(), got.len()),
            lines: expected_lines.chain(got_lines).collect(),
        });
        return;
    }
    for (number, (expected, got)) in expected.iter().zip(got).enumerate() {
        let what = format!("{what}[{number}]");
        if expected.kind != got.kind || !glob::matches(&expected.to, &got.to) {
            short(&what, &format!("{} {}", expected.kind, expected.to), &format!("{} {}", got.kind, got.to), found);
            continue;
        }
        for (name, wanted) in &expected.headers {
            presence(&format!("{what}.headers.{name}"), wanted, header(&got.headers, name).as_deref(), found);
        }
        let body = lossy(&got.body);
        if let Some(expected) = &expected.body {
            text(&format!("{what}.body"), expected, &body, found);
        }
        texts(&format!("{what}.body-contains"), &expected.body_contains, &body, found);
        if let Some(expected) = &expected.body_json {
            match serde_json::from_str(&body) {
                Ok(value) => json_value(&format!("{what}.body-json"), expected, &value, found),
                Err(error) => note(&format!("{what}.body-json"), &format!("the body is no JSON: {error}"), found),
            }
        }
    }
}

fn presence(what: &str, wanted: &Wanted, got: Option<&str>, found: &mut Vec<Mismatch>) {
    match (wanted, got) {
        (Wanted::Text(expected), Some(got)) => text(what, expected, got, found),
        (Wanted::Text(expected), None) => note(what, &format!("expected {expected:?}, and it is not there"), found),
        (Wanted::Any, None) => note(what, "expected to be there, and it is not", found),
        (Wanted::Absent, Some(got)) => note(what, &format!("expected not to be there, got {got:?}"), found),
        (Wanted::Any, Some(_)) | (Wanted::Absent, None) => {}
    }
}

fn header(headers: &[(String, String)], name: &str) -> Option<String> {
    let values: Vec<&str> =
        headers.iter().filter(|(found, _)| found == name).map(|(_, value)| value.as_str()).collect();
    (!values.is_empty()).then(|| values.join(", "))
}

fn texts(what: &str, expected: &[String], got: &str, found: &mut Vec<Mismatch>) {
    for expected in expected.iter().filter(|expected| !got.contains(expected.as_str())) {
        found.push(Mismatch { what: format!("{what}: there is no {expected:?}"), lines: got_lines(got) });
    }
}

fn json_value(what: &str, expected: &Json, got: &Json, found: &mut Vec<Mismatch>) {
    let lines = json::differences(expected, got);
    if !lines.is_empty() {
        found.push(Mismatch { what: what.to_owned(), lines: lines.into_iter().map(Line::Note).collect() });
    }
}

fn rows_json(rows: &[Vec<Json>]) -> Json {
    Json::Array(rows.iter().map(|row| Json::Array(row.clone())).collect())
}

fn short(what: &str, expected: &str, got: &str, found: &mut Vec<Mismatch>) {
    if expected != got {
        found.push(Mismatch { what: format!("{what}: expected {expected}, got {got}"), lines: Vec::new() });
    }
}

fn note(what: &str, text: &str, found: &mut Vec<Mismatch>) {
    let mut lines = text.lines();
    let first = lines.next().unwrap_or_default();
    let lines = lines.map(|line| Line::Note(line.to_owned())).collect();
    found.push(Mismatch { what: format!("{what}: {first}"), lines });
}

fn text(what: &str, expected: &str, got: &str, found: &mut Vec<Mismatch>) {
    if expected != got {
        found.push(Mismatch { what: what.to_owned(), lines: difference(expected, got) });
    }
}

/// Returns the lines of two texts that are different, with some of those around them.
fn difference(expected: &str, got: &str) -> Vec<Line> {
    let is_long = |text: &str| text.lines().count() > DIFF_LINES_MAX;
    if is_long(expected) || is_long(got) {
        return first_difference(expected, got);
    }
    let diff = TextDiff::from_lines(expected, got);
    let mut lines = Vec::new();
    for (number, group) in diff.grouped_ops(2).iter().enumerate() {
        if number > 0 {
            lines.push(Line::Note("…".to_owned()));
        }
        for change in group.iter().flat_map(|op| diff.iter_changes(op)) {
            let text = change.value();
            // A line break that only one of them has is seen.
            let ends = text.ends_with('\n') || (expected.ends_with('\n') == got.ends_with('\n'));
            let shown = text.strip_suffix('\n').unwrap_or(text);
            let shown = if ends { shown.to_owned() } else { format!("{shown} (and no line break)") };
            lines.push(match change.tag() {
                ChangeTag::Equal => Line::Same(shown),
                ChangeTag::Delete => Line::Expected(shown),
                ChangeTag::Insert => Line::Got(shown),
            });
        }
    }
    shortened(lines)
}

fn first_difference(expected: &str, got: &str) -> Vec<Line> {
    let pairs = expected.lines().zip(got.lines());
    let same = pairs.take_while(|(expected, got)| expected == got).count();
    vec![
        Line::Note(format!("the first difference is in line {}", same + 1)),
        Line::Expected(expected.lines().nth(same).unwrap_or("(the end)").to_owned()),
        Line::Got(got.lines().nth(same).unwrap_or("(the end)").to_owned()),
    ]
}

fn got_lines(text: &str) -> Vec<Line> {
    shortened(text.lines().map(|line| Line::Got(line.to_owned())).collect())
}

fn shortened(mut lines: Vec<Line>) -> Vec<Line> {
    if lines.len() > SHOWN_LINES_MAX {
        let more = lines.len() - SHOWN_LINES_MAX;
        lines.truncate(SHOWN_LINES_MAX);
        lines.push(Line::Note(format!("… and {more} more lines")));
    }
    lines
}

fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[cfg(test)]
mod tests;
