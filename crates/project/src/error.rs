//! Why there is no app that could be loaded.

use std::path::PathBuf;
use wharf_app::{LineError, MANIFEST, Problem, environment_name};

use crate::Text;

/// Why an app cannot be read, or not be made complete.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// There is nothing at a path.
    #[error("cannot open {}", path.display())]
    Open {
        /// The path.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A folder is none of an app.
    #[error("there is no {MANIFEST} in {}", folder.display())]
    NoManifest {
        /// The folder.
        folder: PathBuf,
    },
    /// Flags grant what only the manifest may.
    #[error("flags that grant something, such as --env and --keyvalue, are for a component without a manifest")]
    Grants {
        /// The manifest.
        manifest: PathBuf,
    },
    /// A file cannot be read.
    #[error("cannot read {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The manifest has mistakes.
    #[error("{} has mistakes", text.name)]
    Manifest {
        /// The manifest.
        text: Text,
        /// The mistakes, and what is odd beside them.
        problems: Vec<Problem>,
    },
    /// The app lacks values or components.
    #[error("the app is not complete")]
    Incomplete {
        /// The manifest; absent for a bare component.
        text: Option<Text>,
        /// What it lacks.
        problems: Vec<Problem>,
    },
    /// The operator's file has mistakes.
    #[error("{} has mistakes", text.name)]
    Operator {
        /// The file.
        text: Text,
        /// The mistakes, and what is odd beside them.
        problems: Vec<Problem>,
    },
    /// The operator's file says where a value is, and it is not there.
    #[error("{file}: [{table}]: {why}")]
    Elsewhere {
        /// The operator's file.
        file: String,
        /// The table that needs the value.
        table: String,
        /// Why there is none.
        why: String,
    },
    /// A value is given for a variable that the app does not have: it was meant for another one.
    #[error("{place} gives a value for `{name}`, and the app has no variable of that name")]
    UnknownVariable {
        /// The flag or the file.
        place: String,
        /// The name.
        name: String,
        /// The nearest name of a variable.
        meant: Option<String>,
    },
    /// A value that is secret stood on a command line.
    #[error("the variable `{name}` is secret and was given by --variable")]
    SecretFlag {
        /// The variable.
        name: String,
    },
    /// A file of values has lines that are none.
    #[error("{} has lines that give no values", file.display())]
    Values {
        /// The file.
        file: PathBuf,
        /// Which lines, and what is wrong with them.
        errors: Vec<LineError>,
    },
    /// Downloads are not possible at all.
    #[error(transparent)]
    Fetch(#[from] wharf_registry::Error),
}

impl Error {
    /// Returns what to do about it, where that is not said already.
    pub fn help(&self) -> Option<String> {
        Some(match self {
            Self::Open { .. } => format!("give a folder with a {MANIFEST}, a manifest, or a .wasm component"),
            Self::NoManifest { .. } => "give the folder of an app, or a component: `wharf up app.wasm`".to_owned(),
            Self::Grants { manifest } => {
                format!("write grants into {}: [component.NAME.grants]", manifest.display())
            }
            Self::UnknownVariable { meant: Some(meant), .. } => format!("did you mean `{meant}`?"),
            Self::UnknownVariable { .. } => "variables are declared in the manifest: [variables]".to_owned(),
            Self::SecretFlag { name } => format!(
                "everybody on this machine sees a command line: use `wharf secrets set`, the environment variable {} or {}",
                environment_name(name),
                crate::variables::DOTENV
            ),
            Self::Fetch(error) => error.help().to_owned(),
            _ => return None,
        })
    }

    /// Tells whether a file was to be read that is not there.
    pub(crate) fn is_missing_file(&self) -> bool {
        matches!(self, Self::Read { source, .. } if source.kind() == std::io::ErrorKind::NotFound)
    }
}
