//! Takes the part that an error is in out of a text, so that what comes after it can be read too.

use std::ops::Range;

use crate::scan::{Token, tokens};

/// One statement at the level of interfaces and worlds.
struct Statement {
    start: usize,
    /// The braces, for those that have them.
    body: Option<Range<usize>>,
    end: usize,
    is_package: bool,
}

/// Replaces the body of the interface or world that byte `at` is in by spaces; all of it, when the body is not what is wrong. Returns
/// what was taken out. None when nothing can be taken out any more.
pub(crate) fn take_out(text: &mut String, at: usize) -> Option<String> {
    let tokens = tokens(text);
    let range = find(&tokens, 0, tokens.len(), text.len(), at)
        .into_iter()
        .find(|range| text.get(range.clone()).is_some_and(|part| !part.trim().is_empty()))?;
    let taken = text[range.clone()].to_owned();
    let blank: String = taken.bytes().map(|byte| if byte == b'\n' { '\n' } else { ' ' }).collect();
    text.replace_range(range, &blank);
    Some(taken)
}

/// Returns what may be taken out for the sake of byte `at`, the smallest part first.
fn find(tokens: &[Token<'_>], from: usize, to: usize, end: usize, at: usize) -> Vec<Range<usize>> {
    let statements = statements(tokens, from, to, end);
    let Some(statement) = statements.into_iter().find(|statement| statement.start <= at && at < statement.end) else {
        return Vec::new();
    };
    let whole = statement.start..statement.end;
    let Some(body) = statement.body else {
        return if statement.is_package { Vec::new() } else { vec![whole] };
    };
    if !(body.contains(&at)) {
        return vec![whole];
    }
    if statement.is_package {
        let first = tokens.partition_point(|token| token.start < body.start);
        let last = tokens.partition_point(|token| token.start < body.end);
        let mut inner = find(tokens, first, last, body.end, at);
        inner.push(whole);
        return inner;
    }
    vec![body, whole]
}

/// Splits tokens into statements; what is never closed reaches to `end`.
fn statements(tokens: &[Token<'_>], from: usize, to: usize, end: usize) -> Vec<Statement> {
    let mut found = Vec::new();
    let (mut first, mut depth, mut open) = (from, 0_usize, None);
    for index in from..to {
        let token = &tokens[index];
        match token.text {
            "{" => {
                depth += 1;
                // `use a.{b}` has braces and is no block.
                let is_list = index > from && tokens[index - 1].text == ".";
                if depth == 1 && !is_list {
                    open = Some(token.end());
                }
            }
            "}" => depth = depth.saturating_sub(1),
            _ => {}
        }
        let is_end = depth == 0 && (token.text == ";" || (token.text == "}" && open.is_some()));
        if is_end {
            let body = open.take().map(|open| open..token.start);
            found.push(statement(tokens, first, body, token.end()));
            first = index + 1;
        }
    }
    if first < to {
        let body = open.map(|open| open..end);
        found.push(statement(tokens, first, body, end));
    }
    found
}

fn statement(tokens: &[Token<'_>], first: usize, body: Option<Range<usize>>, end: usize) -> Statement {
    let is_package = tokens[first].text == "package";
    Statement { start: tokens[first].start, body, end, is_package }
}
