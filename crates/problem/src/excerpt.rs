//! One line of a manifest as it is shown: tabs as spaces, long lines cut around the place that matters.

use crate::render::visible_char;

/// Columns that an excerpt has at most, so that it fits a usual terminal with a line number before it.
const COLUMNS_MAX: usize = 100;

/// Columns shown before the underlined part of a line that is cut.
const CONTEXT_COLUMNS: usize = 30;

/// What a tab is shown as.
const TAB: &str = "    ";

/// A line, or the part of it around the underlined bytes, ready to be shown.
pub(crate) struct Excerpt {
    pub(crate) text: String,
    /// Columns before the underline.
    pub(crate) indent: usize,
    /// Columns of the underline; never zero.
    pub(crate) width: usize,
}

impl Excerpt {
    /// Cuts `line` around the bytes from `start` to `end`, either of which may be past its end.
    pub(crate) fn new(line: &str, start: usize, end: usize) -> Self {
        let (start, end) = (start.min(line.len()), end.min(line.len()));
        let (before, rest) = line.split_at(start);
        let (marked, after) = rest.split_at(end - start);
        let (before, marked, after) = (shown(tail(before)), shown(head(marked)), shown(head(after)));
        let whole = columns(&before) + columns(&marked) + columns(&after);
        let before = if whole > COLUMNS_MAX { keep_end(&before, CONTEXT_COLUMNS) } else { before };
        let indent = columns(&before);
        let text = keep_start(&format!("{before}{marked}{after}"), COLUMNS_MAX);
        let width = columns(&marked).min(columns(&text).saturating_sub(indent)).max(1);
        Self { text, indent, width }
    }
}

/// Returns as much of the start as can matter, so that a line of a megabyte costs no more than a short one.
fn head(text: &str) -> &str {
    text.char_indices().nth(COLUMNS_MAX + 1).map_or(text, |(end, _)| &text[..end])
}

/// Returns as much of the end as can matter.
fn tail(text: &str) -> &str {
    text.char_indices().nth_back(COLUMNS_MAX).map_or(text, |(start, _)| &text[start..])
}

fn shown(text: &str) -> String {
    text.chars().fold(String::with_capacity(text.len()), |mut out, c| {
        match c {
            '\t' => out.push_str(TAB),
            c => out.push(visible_char(c)),
        }
        out
    })
}

fn keep_end(text: &str, columns_max: usize) -> String {
    if columns(text) <= columns_max {
        return text.to_owned();
    }
    let mut left = columns_max - 1;
    let mut start = text.len();
    for (at, c) in text.char_indices().rev() {
        let Some(rest) = left.checked_sub(char_columns(c)) else { break };
        (left, start) = (rest, at);
    }
    format!("…{}", &text[start..])
}

fn keep_start(text: &str, columns_max: usize) -> String {
    if columns(text) <= columns_max {
        return text.to_owned();
    }
    let mut left = columns_max - 1;
    let mut end = 0;
    for (at, c) in text.char_indices() {
        let Some(rest) = left.checked_sub(char_columns(c)) else { break };
        (left, end) = (rest, at + c.len_utf8());
    }
    format!("{}…", &text[..end])
}

fn columns(text: &str) -> usize {
    text.chars().map(char_columns).sum()
}

/// Returns the columns that terminals give a character.
///
/// A few ranges instead of the Unicode tables: an underline that is one column off beside rare scripts is worth less
/// than a dependency.
fn char_columns(c: char) -> usize {
    match c as u32 {
        0x0300..=0x036f | 0x1ab0..=0x1aff | 0x1dc0..=0x1dff | 0x20d0..=0x20ff | 0xfe00..=0xfe0f | 0xfe20..=0xfe2f => 0,
        0x1100..=0x115f
        | 0x2e80..=0x303e
        | 0x3041..=0x33ff
        | 0x3400..=0x4dbf
        | 0x4e00..=0x9fff
        | 0xa000..=0xa4cf
        | 0xac00..=0xd7a3
        | 0xf900..=0xfaff
        | 0xfe30..=0xfe4f
        | 0xff00..=0xff60
        | 0xffe0..=0xffe6
        | 0x1f300..=0x1f64f
        | 0x1f900..=0x1f9ff
        | 0x20000..=0x3fffd => 2,
        _ => 1,
    }
}
