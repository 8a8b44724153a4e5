//! The files that a component is made of: which they are, which is newest, and what is in them.
//!
//! In: the `dir` and `watch` of a build. Out: whether the component is stale, and a [`Fingerprint`]. Next: [`crate::build`], and `dev`.

use crate::{Error, LOCK};
use globset::{Glob, GlobBuilder, GlobSet, GlobSetBuilder};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::SystemTime;
use wharf_app::{Build, Component};

/// Folders that hold what builds make, or history, never sources.
const SKIPPED: &[&str] = &["target", "node_modules", ".git", ".wharf", "__pycache__", ".venv"];

/// How deep folders of sources may be nested: a link that leads up would never end.
const DEPTH: usize = 32;

/// Files that are looked at: a folder with more is not one of sources, and walking it would take longer than building.
const FILES: usize = 50_000;

/// Files up to this size are compared by what is in them, larger ones by their time and size.
const CONTENT_BYTES: u64 = 1 << 20;

/// The sources of one component.
#[derive(Clone, Debug)]
pub struct Sources {
    /// The folder of the build, and those beside it that `watch` names: `../wit/*.wit` is of the folder `../wit`.
    roots: Vec<Root>,
}

/// What of one folder `watch` takes: files that count, and files that do not count in spite of that.
#[derive(Clone, Debug)]
struct Root {
    folder: PathBuf,
    /// Absent if nothing is said.
    files: Option<GlobSet>,
    without: GlobSet,
}

/// What was in the sources at one moment. Two that are equal build the same.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fingerprint(BTreeMap<PathBuf, [u8; 32]>);

impl Sources {
    /// Returns the sources of a component that has a build; `folder` is the manifest's.
    ///
    /// # Errors
    /// When a glob of `watch` is none.
    pub fn of(component: &Component, build: &Build, folder: &Path) -> Result<Self, Error> {
        let dir = dir(build, folder);
        // As events of the file system name it: links followed.
        let dir = std::fs::canonicalize(&dir).unwrap_or(dir);
        let roots = roots(&dir, &build.watch);
        let roots = roots.map_err(|source| Error::Glob { component: component.name.clone(), source })?;
        Ok(Self { roots })
    }

    /// Tells whether one of them is newer than `built`. What cannot be read is no source.
    pub fn changed_since(&self, built: SystemTime) -> bool {
        let mut newer = false;
        self.walk(&mut |_, data| newer |= data.modified().is_ok_and(|modified| modified > built));
        newer
    }

    /// Returns what is in them now.
    pub fn fingerprint(&self) -> Fingerprint {
        let mut files = BTreeMap::new();
        self.walk(&mut |path, data| {
            let small = data.is_file() && data.len() <= CONTENT_BYTES;
            let hash = match small.then(|| std::fs::read(path)) {
                Some(Ok(bytes)) => blake3::hash(&bytes),
                _ => blake3::hash(format!("{} {:?}", data.len(), data.modified().ok()).as_bytes()),
            };
            files.insert(path.to_owned(), hash.into());
        });
        Fingerprint(files)
    }

    /// Returns every folder that has or could have sources: those to watch.
    pub fn folders(&self) -> Vec<PathBuf> {
        let mut folders = Vec::new();
        let mut walk =
            Walk { left: FILES, folder: &mut |folder| folders.push(folder.to_owned()), file: &mut |_, _| {} };
        self.roots.iter().for_each(|root| walk.folder(&root.folder, DEPTH));
        folders
    }

    /// Tells whether a path is one of the sources, there or not.
    pub fn contains(&self, path: &Path) -> bool {
        self.roots.iter().any(|root| {
            let Ok(relative) = path.strip_prefix(&root.folder) else { return false };
            let skipped = relative.parent().into_iter().flat_map(Path::components);
            let mut skipped = skipped.filter_map(|part| part.as_os_str().to_str());
            !skipped.any(|part| SKIPPED.contains(&part)) && root.takes(relative)
        })
    }

