//! What a check found, one line each: where, what, why, what to do.

use std::fmt;
use std::process::ExitCode;

/// One finding.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Finding {
    path: String,
    line: usize,
    text: String,
    is_advice: bool,
}

impl Finding {
    /// Returns a finding that fails the check. Lines count from 1.
    pub(crate) fn new(path: &str, line: usize, text: impl Into<String>) -> Finding {
        Finding { path: path.to_owned(), line, text: text.into(), is_advice: false }
    }

    /// Returns a finding that is shown and fails nothing.
    pub(crate) fn advice(path: &str, line: usize, text: impl Into<String>) -> Finding {
        Finding { is_advice: true, ..Finding::new(path, line, text) }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = if self.is_advice { "advice: " } else { "" };
        write!(out, "{}:{}: {kind}{}", self.path, self.line, self.text)
    }
}

/// Prints the findings of a task and returns its exit code.
pub(crate) fn report(task: &str, checked: &str, mut findings: Vec<Finding>) -> ExitCode {
    findings.sort();
    findings.iter().for_each(|finding| println!("{finding}"));
    let wrong = findings.iter().filter(|finding| !finding.is_advice).count();
    println!("{task}: {checked}, {wrong} wrong, {} advice", findings.len() - wrong);
    if wrong == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
