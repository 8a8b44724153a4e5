//! What a path is about: a manifest, a folder with one, or a bare component.
//!
//! In: a path. Out: an app as it was read, and where its files are. Next: [`Values`](crate::Values) and [`fetch`](crate::fetch).

use crate::{Environment, Error};
use std::path::{Path, PathBuf};
use wharf_app::{App, Grants, MANIFEST, Problem};

/// An app on disk. Read again when it changes.
#[derive(Clone, Debug)]
pub enum Project {
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

/// The text of a file, for excerpts of it in errors.
#[derive(Clone, Debug)]
pub struct Text {
    /// The file's name, as it is shown.
    pub name: String,
    /// What is in it.
    pub text: String,
}

/// An app as it was read.
#[derive(Debug)]
pub struct Read {
    /// The app.
    pub app: App,
    /// Its manifest; absent for a bare component.
    pub text: Option<Text>,
}

impl Project {
    /// Finds out what `path` is.
    ///
    /// # Errors
    /// When there is nothing, or a folder without a manifest.
    pub fn find(path: &Path) -> Result<Self, Error> {
        let data = std::fs::metadata(path).map_err(|source| Error::Open { path: path.to_owned(), source })?;
        if data.is_dir() {
            let file = path.join(MANIFEST);
            let is_there = file.is_file();
            return if is_there {
                Ok(Self::Manifest { file })
            } else {
                Err(Error::NoManifest { folder: path.to_owned() })
            };
        }
        let is_manifest = path.extension().is_some_and(|extension| extension == "toml");
        let file = path.to_owned();
        Ok(if is_manifest { Self::Manifest { file } } else { Self::Bare { file } })
    }

    /// Returns the file that says what the app is.
    pub fn file(&self) -> &Path {
        match self {
            Self::Manifest { file } | Self::Bare { file } => file,
        }
    }

    /// Returns the folder at which relative paths of the app start.
    pub fn folder(&self) -> PathBuf {
        match self.file().parent() {
            Some(folder) if folder != Path::new("") => folder.to_owned(),
            _ => PathBuf::from("."),
        }
    }

    /// Returns where the app's state is kept unless `--state` says otherwise: `.wharf` beside a manifest. A bare component has no
    /// folder of its own, so its state is in the user's cache.
    pub fn default_state(&self, environment: &Environment) -> PathBuf {
        match self {
            Self::Manifest { .. } => self.folder().join(".wharf"),
            Self::Bare { file } => {
                let file = std::fs::canonicalize(file).unwrap_or_else(|_| file.clone());
                let name: String =
                    file.display().to_string().chars().map(|c| if c.is_alphanumeric() { c } else { '-' }).collect();
                let start = name.len().saturating_sub(120);
                let name = name.get(start..).unwrap_or("component").trim_start_matches('-').to_owned();
                match environment.cache() {
                    Some(cache) => cache.join("up").join(name),
                    None => self.folder().join(".wharf"),
                }
            }
        }
    }

    /// Reads the app. `grants` are those of flags, for a bare component; `warn` is told what is odd in a manifest and no mistake.
    ///
    /// # Errors
    /// When the manifest cannot be read or has mistakes, or when flags grant what only it may.
    pub fn read(&self, grants: Option<Grants>, warn: impl FnOnce(&[Problem], &Text)) -> Result<Read, Error> {
        match self {
            Self::Manifest { file } if grants.is_some() => Err(Error::Grants { manifest: file.clone() }),
            Self::Manifest { file } => read_manifest(file, warn),
            Self::Bare { file } => {
                let name = file.file_stem().map_or_else(|| "app".into(), |stem| stem.to_string_lossy().into_owned());
                let last = file.file_name().unwrap_or(file.as_os_str()).to_string_lossy();
                let mut app = App::implicit(&name, &last);
                if let (Some(component), Some(grants)) = (app.components.first_mut(), grants) {
                    component.grants = grants;
                }
                Ok(Read { app, text: None })
            }
        }
    }
}

impl Text {
    pub(crate) fn read(file: &Path) -> Result<Self, Error> {
        let text = std::fs::read_to_string(file).map_err(|source| Error::Read { path: file.to_owned(), source })?;
        Ok(Self { name: file.display().to_string(), text })
    }
}

fn read_manifest(file: &Path, warn: impl FnOnce(&[Problem], &Text)) -> Result<Read, Error> {
    let text = Text::read(file)?;
    let (app, problems) = wharf_app::parse(&text.text);
    let Some(app) = app else { return Err(Error::Manifest { text, problems }) };
    if !problems.is_empty() {
        warn(&problems, &text);
    }
    Ok(Read { app, text: Some(text) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use wharf_app::EnvGrant;

    fn environment(home: &str) -> Environment {
        [("HOME".into(), home.into())].into_iter().collect()
    }

    #[test]
    fn a_folder_is_the_app_of_its_manifest() {
        let folder = tempfile::tempdir().unwrap();
        let error = Project::find(folder.path()).unwrap_err();
        assert!(matches!(&error, Error::NoManifest { folder: named } if named == folder.path()), "{error}");
        let error = Project::find(&folder.path().join("app.wasm")).unwrap_err();
        assert!(matches!(error, Error::Open { .. }), "{error}");

        std::fs::write(folder.path().join(MANIFEST), "name = \"shop\"\n").unwrap();
        let project = Project::find(folder.path()).unwrap();
        assert_eq!((project.file(), project.folder()), (&*folder.path().join(MANIFEST), folder.path().to_owned()));
        assert_eq!(project.default_state(&environment("/h")), folder.path().join(".wharf"));
    }

    #[test]
    fn state_of_a_bare_component_is_in_the_cache_by_its_whole_path() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join(format!("{}.wasm", "a".repeat(150)));
        std::fs::write(&file, "").unwrap();
        let project = Project::find(&file).unwrap();
        let state = project.default_state(&environment("/h"));
        let name = state.strip_prefix("/h/.cache/wharf/up").unwrap().to_str().unwrap();
        assert!(name.len() <= 120 && name.ends_with("a-wasm"), "{name}");
        assert_eq!(project.default_state(&Environment::default()), folder.path().join(".wharf"));
    }

    #[test]
    fn flags_grant_to_a_bare_component_only() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join(MANIFEST);
        std::fs::write(&file, "name = \"shop\"\n").unwrap();
        let given = || Some(Grants { environment: vec![EnvGrant::parse("A=1").unwrap()], ..Grants::default() });
        let error = Project::find(&file).unwrap().read(given(), |_, _| {}).unwrap_err();
        assert!(matches!(&error, Error::Grants { manifest } if *manifest == file), "{error}");

        let bare = folder.path().join("echo.wasm");
        std::fs::write(&bare, "").unwrap();
        let read = Project::find(&bare).unwrap().read(given(), |_, _| {}).unwrap();
        assert_eq!(read.app.components[0].grants, given().unwrap());
        assert_eq!(read.app.name, "echo");
    }
}
