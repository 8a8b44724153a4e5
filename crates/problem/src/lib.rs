//! What is wrong with a file that somebody wrote, as values: where, why, and what to write instead; and as text for people.
//!
//! In: the bytes of a place and words about it ([`Problem`]). Out: the line with a caret, in the manner of the Rust compiler ([`render`]).
//! Next: whoever prints it.
//!
//! Pure by rule, as everything that reads manifests is.

mod excerpt;
mod lines;
mod mask;
mod nearest;
mod render;

pub use lines::LineIndex;
pub use nearest::nearest;
pub use render::{Palette, position, render, render_with, render_without_text};

use std::ops::Range;

/// Bytes of the manifest's text.
pub type Span = Range<usize>;

/// One thing that is wrong, or surprising, in a manifest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Whether the app can be used in spite of it.
    pub severity: Severity,
    /// A stable name for the kind of problem, such as `WHARF-0103`, by which it is explained.
    pub code: &'static str,
    /// One sentence without a full stop.
    pub message: String,
    /// The bytes to underline.
    pub span: Span,
    /// What is said beside the underlined bytes; may be empty.
    pub label: String,
    /// Other places that belong to it, each with what to say there.
    pub related: Vec<(Span, String)>,
    /// What to write instead.
    pub help: Option<String>,
}

/// Whether an app can be used in spite of a problem.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// It can.
    Warning,
    /// It cannot.
    Error,
}

impl Problem {
    /// Returns an error without label, related places and help.
    pub fn error(code: &'static str, span: Span, message: impl Into<String>) -> Self {
        let (message, label) = (message.into(), String::new());
        Self { severity: Severity::Error, code, message, span, label, related: Vec::new(), help: None }
    }

    /// Returns a warning without label, related places and help.
    pub fn warning(code: &'static str, span: Span, message: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(code, span, message) }
    }

    /// Says something beside the underlined bytes.
    #[must_use]
    pub fn with_label(mut self, label: impl Into<String>) -> Self {
        self.label = label.into();
        self
    }

    /// Shows another place that belongs to the problem.
    #[must_use]
    pub fn with_related(mut self, span: Span, label: impl Into<String>) -> Self {
        self.related.push((span, label.into()));
        self
    }

    /// Says what to write instead.
    #[must_use]
    pub fn with_help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

#[cfg(test)]
mod tests;
