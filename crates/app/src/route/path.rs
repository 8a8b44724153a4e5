//! Path patterns: `/users/:id`, `/static/...`.

use std::fmt;
use std::ops::Range;

use crate::pattern::PatternError;

/// Segments that a pattern may have. Matching goes one level down for each, so this also bounds the router's stack.
const SEGMENTS_MAX: usize = 64;

/// Bytes that a pattern may have; servers commonly refuse a longer request line.
const LEN_MAX: usize = 2048;

/// Which paths a route answers. [`crate::route`] says what fits and what wins.
#[derive(Clone, PartialEq, Eq)]
pub struct PathPattern {
    text: String,
    segments: Vec<Segment>,
    open_ended: bool,
}

/// One part of a path pattern between slashes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Segment {
    /// These bytes exactly. Empty where the pattern ends with a slash.
    Literal(String),
    /// Any one segment that is not empty, kept under this name.
    Param(String),
}

impl PathPattern {
    /// Returns `/...`, which fits every path.
    pub fn everything() -> Self {
        Self { text: "/...".to_owned(), segments: Vec::new(), open_ended: true }
    }

    /// Reads a pattern such as `/`, `/users/:id` or `/static/...`.
    ///
    /// # Errors
    ///
    /// Why the text is no such pattern.
    pub fn parse(text: &str) -> Result<Self, PatternError> {
        let whole = 0..text.len();
        let Some(rest) = text.strip_prefix('/') else {
            let help = format!("write `/{text}`");
            return Err(PatternError::new(whole, "a route starts with `/`").with_help(help));
        };
        if text.len() > LEN_MAX {
            return Err(PatternError::new(whole, format!("a route has at most {LEN_MAX} bytes")));
        }
        let mut pattern = Self { text: text.to_owned(), segments: Vec::new(), open_ended: false };
        let mut start = 1;
        for part in rest.split('/') {
            let range = start..start + part.len();
            start = range.end + 1;
            if pattern.open_ended {
                let dots = range.start - 4..range.start - 1;
                return Err(PatternError::new(dots, "`...` can only be the last part of a route"));
            }
            if part == "..." {
                pattern.open_ended = true;
                continue;
            }
            let segment = parse_segment(part, range.clone())?;
            if matches!(segment, Segment::Param(_)) && pattern.segments.contains(&segment) {
                return Err(PatternError::new(range, "this name is used twice in the route"));
            }
            pattern.segments.push(segment);
        }
        if pattern.segments.len() > SEGMENTS_MAX {
            return Err(PatternError::new(whole, format!("a route has at most {SEGMENTS_MAX} parts")));
        }
        Ok(pattern)
    }

    /// Returns the pattern as it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Returns the segments, without a trailing `...`.
    pub fn segments(&self) -> &[Segment] {
        &self.segments
    }

    /// Returns whether the pattern ends with `...`.
    pub fn is_open_ended(&self) -> bool {
        self.open_ended
    }

    /// Returns whether both fit the same paths; only the names of params may differ.
    pub fn has_shape_of(&self, other: &Self) -> bool {
        let same = |pair: (&Segment, &Segment)| match pair {
            (Segment::Literal(a), Segment::Literal(b)) => a == b,
            (Segment::Param(_), Segment::Param(_)) => true,
            _ => false,
        };
        self.open_ended == other.open_ended
            && self.segments.len() == other.segments.len()
            && self.segments.iter().zip(&other.segments).all(same)
    }

    /// Returns a text that is the same for two patterns exactly when they have the same shape.
    pub(super) fn shape(&self) -> String {
        let mut shape = String::new();
        for segment in &self.segments {
            shape.push('/');
            // A literal never starts with a colon.
            shape.push_str(match segment {
                Segment::Literal(text) => text,
                Segment::Param(_) => ":",
            });
        }
        if self.open_ended {
            shape.push_str("/...");
        }
        shape
    }
}

impl fmt::Debug for PathPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.text, f)
    }
}

impl fmt::Display for PathPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

fn parse_segment(part: &str, range: Range<usize>) -> Result<Segment, PatternError> {
    if let Some(name) = part.strip_prefix(':') {
        let named = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
        if name.is_empty() || !name.chars().all(named) {
            let error = PatternError::new(range, "after `:` comes a name of letters, digits, `-` and `_`");
            return Err(error.with_help("write a literal colon as `%3A`"));
        }
        return Ok(Segment::Param(name.to_owned()));
    }
    if part == "." || part == ".." {
        return Err(PatternError::new(
            range,
            "clients take `.` and `..` out of paths, so this route would never be used",
        ));
    }
    if let Some((at, c)) = part.char_indices().find(|(_, c)| !is_path_char(*c)) {
        let at = range.start + at;
        let error = PatternError::new(at..at + c.len_utf8(), format!("`{}` cannot be in a path", c.escape_debug()));
        return Err(match c {
            '{' | '}' => error.with_help("a part that may be anything is written `:name`"),
            '?' | '#' => error.with_help("a route is chosen by its path alone"),
            _ => error.with_help("write it percent-encoded, as clients send it"),
        });
    }
    if part.contains('*') {
        let error = PatternError::new(range, "`*` is not a wildcard in a route");
        return Err(
            error.with_help("write `:name` for one part, `...` at the end for the rest, `%2A` for the character")
        );
    }
    Ok(Segment::Literal(part.to_owned()))
}

/// What may stand in a path segment (RFC 3986, `pchar`).
fn is_path_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || "-._~%!$&'()*+,;=:@".contains(c)
}
