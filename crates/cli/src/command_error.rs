//! The user's mistake, or ours: what happened, where, and what to do. Decides the exit code.

use crate::output::talk;
use std::fmt::Write;
use std::process::ExitCode;
pub(crate) use wharf_telemetry::chain;

/// Whose fault it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The user can mend it: a file, a manifest, a flag. Exit code 2.
    Usage,
    /// A guest or a server failed. Exit code 1.
    Failed,
}

/// Why a command ended.
#[derive(Debug)]
pub(crate) struct CommandError {
    kind: Kind,
    /// A message that is printed as it is, without `error:` before it: an excerpt of a manifest.
    rendered: bool,
    message: String,
    hints: Vec<String>,
}

impl CommandError {
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self { kind: Kind::Usage, rendered: false, message: message.into(), hints: Vec::new() }
    }

    pub(crate) fn failed(message: impl Into<String>) -> Self {
        Self { kind: Kind::Failed, ..Self::usage(message) }
    }

    /// An error whose text is complete.
    pub(crate) fn rendered(text: impl Into<String>) -> Self {
        Self { rendered: true, ..Self::usage(text) }
    }

    /// Adds a sentence about what to do.
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// Returns the whole text.
    pub(crate) fn text(&self) -> String {
        let mut text = String::new();
        if !self.rendered {
            text.push_str("error: ");
        }
        text.push_str(self.message.trim_end());
        text.push('\n');
        for hint in &self.hints {
            let _ = writeln!(text, "  hint: {hint}");
        }
        text
    }

    /// Prints it and returns the exit code.
    pub(crate) fn print(&self) -> ExitCode {
        talk(&self.text());
        match self.kind {
            Kind::Usage => ExitCode::from(2),
            Kind::Failed => ExitCode::from(1),
        }
    }
}
