//! Why tests cannot be run, which is something else than that they failed.

use std::path::PathBuf;
use wharf_app::Problem;

/// Why tests cannot be run, or what they learnt not be written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A test file cannot be read.
    #[error("cannot read {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Test files say what cannot be understood.
    #[error("{} test files have mistakes", .0.len())]
    Wrong(Vec<WrongFile>),
    /// What was learnt has no place in a test file.
    #[error("{file}")]
    Edit {
        /// The file, as it is shown.
        file: String,
        /// Why.
        source: wharf_testing::EditError,
    },
    /// A test file cannot be written.
    #[error("cannot write {}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
}

/// A test file with mistakes.
#[derive(Debug)]
pub struct WrongFile {
    /// Its name below the folder of the app.
    pub name: String,
    /// What is in it.
    pub text: String,
    /// All that is wrong.
    pub problems: Vec<Problem>,
}
