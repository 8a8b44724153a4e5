//! What is wrong with a short text that a person wrote: a route, a host, a grant.
//!
//! Such texts come from the manifest and from flags. The manifest's reader puts the range into the file's excerpt; a
//! flag's reader shows the sentence alone.

use std::ops::Range;

/// Why a pattern cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct PatternError {
    /// What is wrong, as a sentence without a full stop.
    pub message: String,
    /// The bytes of the text that are wrong.
    pub range: Range<usize>,
    /// What to write instead.
    pub help: Option<String>,
}

impl PatternError {
    pub(crate) fn new(range: Range<usize>, message: impl Into<String>) -> Self {
        Self { message: message.into(), range, help: None }
    }

    pub(crate) fn with_help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Moves the range, for an error in a part that starts at `offset` of the whole text.
    pub(crate) fn offset_by(mut self, offset: usize) -> Self {
        self.range = self.range.start + offset..self.range.end + offset;
        self
    }
}

/// Returns why `name` is no host name, in lower case or not: labels of letters, digits, `-` and `_`.
pub(crate) fn check_host_name(name: &str) -> Result<(), PatternError> {
    let whole = 0..name.len();
    if name.is_empty() {
        return Err(PatternError::new(whole, "a host name is missing"));
    }
    if name.len() > 253 {
        return Err(PatternError::new(whole, "a host name has at most 253 characters"));
    }
    let mut start = 0;
    for label in name.split('.') {
        let range = start..start + label.len();
        start = range.end + 1;
        if label.is_empty() {
            return Err(PatternError::new(whole, "a host name has no empty part between its dots"));
        }
        if label.len() > 63 {
            return Err(PatternError::new(range, "a part of a host name has at most 63 characters"));
        }
        if let Some((at, c)) = label.char_indices().find(|(_, c)| !c.is_ascii_alphanumeric() && !matches!(c, '-' | '_'))
        {
            let at = range.start + at;
            let error = PatternError::new(at..at + c.len_utf8(), format!("`{c}` cannot be in a host name"));
            return Err(match c {
                '*' => error.with_help("`*` stands alone, or first as in `*.example.com`"),
                _ if !c.is_ascii() => error.with_help("write international names in their ASCII form, `xn--…`"),
                _ => error,
            });
        }
    }
    Ok(())
}
