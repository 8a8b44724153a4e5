//! Which tests there are: test files, and components that test.
//!
//! In: the folder of an app. Out: [`Tests`], or all that is wrong with their files. Next: [`crate::runner`].

use crate::error::{Error, WrongFile};
use std::path::{Path, PathBuf};
use wharf_app::{App, MANIFEST, Source};
use wharf_testing::{Suite, Test};

/// The folder of tests, beside the manifest.
pub const FOLDER: &str = "tests";

/// Folders below it that hold no tests: what tests use, and what builds make.
const SKIPPED: &[&str] = &["fixtures", "target", "node_modules", ".git", ".wharf", "__pycache__", ".venv"];

/// Files that say that a folder is a project of its own, whose TOML files are no tests.
const PROJECTS: &[&str] = &["Cargo.toml", "pyproject.toml", "wharf.toml", "package.json"];

/// How deep folders may be nested.
const DEPTH: usize = 16;

/// Files that are read.
const FILES_MAX: usize = 10_000;

/// All tests of an app, in the order of their files.
#[derive(Debug)]
pub struct Tests {
    files: Vec<File>,
    testers: Vec<Tester>,
    folder: PathBuf,
}

/// A test file.
#[derive(Debug)]
pub(crate) struct File {
    pub(crate) path: PathBuf,
    pub(crate) text: String,
    pub(crate) suite: Suite,
}

/// A component that tests.
#[derive(Debug)]
pub(crate) struct Tester {
    pub(crate) name: String,
    pub(crate) path: PathBuf,
    /// Whether the manifest names it.
    is_declared: bool,
}

/// One test.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// Of a file: its number, and the test's.
    InFile(usize, usize),
    /// A component that tests.
    Tester(usize),
}

impl Tests {
    /// Finds and reads them.
    ///
    /// # Errors
    /// When a file cannot be read, or when there is something wrong with some: all of it then.
    pub fn find(folder: &Path, app: &App) -> Result<Self, Error> {
        let mut paths = Vec::new();
        collect(&folder.join(FOLDER), DEPTH, &mut paths);
        paths.sort();
        let mut tests = Self { files: Vec::new(), testers: declared(app, folder), folder: folder.to_owned() };
        let mut wrong = Vec::new();
        for path in paths {
            if path.extension().is_some_and(|end| end == "wasm") {
                let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
                tests.testers.push(Tester { name, path, is_declared: false });
                continue;
            }
            match read(folder, path)? {
                Ok(file) => tests.files.push(file),
                Err(file) => wrong.push(file),
            }
        }
        if wrong.is_empty() { Ok(tests) } else { Err(Error::Wrong(wrong)) }
    }

    /// Returns those that a filter names; all, without a filter.
    pub fn matching(&self, filters: &[String]) -> Vec<Found> {
        let in_files = self
            .files
            .iter()
            .enumerate()
            .flat_map(|(file, read)| (0..read.suite.tests.len()).map(move |test| Found::InFile(file, test)));
        let all = in_files.chain((0..self.testers.len()).map(Found::Tester));
        let fits = |found: &Found| {
            let id = self.id(*found);
            filters.is_empty() || filters.iter().any(|filter| id.contains(filter.as_str()))
        };
        all.filter(fits).collect()
    }

    /// Returns how many there are.
    pub fn count(&self) -> usize {
        self.files.iter().map(|file| file.suite.tests.len()).sum::<usize>() + self.testers.len()
    }

    pub(crate) fn files(&self) -> &[File] {
        &self.files
    }

    /// Returns the file and the test, of one that is in a file.
    pub(crate) fn in_file(&self, found: Found) -> Option<(&File, &Test)> {
        let Found::InFile(file, test) = found else { return None };
        let file = self.files.get(file)?;
        Some((file, file.suite.tests.get(test)?))
    }

    /// Returns the component, if it is one.
    pub(crate) fn tester(&self, found: Found) -> Option<&Tester> {
        let Found::Tester(number) = found else { return None };
        self.testers.get(number)
    }

    /// Returns a file's name as it is shown.
    pub(crate) fn shown(&self, found: Found) -> String {
        let path = match (self.in_file(found), self.tester(found)) {
            (Some((file, _)), _) => file.path.as_path(),
            (None, Some(tester)) if !tester.is_declared => tester.path.as_path(),
            (None, _) => Path::new(MANIFEST),
        };
        path.strip_prefix(&self.folder).unwrap_or(path).display().to_string()
    }

    /// Returns a test's name.
    pub(crate) fn name(&self, found: Found) -> String {
        match self.in_file(found) {
            Some((_, test)) => test.name.clone(),
            None => self.tester(found).map(|tester| tester.name.clone()).unwrap_or_default(),
        }
    }

    /// Returns what filters look at.
    pub fn id(&self, found: Found) -> String {
        format!("{}: {}", self.shown(found), self.name(found))
    }
}

/// Returns the component that the manifest says tests the others.
fn declared(app: &App, folder: &Path) -> Vec<Tester> {
    let component = app.test.component.as_ref().and_then(|name| app.component(name));
    let tester = component.and_then(|component| match &component.source {
        Source::File(file) => Some(Tester { name: component.name.clone(), path: folder.join(file), is_declared: true }),
        // One that is fetched is no test of this app alone.
        _ => None,
    });
    tester.into_iter().collect()
}

/// Reads a file; the inner error is what is wrong with it.
fn read(folder: &Path, path: PathBuf) -> Result<Result<File, WrongFile>, Error> {
    let text = std::fs::read_to_string(&path).map_err(|source| Error::Read { path: path.clone(), source })?;
    let (suite, problems) = wharf_testing::parse(&text);
    Ok(match suite {
        Some(suite) => Ok(File { path, text, suite }),
        None => {
            let name = path.strip_prefix(folder).unwrap_or(&path).display().to_string();
            Err(WrongFile { name, text, problems })
        }
    })
}

/// Collects files that are tests. What cannot be read has none.
fn collect(folder: &Path, depth: usize, files: &mut Vec<PathBuf>) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    let paths: Vec<PathBuf> = entries.filter_map(Result::ok).map(|entry| entry.path()).collect();
    let named =
        |path: &Path, names: &[&str]| path.file_name().is_some_and(|name| names.iter().any(|known| name == *known));
    if paths.iter().any(|path| named(path, PROJECTS)) {
        return;
    }
    for path in paths {
        if path.is_dir() {
            if depth > 0 && !named(&path, SKIPPED) {
                collect(&path, depth - 1, files);
            }
        } else if path.extension().is_some_and(|end| end == "toml" || end == "wasm") && files.len() < FILES_MAX {
            files.push(path);
        }
    }
}
