//! A template, from wherever it comes.
//!
//! In: a name, a folder or a URL. Out: its description and its files. Next: [`crate::render`].

use std::path::{Path, PathBuf};

use crate::DESCRIPTION;
use crate::catalog::{self, EMBEDDED};
use crate::description::Description;
use crate::error::Error;
use crate::files::{self, File};
use crate::git::{self, Repository};
use crate::render::{self, Rendered, Values};

/// Bytes of a description.
const DESCRIPTION_BYTES: u64 = 64 << 10;

/// Where a template comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The program itself.
    BuiltIn(String),
    /// A folder with a `template.toml`.
    Folder(PathBuf),
    /// A git repository.
    Git(Repository),
}

/// A template that was read.
#[derive(Clone, Debug)]
pub struct Template {
    /// What it is called, for messages.
    pub name: String,
    /// What it says of itself.
    pub description: Description,
    pub(crate) files: Vec<File>,
}

impl Origin {
    /// Reads `--template`: a URL, a folder, or a name. What looks like a path is one.
    ///
    /// # Errors
    ///
    /// A URL that is none.
    pub fn parse(text: &str) -> Result<Self, Error> {
        if text.starts_with(git::SCHEME) {
            return Ok(Self::Git(Repository::parse(text)?));
        }
        if text.contains("://") {
            return Err(Error::Url { url: text.to_owned(), why: "write git+ before the URL of a git repository" });
        }
        let is_path = text.contains(['/', '\\']) || text == "." || text == "..";
        Ok(if is_path { Self::Folder(PathBuf::from(text)) } else { Self::BuiltIn(text.to_owned()) })
    }

    /// Reads the template.
    ///
    /// # Errors
    ///
    /// A template that is not there, cannot be read, or is beyond a bound.
    pub fn load(&self) -> Result<Template, Error> {
        match self {
            Self::BuiltIn(name) => built_in(name),
            Self::Folder(folder) => from_folder(folder, &folder.display().to_string()),
            Self::Git(repository) => {
                let clone = repository.fetch()?;
                from_folder(&clone.template(repository), &repository.url)
            }
        }
    }
}

impl Template {
    /// Returns the files as they will be.
    ///
    /// # Errors
    ///
    /// A path that leaves the folder, and a `{{` that cannot be filled in.
    pub fn render(&self, values: &Values) -> Result<Vec<Rendered>, Error> {
        render::render(self, values)
    }

    /// Returns what to run next, filled in.
    ///
    /// # Errors
    ///
    /// A `{{` that cannot be filled in.
    pub fn next(&self, values: &Values) -> Result<Vec<String>, Error> {
        self.description.next.iter().map(|line| values.fill(DESCRIPTION, line)).collect()
    }
}

fn built_in(name: &str) -> Result<Template, Error> {
    let known = EMBEDDED.iter().find(|known| known.name == name);
    let known = known.ok_or_else(|| catalog::unknown(name))?;
    let files = known.files.iter().map(|(path, bytes)| {
        // Git keeps the mode of a file, the program does not: scripts are what may be run.
        File { path: (*path).to_owned(), bytes: bytes.to_vec(), executable: path.ends_with(".sh") }
    });
    Ok(Template { name: name.to_owned(), description: known.description.clone(), files: files.collect() })
}

fn from_folder(folder: &Path, name: &str) -> Result<Template, Error> {
    let file = folder.join(DESCRIPTION);
    let shown = if folder.display().to_string() == name {
        file.display().to_string()
    } else {
        format!("{DESCRIPTION} of {name}")
    };
    let size = std::fs::metadata(&file).map_err(Error::io("read", &file))?.len();
    if size > DESCRIPTION_BYTES {
        return Err(Error::TooLarge { template: name.to_owned(), what: format!("a {DESCRIPTION} of {size} bytes") });
    }
    let text = std::fs::read_to_string(&file).map_err(Error::io("read", &file))?;
    let description = Description::read(&shown, &text)?;
    Ok(Template { name: name.to_owned(), description, files: files::read(folder, name)? })
}
