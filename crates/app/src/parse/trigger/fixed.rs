//! Reads the `static` answer of an HTTP trigger.

use std::collections::HashSet;

use crate::app::StaticResponse;
use crate::codes;
use crate::read::{Problems, Section};
use wharf_problem::{Problem, Span};

/// What a body is when the manifest does not say.
const CONTENT_TYPE: &str = "text/plain; charset=utf-8";

/// Headers that say how a message is sent; the server writes them.
const FRAMING: [&str; 7] =
    ["connection", "content-length", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade"];

pub(super) fn read(section: &Section<'_>, problems: &mut Problems) -> StaticResponse {
    let status = read_status(section, problems);
    let body = section.text("body", problems);
    let mut headers = read_headers(section, problems);
    if let Some(text) = section.text("content-type", problems) {
        check_value(text.get_ref(), text.span(), problems);
        if headers.iter().any(|(name, _)| name == "content-type") {
            problems.add(Problem::error(codes::DUPLICATE, text.span(), "the header `content-type` is given twice"));
        }
        headers.push(("content-type".to_owned(), (*text.get_ref()).to_owned()));
    }
    let body_text = body.as_ref().map_or("", |body| *body.get_ref());
    if let Some(body) = body.as_ref().filter(|_| matches!(status, 204 | 205 | 304) && !body_text.is_empty()) {
        let message = format!("an answer with status {status} has no body");
        problems.add(Problem::error(codes::STATIC, body.span(), message));
    }
    if !body_text.is_empty() && !headers.iter().any(|(name, _)| name == "content-type") {
        headers.push(("content-type".to_owned(), CONTENT_TYPE.to_owned()));
    }
    StaticResponse { status, headers, body: body_text.to_owned() }
}

fn read_status(section: &Section<'_>, problems: &mut Problems) -> u16 {
    let Some(status) = section.integer("status", problems) else { return 200 };
    match u16::try_from(*status.get_ref()) {
        Ok(number @ 200..=599) => number,
        _ => {
            let problem = Problem::error(codes::STATIC, status.span(), "the status of an answer is from 200 to 599");
            problems.add(problem);
            200
        }
    }
}

fn read_headers(section: &Section<'_>, problems: &mut Problems) -> Vec<(String, String)> {
    let mut headers: Vec<(String, String)> = Vec::new();
    let mut names: HashSet<String> = HashSet::new();
    for (name, value) in section.text_map("headers", problems) {
        let lower = name.get_ref().to_ascii_lowercase();
        let why = if lower.is_empty() || !lower.bytes().all(is_token_byte) {
            Some("is not a valid header name")
        } else if FRAMING.contains(&lower.as_str()) {
            Some("is written by the server")
        } else if !names.insert(lower.clone()) {
            Some("is given twice")
        } else {
            None
        };
        if let Some(why) = why {
            let message = format!("the header `{}` {why}", name.get_ref());
            problems.add(Problem::error(codes::STATIC, name.span(), message));
        }
        check_value(value.get_ref(), value.span(), problems);
        headers.push((lower, (*value.get_ref()).to_owned()));
    }
    headers
}

/// Header values here are visible ASCII, space and tab: what every HTTP version and client agrees on.
fn check_value(value: &str, span: Span, problems: &mut Problems) {
    let sendable = |b: u8| matches!(b, b' '..=b'~' | b'\t');
    if !value.bytes().all(sendable) || value.trim_matches([' ', '\t']) != value {
        let message = "the value of a header has characters that cannot be sent";
        let problem = Problem::error(codes::STATIC, span, message);
        problems.add(problem.with_help("use ASCII without line breaks and without space at the ends"));
    }
}

/// What may stand in a method or a header name (RFC 9110, `tchar`).
pub(super) fn is_token_byte(b: u8) -> bool {
    b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b)
}
