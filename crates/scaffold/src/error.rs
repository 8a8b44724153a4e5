//! Why there is no scaffold.

use std::path::PathBuf;

/// Why a template cannot be had, filled in or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Nothing in the catalog is called so.
    #[error("there is no template `{name}`")]
    Unknown {
        /// What was asked for.
        name: String,
        /// The template that was probably meant.
        nearest: Option<String>,
    },
    /// Nothing in the catalog fits.
    #[error("there is no template for {wanted}")]
    NoneFits {
        /// What was asked for, in words.
        wanted: String,
        /// Templates that fit all but one of the wishes.
        near: Vec<String>,
    },
    /// A description that cannot be read.
    #[error("{place}: {message}")]
    Description {
        /// Its file.
        place: String,
        /// What is wrong.
        message: String,
    },
    /// A file or folder that cannot be read or written.
    #[error("cannot {doing} {path}: {source}", path = path.display())]
    Io {
        /// `read`, `write`, …
        doing: &'static str,
        /// Which one.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// A template beyond a bound.
    #[error("the template {template} has {what}")]
    TooLarge {
        /// Which one.
        template: String,
        /// What there is too much of.
        what: String,
    },
    /// A file of a template that may not be written.
    #[error("the template's file {path:?} {why}")]
    Path {
        /// Its path in the template.
        path: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// A `{{` that cannot be filled in.
    #[error("the template's file {file}, line {line}: {message}")]
    Placeholder {
        /// Its path in the template.
        file: String,
        /// From 1 on.
        line: usize,
        /// What is wrong.
        message: String,
    },
    /// A value that is needed and was not given.
    #[error("the template needs a value for `{name}`: {description}")]
    NoValue {
        /// The variable.
        name: String,
        /// What it is.
        description: String,
    },
    /// A value that was given for nothing.
    #[error("the template has no variable `{name}`")]
    UnknownValue {
        /// What was given a value.
        name: String,
        /// Those that it has.
        known: Vec<String>,
    },
    /// A name that no app and no component can have.
    #[error("the name `{name}` {why}")]
    Name {
        /// The name.
        name: String,
        /// What is wrong with it.
        why: &'static str,
        /// One that would do.
        better: String,
    },
    /// Files that are there already.
    #[error("{folder} already has {files}", folder = folder.display(), files = files.join(", "))]
    Exists {
        /// Where.
        folder: PathBuf,
        /// Which.
        files: Vec<String>,
    },
    /// A repository that cannot be cloned.
    #[error("cannot clone {url}: {message}")]
    Git {
        /// Where it is.
        url: String,
        /// What git said.
        message: String,
    },
    /// A URL of a template that is none.
    #[error("{url:?} is no URL of a template: {why}")]
    Url {
        /// What was given.
        url: String,
        /// What is wrong.
        why: &'static str,
    },
    /// WIT that cannot be read.
    #[error("cannot read the WIT in {path}: {message}", path = path.display())]
    Wit {
        /// Where it is.
        path: PathBuf,
        /// What is wrong.
        message: String,
    },
    /// Bindings that cannot be made.
    #[error("cannot make bindings: {message}")]
    Bindings {
        /// Why not.
        message: String,
    },
    /// A manifest that cannot get another component.
    #[error("{manifest}: {message}")]
    Manifest {
        /// Which one: the app's or the template's.
        manifest: String,
        /// What is wrong.
        message: String,
    },
}

impl Error {
    /// Returns a function that makes the error of a file.
    pub(crate) fn io(doing: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { doing, path, source }
    }
}
