//! What `wharf up PATH` is about: a manifest, a folder with one, or a bare component.
//!
//! In: a path. Out: an app and where its files are. Next: `node`.

use crate::args::{GrantArgs, user_cache};
use crate::command_error::CommandError;
use crate::output::talk;
use crate::report;
use std::path::{Path, PathBuf};
use wharf_app::{App, MANIFEST, Problem, Severity};

/// An app on disk. Read again when it changes.
#[derive(Clone, Debug)]
pub(crate) enum Project {
    /// An app with a manifest.
    Manifest {
        /// The manifest.
        file: PathBuf,
    },
    /// A component alone.
    Bare {
        /// The component.
        file: PathBuf,
    },
}

/// A manifest's text, for excerpts of it in errors. Absent for a bare component.
pub(crate) struct Text {
    pub(crate) name: String,
    pub(crate) text: String,
}

/// An app as it was read.
pub(crate) struct Read {
    pub(crate) app: App,
    pub(crate) text: Option<Text>,
}

impl Project {
    /// Finds out what `path` is.
    pub(crate) fn find(path: &Path) -> Result<Self, CommandError> {
        let shown = path.display();
        let data = std::fs::metadata(path).map_err(|error| {
            let error = CommandError::usage(format!("cannot open {shown}: {error}"));
            error.hint("give a folder with a wharf.toml, a manifest, or a .wasm component")
        })?;
        if data.is_dir() {
            let file = path.join(MANIFEST);
            if !file.is_file() {
                let error = CommandError::usage(format!("there is no {MANIFEST} in {shown}"));
                return Err(error.hint("give the folder of an app, or a component: `wharf up app.wasm`"));
            }
            return Ok(Self::Manifest { file });
        }
        let is_manifest = path.extension().is_some_and(|extension| extension == "toml");
        let file = path.to_owned();
        Ok(if is_manifest { Self::Manifest { file } } else { Self::Bare { file } })
    }

    /// Returns the file that says what the app is.
    pub(crate) fn file(&self) -> &Path {
        match self {
            Self::Manifest { file } | Self::Bare { file } => file,
        }
    }

    /// Returns the folder at which relative paths of the app start.
    pub(crate) fn folder(&self) -> PathBuf {
        match self.file().parent() {
            Some(folder) if folder != Path::new("") => folder.to_owned(),
            _ => PathBuf::from("."),
        }
    }

    /// Returns where the app's state is kept unless `--state` says otherwise: `.wharf` beside a manifest. A bare component has no
    /// folder of its own, so its state is in the user's cache.
    pub(crate) fn default_state(&self) -> PathBuf {
        match self {
            Self::Manifest { .. } => self.folder().join(".wharf"),
            Self::Bare { file } => {
                let file = std::fs::canonicalize(file).unwrap_or_else(|_| file.clone());
                let name: String =
                    file.display().to_string().chars().map(|c| if c.is_alphanumeric() { c } else { '-' }).collect();
                let start = name.len().saturating_sub(120);
                let name = name.get(start..).unwrap_or("component").trim_start_matches('-').to_owned();
                match user_cache() {
                    Some(cache) => cache.join("up").join(name),
                    None => self.folder().join(".wharf"),
                }
            }
        }
    }

    /// Reads the app. Warnings go to stderr.
    pub(crate) fn read(&self, flags: &GrantArgs) -> Result<Read, CommandError> {
        match self {
            Self::Manifest { file } => {
                if !flags.is_empty() {
                    let error = CommandError::usage(
                        "--env, --dir, --allow-net and --allow-http are for a component without a manifest",
                    );
                    return Err(error.hint(format!("write grants into {}: [component.NAME.grants]", file.display())));
                }
                read_manifest(file)
            }
            Self::Bare { file } => {
                let name = file.file_stem().map_or_else(|| "app".into(), |stem| stem.to_string_lossy().into_owned());
                let last = file.file_name().unwrap_or(file.as_os_str()).to_string_lossy();
                let mut app = App::implicit(&name, &last);
                let current = std::env::current_dir().unwrap_or_default();
                if let Some(component) = app.components.first_mut() {
                    component.grants = flags.grants(&current);
                }
                Ok(Read { app, text: None })
            }
        }
    }
}

fn read_manifest(file: &Path) -> Result<Read, CommandError> {
    let name = file.display().to_string();
    let text =
        std::fs::read_to_string(file).map_err(|error| CommandError::usage(format!("cannot read {name}: {error}")))?;
    let (app, problems) = wharf_app::parse(&text);
    let text = Text { name, text };
    match app {
        Some(app) => {
            if !problems.is_empty() {
                talk(&report::problems(&problems, &text));
            }
            Ok(Read { app, text: Some(text) })
        }
        None => {
            let errors = problems.iter().filter(|problem| problem.severity == Severity::Error).count();
            let count = if errors == 1 { "1 error".to_owned() } else { format!("{errors} errors") };
            Err(CommandError::rendered(format!(
                "{}\n{}: {count}",
                report::problems(&problems, &text).trim_end(),
                text.name
            )))
        }
    }
}

/// Returns the error of an app that could not be loaded, with excerpts of the manifest where there is one.
pub(crate) fn load_error(error: &wharf_node::Error, text: Option<&Text>) -> CommandError {
    let wharf_node::Error::Components(errors) = error else {
        return report::node_error(error);
    };
    let problems: Vec<Problem> = errors.iter().map(report::component_problem).collect();
    match text {
        Some(text) => CommandError::rendered(report::problems(&problems, text)),
        None => CommandError::rendered(wharf_app::render_without_text(&problems)),
    }
}
