//! An app in a temporary folder.

use crate::guests::guest;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// An app in a temporary folder, which is removed with it.
#[derive(Debug)]
pub struct App {
    folder: TempDir,
}

impl App {
    /// Writes a manifest. `"@hello"` in it stands for the file of the built guest `hello`.
    pub fn new(manifest: &str) -> Self {
        let app = Self::empty();
        app.write("wharf.toml", with_guests(manifest));
        app
    }

    /// Makes a folder without a manifest.
    pub fn empty() -> Self {
        Self { folder: TempDir::new().expect("a temporary folder can be made") }
    }

    /// Returns the folder.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Returns the path of a file in it.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder().join(name)
    }

    /// Writes a file, by renaming a complete one over it as editors and compilers do. Returns its path.
    pub fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        let unfinished = self.path(&format!("{name}.unfinished"));
        let written = std::fs::write(&unfinished, bytes).and_then(|()| std::fs::rename(&unfinished, &path));
        written.unwrap_or_else(|error| panic!("cannot write {}: {error}", path.display()));
        path
    }

    /// Copies a built guest into the folder.
    pub fn copy_guest(&self, name: &str, file: &str) -> PathBuf {
        let source = guest(name);
        let bytes = std::fs::read(&source).unwrap_or_else(|error| panic!("cannot read {}: {error}", source.display()));
        self.write(file, bytes)
    }

    /// Replaces the manifest; see [`App::new`].
    pub fn change(&self, manifest: &str) {
        self.write("wharf.toml", with_guests(manifest));
    }
}

/// Returns the part of a manifest that serves the guest `guest` as component `name` to all requests for host `name`. `more` goes
/// into the component's table.
pub fn service(name: &str, guest: &str, more: &str) -> String {
    format!(
        "[component.{name}]\nsource = \"@{guest}\"\n{more}\n\n\
         [[trigger.http]]\nhost = \"{name}\"\nroute = \"/...\"\ncomponent = \"{name}\"\n\n"
    )
}

fn with_guests(manifest: &str) -> String {
    let mut parts = manifest.split("\"@");
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (name, rest) = part.split_once('"').unwrap_or((part, ""));
        text.push_str(&format!("\"{}\"{rest}", guest(name).display()));
    }
    text
}
