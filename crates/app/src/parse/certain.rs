//! Which problems are certain in a file that is not valid TOML: one mistake is reported once.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::codes;
use wharf_problem::{LineIndex, Problem, Span};

/// What TOML calls a key that is there twice. All around it was read as it was meant.
const DUPLICATE_KEY: &str = "duplicate key";

/// Drops problems that may follow from a syntax error.
///
/// What is missing may be what could not be read. A line that could not be read says nothing, nor do the lines after it if it has
/// brackets, up to the next header that can be read: they may belong to another table than they were meant for. A list or an inline
/// table with an error in it may have other ends than the ones it was given.
pub(super) fn retain(problems: &mut Vec<Problem>, syntax: &mut Vec<Problem>, document: &DeTable<'_>, text: &str) {
    let lines = LineIndex::new(text);
    let line_of = |problem: &Problem| lines.line_of(problem.span.start);
    drop_doubtful(syntax, &lines, text);
    let mut unread: Vec<usize> = syntax.iter().map(line_of).collect();
    unread.sort_unstable();
    let uncertain = uncertain_lines(&unread, text);
    let disturbing = syntax.iter().filter(|problem| problem.message != DUPLICATE_KEY);
    let mut places: Vec<usize> = disturbing.map(|problem| problem.span.start).collect();
    places.sort_unstable();
    let mut broken = Vec::new();
    document.values().for_each(|value| find_broken(value, &places, &mut broken));
    let from_absence = [codes::MISSING, codes::EMPTY, codes::UNKNOWN_COMPONENT];
    problems.retain(|problem| {
        !(from_absence.contains(&problem.code)
            // A value that is not there is nowhere.
            || problem.span == (0..0)
            || uncertain.binary_search(&line_of(problem)).is_ok()
            || broken.iter().any(|span| span.contains(&problem.span.start)))
    });
}

/// Drops errors that may follow from others: all but the first of a line, and, after any other error, headers that are there twice,
/// since keys of a table whose own header could not be read may have made the first.
fn drop_doubtful(syntax: &mut Vec<Problem>, lines: &LineIndex, text: &str) {
    syntax.sort_by_key(|problem| problem.span.start);
    let mut last = None;
    syntax.retain(|problem| {
        let start = problem.span.start;
        if problem.message == DUPLICATE_KEY {
            return last.is_none() || !text[lines.start_of(lines.line_of(start))..].trim_start().starts_with('[');
        }
        let line = Some(lines.line_of(start));
        std::mem::replace(&mut last, line) != line
    });
}

/// Returns the lines that could not be read and those that depend on them, in order. `unread` is sorted.
fn uncertain_lines(unread: &[usize], text: &str) -> Vec<usize> {
    let mut uncertain = Vec::new();
    let mut depends = false;
    for (number, line) in text.lines().enumerate() {
        if unread.binary_search(&number).is_ok() {
            depends |= line.contains(['[', ']', '{', '}']);
            uncertain.push(number);
        } else if is_header(line) {
            depends = false;
        } else if depends {
            uncertain.push(number);
        }
    }
    uncertain
}

fn is_header(line: &str) -> bool {
    let line = line.trim();
    line.starts_with('[') && line.ends_with(']')
}

/// Finds the outermost lists and inline tables with an error in them. `places` is sorted.
fn find_broken(value: &Spanned<DeValue<'_>>, places: &[usize], broken: &mut Vec<Span>) {
    let span = value.span();
    let next = places.partition_point(|place| *place < span.start);
    if places.get(next).is_some_and(|place| *place < span.end) {
        broken.push(span);
        return;
    }
    match value.get_ref() {
        DeValue::Array(values) => values.iter().for_each(|value| find_broken(value, places, broken)),
        DeValue::Table(table) => table.values().for_each(|value| find_broken(value, places, broken)),
        _ => {}
    }
}
