//! A WIT package as it lies in a folder: its files, and the packages that it can use.

/// Bytes of all texts together: WASI has 300 KB.
pub const TEXT_LEN_MAX: usize = 8 << 20;

/// A package's files and what lies in `deps` beside them.
#[derive(Clone, Debug, Default)]
pub struct Folder {
    /// The files of the package itself.
    pub files: Vec<SourceFile>,
    /// What it may use.
    pub deps: Vec<Dependency>,
}

/// One file with WIT text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SourceFile {
    /// What errors call it; unique in a [`Folder`].
    pub name: String,
    /// Its text.
    pub text: String,
}

/// One entry of `deps`.
#[derive(Clone, Debug)]
pub enum Dependency {
    /// A folder or a file with WIT text: one package.
    Text(Vec<SourceFile>),
    /// A WIT package in binary form, with all that it uses.
    Binary {
        /// What errors call it.
        name: String,
        /// Its bytes.
        bytes: Vec<u8>,
    },
}

impl Folder {
    /// Returns the folder of one text, for packages that use no others.
    pub fn of_text(name: &str, text: &str) -> Self {
        Self { files: vec![SourceFile { name: name.to_owned(), text: text.to_owned() }], deps: Vec::new() }
    }

    /// Returns every file with text: first the package's own, then those of its dependencies.
    pub fn texts(&self) -> impl Iterator<Item = &SourceFile> {
        let of_deps = self.deps.iter().flat_map(|dep| match dep {
            Dependency::Text(files) => files.as_slice(),
            Dependency::Binary { .. } => &[],
        });
        self.files.iter().chain(of_deps)
    }
}
