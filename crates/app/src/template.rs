//! Texts of a manifest in which variables stand: `https://{{ host }}/api`.
//!
//! `{{ name }}` stands for the value of a variable, with or without spaces; `{{{{` stands for `{{`. Everything else stands for itself,
//! single braces and `}}` too. What is put in is not read again.

use std::ops::Range;

use crate::app::check_name;
use crate::pattern::PatternError;

const OPEN: &str = "{{";
const CLOSE: &str = "}}";
const ESCAPED: &str = "{{{{";

/// A text in which variables stand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template(Vec<Part>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(String),
    Variable { name: String, range: Range<usize> },
}

impl Template {
    /// Returns a text in which no variable stands, whatever it looks like.
    pub fn literal(text: impl Into<String>) -> Self {
        Self(vec![Part::Text(text.into())])
    }

    /// Reads a text.
    ///
    /// # Errors
    ///
    /// The first `{{` that does not begin the name of a variable.
    pub fn parse(text: &str) -> Result<Self, PatternError> {
        let mut parts = Vec::new();
        let mut plain = String::new();
        let mut at = 0;
        while let Some(found) = text[at..].find(OPEN) {
            let start = at + found;
            plain.push_str(&text[at..start]);
            if text[start..].starts_with(ESCAPED) {
                plain.push_str(OPEN);
                at = start + ESCAPED.len();
                continue;
            }
            let (name, end) = placeholder(text, start)?;
            if !plain.is_empty() {
                parts.push(Part::Text(std::mem::take(&mut plain)));
            }
            parts.push(Part::Variable { name: text[name.clone()].to_owned(), range: name });
            at = end;
        }
        plain.push_str(&text[at..]);
        if !plain.is_empty() || parts.is_empty() {
            parts.push(Part::Text(plain));
        }
        Ok(Self(parts))
    }

    /// Returns the variables that stand in it, in order, each with the place of its name in the text that was read.
    pub fn variables(&self) -> impl Iterator<Item = (&str, &Range<usize>)> {
        self.0.iter().filter_map(|part| match part {
            Part::Text(_) => None,
            Part::Variable { name, range } => Some((name.as_str(), range)),
        })
    }

    /// Returns the text; nothing as long as a variable stands in it.
    pub fn text(&self) -> Option<&str> {
        match self.0.as_slice() {
            [Part::Text(text)] => Some(text),
            _ => None,
        }
    }

    /// Returns the text with values in the place of variables, each of which is put in as it is. Nothing if one has no value, or if the
    /// text gets longer than `len_max`.
    pub fn fill<'v>(&self, len_max: usize, value: impl Fn(&str) -> Option<&'v str>) -> Option<String> {
        let mut filled = String::new();
        for part in &self.0 {
            let text = match part {
                Part::Text(text) => text,
                Part::Variable { name, .. } => value(name)?,
            };
            if filled.len() + text.len() > len_max {
                return None;
            }
            filled.push_str(text);
        }
        Some(filled)
    }

    /// Returns whether a part that stands for itself has this character.
    pub(crate) fn contains(&self, c: char) -> bool {
        self.0.iter().any(|part| matches!(part, Part::Text(text) if text.contains(c)))
    }
}

/// Returns the place of the name after the `{{` at `start`, and where the text goes on after the `}}`.
fn placeholder(text: &str, start: usize) -> Result<(Range<usize>, usize), PatternError> {
    let inner = start + OPEN.len();
    let escape = "write `{{{{` for two braces that stand for themselves";
    let Some(len) = text[inner..].find(CLOSE) else {
        return Err(PatternError::new(start..inner, "`{{` begins a variable, and no `}}` follows").with_help(escape));
    };
    let (end, content) = (inner + len, &text[inner..inner + len]);
    let name = content.trim_matches(' ');
    if name.is_empty() {
        let error = PatternError::new(start..end + CLOSE.len(), "there is no name of a variable between `{{` and `}}`");
        return Err(error.with_help(escape));
    }
    let name_start = inner + (content.len() - content.trim_start_matches(' ').len());
    let range = name_start..name_start + name.len();
    if let Err(why) = check_name(name) {
        let error = PatternError::new(range, format!("the name of the variable {why}"));
        return Err(error.with_help(escape));
    }
    Ok((range, end + CLOSE.len()))
}

#[cfg(test)]
mod tests;