    fn walk(&self, found: &mut dyn FnMut(&Path, &std::fs::Metadata)) {
        for root in &self.roots {
            let mut file = |path: &Path, data: &std::fs::Metadata| {
                if root.takes(path.strip_prefix(&root.folder).unwrap_or(path)) {
                    found(path, data);
                }
            };
            Walk { left: FILES, folder: &mut |_| {}, file: &mut file }.folder(&root.folder, DEPTH);
        }
    }
}

impl Root {
    fn takes(&self, relative: &Path) -> bool {
        let counts = match &self.files {
            Some(files) => files.is_match(relative),
            // What this crate writes is no reason to build again.
            None => relative.extension().is_none_or(|end| end != "wasm") && relative != Path::new(LOCK),
        };
        counts && !self.without.is_match(relative)
    }
}

struct Walk<'a> {
    left: usize,
    folder: &'a mut dyn FnMut(&Path),
    file: &'a mut dyn FnMut(&Path, &std::fs::Metadata),
}

impl Walk<'_> {
    fn folder(&mut self, folder: &Path, depth: usize) {
        (self.folder)(folder);
        let Ok(entries) = std::fs::read_dir(folder) else { return };
        for entry in entries.filter_map(Result::ok) {
            let Some(left) = self.left.checked_sub(1) else { return };
            self.left = left;
            let Ok(data) = entry.metadata() else { continue };
            if !data.is_dir() {
                (self.file)(&entry.path(), &data);
            } else if depth > 0 && SKIPPED.iter().all(|name| entry.file_name() != *name) {
                self.folder(&entry.path(), depth - 1);
            }
        }
    }
}

/// Returns the folder that a build runs in.
pub(crate) fn dir(build: &Build, folder: &Path) -> PathBuf {
    build.dir.as_ref().map_or_else(|| folder.to_owned(), |dir| folder.join(dir))
}

/// Returns what `watch` names, by the folders that it is in; all of `dir` if it names nothing there.
fn roots(dir: &Path, watch: &[String]) -> Result<Vec<Root>, globset::Error> {
    #[derive(Default)]
    struct Globs {
        files: Vec<Glob>,
        without: Vec<Glob>,
    }
    let mut folders: BTreeMap<PathBuf, Globs> = BTreeMap::from([(dir.to_owned(), Globs::default())]);
    for pattern in watch {
        let (is_left_out, pattern) = match pattern.strip_prefix('!') {
            Some(pattern) => (true, pattern),
            None => (false, pattern.as_str()),
        };
        let (folder, pattern) = beside(dir, pattern);
        // `*.c` is what is in the folder itself, and not what a build makes in one below it.
        let glob = GlobBuilder::new(pattern).literal_separator(true).build()?;
        let globs = folders.entry(folder).or_default();
        if is_left_out { &mut globs.without } else { &mut globs.files }.push(glob);
    }
    let set = |globs: Vec<Glob>| {
        globs.into_iter().fold(GlobSetBuilder::new(), |mut set, glob| {
            set.add(glob);
            set
        })
    };
    // Of folders beside the build's own, only what is named counts.
    let has_files = folders.values().any(|globs| !globs.files.is_empty());
    let named = folders.into_iter().filter(|(folder, globs)| !globs.files.is_empty() || (folder == dir && !has_files));
    let root = |(folder, globs): (PathBuf, Globs)| {
        let files = if globs.files.is_empty() { None } else { Some(set(globs.files).build()?) };
        Ok(Root { folder, files, without: set(globs.without).build()? })
    };
    named.map(root).collect()
}

