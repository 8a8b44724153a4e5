//! Writes what a run learnt into test files: what servers answered, and what came of tests.
//!
//! In: what was run. Out: test files that were changed.

use crate::Error;
use crate::discover::{Found, Tests};
use crate::runner::Ran;
use std::io::Write;
use std::path::Path;
use wharf_testing::{Learnt, Verdict};

/// Writes what was learnt; outcomes only if `update` says so. `tell` is told of each file that is changed.
///
/// # Errors
/// When a file cannot be edited or written. Those before it are changed then.
pub fn learn(tests: &Tests, ran: &[Ran], update: bool, tell: impl Fn(&str)) -> Result<(), Error> {
    for (number, file) in tests.files().iter().enumerate() {
        let of_file = || ran.iter().filter(move |ran| matches!(ran.found, Found::InFile(file, _) if file == number));
        let mut recorded = Vec::new();
        for one in of_file().flat_map(|ran| &ran.recorded) {
            // Tests that send the same request get the same answer.
            if !recorded.contains(one) {
                recorded.push(one.clone());
            }
        }
        let learnt: Vec<Learnt> = of_file()
            .filter(|ran| update && matches!(ran.case.verdict, Verdict::Passed | Verdict::Failed(_)))
            .flat_map(|ran| ran.learnt.iter().cloned())
            .collect();
        let shown = tests.shown(Found::InFile(number, 0));
        let failed = |source: wharf_testing::EditError| Error::Edit { file: shown.clone(), source };
        let mut text = file.text.clone();
        if !learnt.is_empty() {
            text = wharf_testing::with_outcomes(&text, &learnt).map_err(failed)?;
        }
        if !recorded.is_empty() {
            text = wharf_testing::with_exchanges(&text, &recorded).map_err(failed)?;
        }
        if text != file.text {
            replace(&file.path, &text).map_err(|source| Error::Write { path: file.path.clone(), source })?;
            tell(&format!("{shown} is changed: {} outcomes, {} recorded answers", learnt.len(), recorded.len()));
        }
    }
    Ok(())
}

/// Writes a file whole or not at all.
fn replace(path: &Path, text: &str) -> std::io::Result<()> {
    let unfinished = path.with_added_extension("unfinished");
    let mut file = std::fs::File::create(&unfinished)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    std::fs::rename(&unfinished, path)
}
