//! What is wrong with WIT, with its place, shown as problems of a manifest are.

use wharf_app::{Palette, Problem, Severity, render_with};

use crate::Folder;

/// The file cannot be read as WIT.
pub(crate) const SYNTAX: &str = "WHARF-0200";
/// A name that nothing has.
pub(crate) const UNKNOWN_NAME: &str = "WHARF-0201";
/// A package that is not there.
pub(crate) const MISSING_PACKAGE: &str = "WHARF-0202";
/// Parts that do not fit together.
pub(crate) const MISFIT: &str = "WHARF-0203";
/// A dependency that nothing uses.
pub(crate) const UNUSED: &str = "WHARF-0204";
/// Too long, or unreadable.
pub(crate) const UNREADABLE: &str = "WHARF-0205";

/// One thing that is wrong, or surprising, in one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The file, as [`crate::SourceFile`] calls it.
    pub file: String,
    /// What, and where in it.
    pub problem: Problem,
}

/// Tells whether the package cannot be used.
pub fn has_errors(findings: &[Finding]) -> bool {
    findings.iter().any(|finding| finding.problem.severity == Severity::Error)
}

/// Returns all findings with the lines that they are about, in the order given.
pub fn render(findings: &[Finding], folder: &Folder, palette: &Palette) -> String {
    let shown = findings.iter().map(|finding| {
        let file = folder.texts().find(|file| file.name == finding.file);
        let text = file.map_or("", |file| file.text.as_str());
        render_with(std::slice::from_ref(&finding.problem), &finding.file, text, palette)
    });
    shown.collect::<Vec<_>>().join("\n")
}