/// Returns the folder that a glob begins in, links followed, and the rest of it: another one than `dir` for `../wit/*.wit`.
fn beside<'a>(dir: &Path, pattern: &'a str) -> (PathBuf, &'a str) {
    if !pattern.starts_with("../") {
        return (dir.to_owned(), pattern);
    }
    let (mut folder, mut rest) = (dir.to_owned(), pattern);
    while let Some((part, below)) = rest.split_once('/')
        && !part.contains(['*', '?', '[', '{'])
    {
        folder.push(part);
        rest = below;
    }
    (std::fs::canonicalize(&folder).unwrap_or(folder), rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sources(folder: &Path, watch: &[&str]) -> Sources {
        let watch = watch.iter().map(|glob| (*glob).to_owned()).collect();
        let build = Build { watch, ..Build::new("true") };
        let mut app = wharf_app::App::implicit("a", "a.wasm");
        Sources::of(&app.components.remove(0), &build, folder).unwrap()
    }

    #[test]
    fn what_is_in_files_counts_and_not_when_they_were_written() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.txt");
        std::fs::write(&file, "one").unwrap();
        let sources = sources(folder.path(), &[]);
        let first = sources.fingerprint();
        std::fs::write(&file, "one").unwrap();
        assert_eq!(sources.fingerprint(), first);
        std::fs::write(&file, "two").unwrap();
        assert_ne!(sources.fingerprint(), first);
    }

    #[test]
    fn what_builds_make_is_no_source() {
        let folder = tempfile::tempdir().unwrap();
        for file in ["a.wasm", LOCK, "target/x.rs", "node_modules/y.js", "src/lib.rs"] {
            let file = folder.path().join(file);
            std::fs::create_dir_all(file.parent().unwrap()).unwrap();
            std::fs::write(file, "").unwrap();
        }
        let all = sources(folder.path(), &[]);
        let expected = folder.path().canonicalize().unwrap().join("src/lib.rs");
        assert_eq!(all.fingerprint().0.into_keys().collect::<Vec<_>>(), [expected]);
        assert!(all.contains(&folder.path().join("src/new.rs")));
        assert!(!all.contains(&folder.path().join("target/debug/new.rs")));
        assert!(!all.contains(&folder.path().join("new.wasm")));
        let some = sources(folder.path(), &["src/**"]);
        assert!(some.contains(&folder.path().join("src/new.rs")) && !some.contains(&folder.path().join("new.rs")));
    }

    #[test]
    fn globs_are_of_one_folder_unless_they_say_otherwise_and_may_leave_files_out() {
        let folder = Path::new("/app");
        let is_source = |watch: &[&str], file: &str| sources(folder, watch).contains(&folder.join(file));
        assert!(is_source(&["*.c"], "app.c") && !is_source(&["*.c"], "gen/http.c"));
        assert!(is_source(&["**/*.go"], "app.go") && is_source(&["**/*.go"], "a/b/c.go"));
        let but_gen = ["**/*.go", "!gen/**"];
        assert!(is_source(&but_gen, "a/b.go") && !is_source(&but_gen, "gen/b.go") && !is_source(&but_gen, "a.txt"));
        assert!(is_source(&["!gen/**"], "a.txt") && !is_source(&["!gen/**"], "gen/a.txt"));
    }

    #[test]
    fn what_is_beside_the_folder_counts_if_it_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let place = |name: &str| folder.path().canonicalize().unwrap().join(name);
        for file in ["tax/tax.c", "wit/tax.wit", "wit/notes.md", "wit/old/tax.wit", "other/x.wit"] {
            std::fs::create_dir_all(place(file).parent().unwrap()).unwrap();
            std::fs::write(place(file), "").unwrap();
        }
        let tax = sources(&place("tax"), &["*.c", "../wit/*.wit"]);
        let found: Vec<_> = tax.fingerprint().0.into_keys().collect();
        assert_eq!(found, [place("tax/tax.c"), place("wit/tax.wit")]);
        assert!(tax.contains(&place("wit/new.wit")) && !tax.contains(&place("other/x.wit")));
        assert!(tax.folders().contains(&place("wit")) && !tax.folders().contains(&place("other")));
        let every = sources(&place("tax"), &["*.c", "../*/*.wit", "!../*/x.wit"]);
        assert!(every.contains(&place("wit/tax.wit")) && !every.contains(&place("other/x.wit")));
    }

    #[test]
    fn a_glob_that_is_none_is_an_error() {
        let build = Build { watch: vec!["[".to_owned()], ..Build::new("true") };
        let app = wharf_app::App::implicit("a", "a.wasm");
        assert!(matches!(Sources::of(&app.components[0], &build, Path::new(".")), Err(Error::Glob { .. })));
    }
}
