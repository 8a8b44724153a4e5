//! The files of the repository as the checks see them: what is committed, and what would be.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};
use toml::Table;

use xtask_setup::run;

/// One file; `text` is empty when it is not text.
pub(crate) struct File {
    /// Relative to the root, with `/`.
    pub(crate) path: String,
    pub(crate) text: String,
    pub(crate) size_bytes: usize,
    pub(crate) is_text: bool,
}

/// Every file of the repository, in the order of their paths.
pub(crate) struct Tree {
    pub(crate) files: Vec<File>,
}

impl Tree {
    /// Reads the files that git has or would add.
    pub(crate) fn read() -> Result<Tree> {
        let list = ["ls-files", "-z", "--cached", "--others", "--exclude-standard"];
        let list = run::output(&mut run::command("git", &list)).context("the files come from git")?;
        let root = run::root();
        let mut files: Vec<File> =
            list.split('\0').filter(|path| !path.is_empty()).filter_map(|path| File::read(&root, path)).collect();
        files.sort_by(|one, other| one.path.cmp(&other.path));
        files.dedup_by(|one, other| one.path == other.path);
        Ok(Tree { files })
    }

    pub(crate) fn get(&self, path: &str) -> Option<&File> {
        self.files.iter().find(|file| file.path == path)
    }

    /// Returns the Rust files of our own crates and tasks.
    pub(crate) fn rust(&self) -> impl Iterator<Item = &File> {
        self.files.iter().filter(|file| {
            file.path.ends_with(".rs") && (file.path.starts_with("crates/") || file.path.starts_with("xtask/"))
        })
    }

    /// Returns the folder and the manifest of each of our own crates and of xtask.
    pub(crate) fn manifests(&self) -> impl Iterator<Item = (&str, &File)> {
        self.files.iter().filter_map(|file| {
            let folder = file.path.strip_suffix("/Cargo.toml")?;
            (folder.starts_with("crates/") || folder == "xtask").then_some((folder, file))
        })
    }
}

impl File {
    fn read(root: &Path, path: &str) -> Option<File> {
        // A file that was deleted and not committed yet is no file.
        let bytes = fs::read(root.join(path)).ok()?;
        let size_bytes = bytes.len();
        let text = String::from_utf8(bytes).ok().filter(|text| !text.contains('\0'));
        Some(File { path: path.to_owned(), is_text: text.is_some(), text: text.unwrap_or_default(), size_bytes })
    }

    pub(crate) fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or_default()
    }

    /// Tells whether all of the file is a test.
    pub(crate) fn is_test(&self) -> bool {
        self.name() == "tests.rs" || self.path.split('/').any(|part| part == "tests")
    }

    /// Returns the lines before the inline test module; none when all of the file is a test.
    pub(crate) fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        let end = if self.is_test() { 0 } else { tests_start(&self.text) };
        (1..).zip(self.text.lines()).take(end)
    }

    /// Returns the file as TOML; a file that is none is an empty table, which every check of it then reports.
    pub(crate) fn toml(&self) -> Table {
        self.text.parse().unwrap_or_default()
    }
}

/// Returns how many lines come before `#[cfg(test)] mod tests {`.
fn tests_start(text: &str) -> usize {
    let lines: Vec<&str> = text.lines().collect();
    let is_start = |pair: &[&str]| pair[0] == "#[cfg(test)]" && pair[1].starts_with("mod ") && pair[1].ends_with('{');
    lines.windows(2).position(is_start).unwrap_or(lines.len())
}

#[cfg(test)]
impl Tree {
    /// Returns a tree of these paths and texts.
    pub(crate) fn of(files: &[(&str, &str)]) -> Tree {
        let file = |(path, text): &(&str, &str)| File {
            path: (*path).to_owned(),
            text: (*text).to_owned(),
            size_bytes: text.len(),
            is_text: true,
        };
        Tree { files: files.iter().map(file).collect() }
    }
}
