//! What is wrong with a manifest, as values: where, why, and what to write instead.

use std::ops::Range;

/// Bytes of the manifest's text.
pub type Span = Range<usize>;

/// One thing that is wrong, or surprising, in a manifest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Whether the app can be used in spite of it.
    pub severity: Severity,
    /// A stable name for the kind of problem, such as `WHARF-0103`.
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
