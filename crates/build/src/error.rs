//! Why there is no component.

use std::path::PathBuf;
use std::time::Duration;

/// Why a component could not be built.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Changes of files cannot be noticed.
    #[error("cannot watch files")]
    Watch {
        /// Why.
        source: notify::Error,
    },
    /// A glob of `watch` is none.
    #[error("component {component}: `watch` has an invalid glob")]
    Glob {
        /// The component.
        component: String,
        /// Why.
        source: globset::Error,
    },
    /// The command could not be started.
    #[error("component {component}: cannot run its build in {}", dir.display())]
    Start {
        /// The component.
        component: String,
        /// Where it was to run.
        dir: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The command says that it failed.
    #[error("the build of {component} failed with {status}")]
    Failed {
        /// The component.
        component: String,
        /// The command line.
        command: String,
        /// Where it ran.
        dir: PathBuf,
        /// How it ended.
        status: std::process::ExitStatus,
        /// What it printed, its last part if that was much.
        said: String,
    },
    /// The command needs a program or a target that is not on the machine.
    #[error("the build of {component} needs {tool}, which is not there: {advice}")]
    MissingTool {
        /// The component.
        component: String,
        /// What is missing.
        tool: String,
        /// What installs it.
        advice: String,
        /// The command line.
        command: String,
        /// What it printed.
        said: String,
    },
    /// The command did not end.
    #[error("the build of {component} did not end within {} s and was killed", after.as_secs())]
    TimedOut {
        /// The component.
        component: String,
        /// The command line.
        command: String,
        /// How long it was waited for.
        after: Duration,
        /// What it printed.
        said: String,
    },
    /// The command ended well, and there is no file.
    #[error("the build of {component} wrote no {}", file.display())]
    NoOutput {
        /// The component.
        component: String,
        /// The file that is not there.
        file: PathBuf,
        /// The key of the manifest that names it.
        key: &'static str,
    },
    /// What the command wrote is neither a component nor a core module.
    #[error("component {component}: {} is no component", file.display())]
    Inspect {
        /// The component.
        component: String,
        /// The file.
        file: PathBuf,
        /// Why.
        source: Box<wharf_component::Error>,
    },
    /// A core module could not be made a component.
    #[error("component {component}: the core module {} cannot be made a component", file.display())]
    Module {
        /// The component.
        component: String,
        /// The core module.
        file: PathBuf,
        /// Why.
        source: Box<ModuleError>,
    },
    /// The component could not be initialised.
    #[error("component {component}: the initialisation `{function}` of {} failed", file.display())]
    Preinit {
        /// The component.
        component: String,
        /// What the command made.
        file: PathBuf,
        /// The function.
        function: String,
        /// Why.
        source: Box<PreinitError>,
    },
    /// A file could not be read or written.
    #[error("cannot {verb} {}", file.display())]
    File {
        /// `read` or `write`.
        verb: &'static str,
        /// The file.
        file: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// `wharf.lock` cannot be read.
    #[error("{} is no lock file of this version of Wharf", file.display())]
    Lock {
        /// The file.
        file: PathBuf,
        /// Why.
        source: Box<toml::de::Error>,
    },
}

/// Why a core module could not be made a component.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ModuleError {
    /// Nothing says which world it is made for.
    #[error("it carries no world: name it with `wit` and `world` in the component's `build`")]
    NoWorld,
    /// The WIT cannot be read.
    #[error("cannot read the WIT in {}: {why}", path.display())]
    Wit {
        /// The folder or file.
        path: PathBuf,
        /// Why: the parser's text, with the place.
        why: String,
    },
    /// The WIT has no such world.
    #[error("the WIT in {} does not say which world: {why}", path.display())]
    World {
        /// The folder or file.
        path: PathBuf,
        /// Why.
        why: String,
    },
    /// It does not fit its world.
    #[error("it does not fit its world: {why}")]
    Encode {
        /// Why: the encoder's text, with all its causes.
        why: String,
    },
}

/// Why there is no initialised component.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PreinitError {
    /// There is no such function.
    #[error("its core module exports no such function{}", listed(exports))]
    Missing {
        /// Functions that it exports.
        exports: Vec<String>,
    },
    /// More than one core module has it.
    #[error("more than one of its core modules exports it, and which is meant cannot be said")]
    Ambiguous,
    /// The function has parameters or a result.
    #[error("the function has parameters or a result; it must have none")]
    Signature,
    /// It has been initialised by another function.
    #[error("it was initialised with `{function}` before: let the command make it anew")]
    Again {
        /// The function.
        function: String,
    },
    /// What was made cannot be read.
    #[error("it cannot be read: {why}")]
    Damaged {
        /// Why.
        why: String,
    },
    /// It was called and failed, or nothing can be kept of it.
    #[error("{fault}")]
    Failed {
        /// Why.
        #[source]
        fault: wharf_preinit::PreinitFault,
        /// What it had written by then.
        said: String,
    },
}

fn listed(exports: &[String]) -> String {
    if exports.is_empty() { String::new() } else { format!("; it exports {}", exports.join(", ")) }
}

impl Error {
    /// Returns the code of the page that explains it.
    pub fn code(&self) -> Option<&'static str> {
        match self {
            Self::Failed { .. } | Self::Start { .. } => Some("WHARF-0060"),
            Self::MissingTool { .. } => Some("WHARF-0061"),
            Self::TimedOut { .. } => Some("WHARF-0062"),
            Self::NoOutput { .. } | Self::Inspect { .. } => Some("WHARF-0063"),
            Self::Module { .. } => Some("WHARF-0064"),
            Self::Preinit { .. } => Some("WHARF-0068"),
            Self::Lock { .. } => Some("WHARF-0065"),
            Self::Glob { .. } | Self::File { .. } | Self::Watch { .. } => None,
        }
    }

    /// Returns what the build's command, or the initialisation, printed before it failed.
    pub fn said(&self) -> &str {
        match self {
            Self::Failed { said, .. } | Self::MissingTool { said, .. } | Self::TimedOut { said, .. } => said,
            Self::Preinit { source, .. } => match &**source {
                PreinitError::Failed { said, .. } => said,
                _ => "",
            },
            _ => "",
        }
    }
}
