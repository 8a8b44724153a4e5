//! How long files and crates may be, and that nothing binary is committed.

use std::collections::BTreeMap;

use toml::{Table, Value};

use super::{CONFIG, tables, text};
use crate::finding::Finding;
use crate::tree::{File, Tree};

/// Lines of a file; tests inside it do not count.
const FILE: Limit = Limit { soft: 400, hard: 700 };
const TEST_FILE: Limit = Limit { soft: 700, hard: 1200 };
const CRATE: Limit = Limit { soft: 4_000, hard: 6_000 };

/// What a person wrote is smaller; what is larger was made by a program, which belongs in the repository instead.
const LARGEST_BYTES: usize = 512 * 1024;

/// Files that are no text and that nobody can review in any other form.
const PICTURES: &[&str] = &["png", "ico", "jpg", "webp", "woff2"];

struct Limit {
    soft: usize,
    hard: usize,
}

pub(super) fn check(tree: &Tree, config: &Table, findings: &mut Vec<Finding>) {
    let exceptions: Vec<Exception<'_>> = tables(config, "long").map(Exception::read).collect();
    findings.extend(exceptions.iter().filter_map(|exception| exception.check(tree)));
    let mut crates = BTreeMap::<&str, usize>::new();
    for file in tree.rust() {
        let lines = lines(file);
        let exception = exceptions.iter().find(|exception| exception.path == file.path);
        if exception.is_none_or(|exception| lines > exception.lines) {
            findings.extend(too_long(file, lines));
        }
        if let (Some(folder), false) = (file.path.split("/src/").next(), file.is_test()) {
            *crates.entry(folder).or_default() += lines;
        }
    }
    let large: Vec<Exception<'_>> = tables(config, "large").map(Exception::read).collect();
    findings.extend(large.iter().filter_map(|exception| exception.check_crate(&crates)));
    let is_let_through = |folder: &str, lines: usize| {
        large.iter().any(|exception| exception.path == folder && lines <= exception.lines && lines > CRATE.hard)
    };
    let crates = crates.into_iter().filter(|(folder, lines)| !is_let_through(folder, *lines));
    findings.extend(crates.filter_map(|(folder, lines)| too_large(folder, lines)));
    findings.extend(tree.files.iter().filter_map(binary));
}

fn lines(file: &File) -> usize {
    if file.is_test() { file.text.lines().count() } else { file.code().count() }
}

fn too_long(file: &File, lines: usize) -> Option<Finding> {
    let limit = if file.is_test() { TEST_FILE } else { FILE };
    if lines > limit.hard {
        let text =
            format!("{lines} lines, the limit is {}: nobody reads it at once; split it by what it does", limit.hard);
        return Some(Finding::new(&file.path, 1, text));
    }
    let text = format!("{lines} lines: more than {} are rarely one thing", limit.soft);
    (lines > limit.soft).then(|| Finding::advice(&file.path, 1, text))
}

fn too_large(folder: &str, lines: usize) -> Option<Finding> {
    let manifest = format!("{folder}/Cargo.toml");
    if lines > CRATE.hard {
        let text = format!("{lines} lines in a crate, the limit is {}: it has become two; split it", CRATE.hard);
        return Some(Finding::new(&manifest, 1, text));
    }
    (lines > CRATE.soft).then(|| Finding::advice(&manifest, 1, format!("{lines} lines in a crate: it may be two")))
}

fn binary(file: &File) -> Option<Finding> {
    let is_picture = PICTURES.iter().any(|end| file.path.ends_with(&format!(".{end}")));
    if !file.is_text && !is_picture {
        let text = "a binary is committed: nobody can review it; commit its source and build it";
        return Some(Finding::new(&file.path, 1, text));
    }
    let text = format!("{} bytes: commit what made it instead", file.size_bytes);
    (file.size_bytes > LARGEST_BYTES).then(|| Finding::new(&file.path, 1, text))
}

/// One `[[long]]` or `[[large]]` of the configuration: a file or a crate that is let through.
struct Exception<'c> {
    path: &'c str,
    lines: usize,
    reason: &'c str,
}

impl<'c> Exception<'c> {
    fn read(table: &'c Table) -> Exception<'c> {
        let lines = table.get("lines").and_then(Value::as_integer).unwrap_or_default();
        Exception {
            path: text(table, "path"),
            lines: usize::try_from(lines).unwrap_or_default(),
            reason: text(table, "reason"),
        }
    }

    /// Holds the list of crates to what is needed, in steps of a hundred lines.
    fn check_crate(&self, crates: &BTreeMap<&str, usize>) -> Option<Finding> {
        let path = self.path;
        if self.reason.is_empty() {
            return Some(Finding::new(CONFIG, 1, format!("the exception of {path} has no reason; give it one")));
        }
        let lines = crates.get(path).copied().unwrap_or_default();
        if lines <= CRATE.hard {
            return Some(Finding::new(CONFIG, 1, format!("{path} has {lines} lines, no exception; remove it")));
        }
        let needed = lines.next_multiple_of(100);
        let text = format!("{path} has {lines} lines by now, {} were let through: write {needed}", self.lines);
        (needed < self.lines).then(|| Finding::new(CONFIG, 1, text))
    }

    /// Holds the list to what is needed, so that it only shrinks.
    fn check(&self, tree: &Tree) -> Option<Finding> {
        let path = self.path;
        if self.reason.is_empty() {
            return Some(Finding::new(CONFIG, 1, format!("the exception of {path} has no reason; give it one")));
        }
        let Some(file) = tree.get(path) else {
            return Some(Finding::new(CONFIG, 1, format!("the exception of {path} is of no file; remove it")));
        };
        let limit = if file.is_test() { TEST_FILE.hard } else { FILE.hard };
        let lines = lines(file);
        if lines <= limit {
            return Some(Finding::new(CONFIG, 1, format!("{path} has {lines} lines, no exception; remove it")));
        }
        let text = format!("{path} has {lines} lines by now, {} were let through: write {lines}", self.lines);
        (lines < self.lines).then(|| Finding::new(CONFIG, 1, text))
    }
}
