//! Templates in git repositories: `git+https://…`, cloned by the program `git`.
//!
//! In: a URL, with a reference after `@` and a folder after `#` if need be. Out: a clone in a temporary folder. Next: [`crate::files`].

use std::io::Read as _;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::Duration;

use tempfile::TempDir;

use crate::error::Error;
use crate::path;

/// How long a clone may take.
const CLONE_TIME: Duration = Duration::from_secs(300);

/// How often it is looked whether git has ended.
const LOOK: Duration = Duration::from_millis(25);

/// Bytes of what git says that are kept.
const SAID_BYTES: u64 = 4 << 10;

/// What begins the URL of a template in git.
pub(crate) const SCHEME: &str = "git+";

/// Where a template is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repository {
    /// What git clones.
    pub(crate) url: String,
    /// A branch or a tag; the default branch when absent.
    pub(crate) reference: Option<String>,
    /// The folder of the template in it.
    pub(crate) folder: Option<String>,
}

impl Repository {
    /// Reads `git+URL[@REFERENCE][#FOLDER]`.
    pub(crate) fn parse(text: &str) -> Result<Self, Error> {
        let refused = |why| Error::Url { url: text.to_owned(), why };
        let rest = text.strip_prefix(SCHEME).unwrap_or(text);
        let (rest, folder) = match rest.split_once('#') {
            Some((rest, folder)) => (rest, Some(folder.trim_matches('/')).filter(|folder| !folder.is_empty())),
            None => (rest, None),
        };
        let schemes = ["https://", "ssh://", "file://", "http://"];
        let Some(scheme) = schemes.iter().find(|scheme| rest.starts_with(**scheme)) else {
            return Err(refused("it begins with git+https://, git+ssh:// or git+file://"));
        };
        let place = &rest[scheme.len()..];
        // The `@` of a user's name is before the first `/`.
        let path_start = place.find('/').unwrap_or(place.len());
        let (url, reference) = match place[path_start..].rfind('@') {
            Some(at) => (&rest[..scheme.len() + path_start + at], Some(&place[path_start + at + 1..])),
            None => (rest, None),
        };
        if url.len() == scheme.len() {
            return Err(refused("it names no repository"));
        }
        if reference.is_some_and(|name| name.is_empty() || name.starts_with('-') || name.contains(char::is_whitespace))
        {
            return Err(refused("what follows `@` is no branch and no tag"));
        }
        if let Some(folder) = folder {
            path::check(folder).map_err(|_| refused("what follows `#` is no folder of a repository"))?;
        }
        Ok(Self { url: url.to_owned(), reference: reference.map(str::to_owned), folder: folder.map(str::to_owned) })
    }

    /// Clones it. The folder is removed when the clone is dropped.
    pub(crate) fn fetch(&self) -> Result<Clone, Error> {
        // Only this user can look into it.
        let folder =
            TempDir::with_prefix("wharf-template-").map_err(Error::io("make a folder in", std::env::temp_dir()))?;
        let clone = Clone { folder };
        let mut git = Command::new("git");
        git.args(["-c", "core.symlinks=false", "-c", "protocol.ext.allow=never"]);
        git.args(["clone", "--quiet", "--depth", "1", "--no-tags", "--single-branch"]);
        if let Some(reference) = &self.reference {
            git.args(["--branch", reference]);
        }
        git.arg("--").arg(&self.url).arg(clone.folder.path().join("clone"));
        // Nobody sits there to be asked for a password.
        git.env("GIT_TERMINAL_PROMPT", "0").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        self.wait(git.spawn())?;
        Ok(clone)
    }

    fn wait(&self, spawned: std::io::Result<Child>) -> Result<(), Error> {
        let failed = |message: String| Error::Git { url: self.url.clone(), message };
        let mut child = spawned.map_err(|error| failed(format!("git cannot be run: {error}")))?;
        let said = child.stderr.take().map(|stderr| {
            thread::spawn(move || {
                let mut said = Vec::new();
                let mut stderr = stderr;
                let _ = std::io::Read::by_ref(&mut stderr).take(SAID_BYTES).read_to_end(&mut said);
                // The rest is read too: git must not wait for a reader.
                let _ = std::io::copy(&mut stderr, &mut std::io::sink());
                String::from_utf8_lossy(&said).trim().to_owned()
            })
        });
        let status = self.end(&mut child)?;
        if status.success() {
            return Ok(());
        }
        let said = said.and_then(|said| said.join().ok()).unwrap_or_default();
        Err(failed(if said.is_empty() { format!("git ended with {status}") } else { said }))
    }

    /// Waits for the end of git, for so long and no longer.
    fn end(&self, child: &mut Child) -> Result<ExitStatus, Error> {
        let failed = |message: String| Error::Git { url: self.url.clone(), message };
        for _ in 0..CLONE_TIME.as_millis() / LOOK.as_millis() {
            if let Some(status) = child.try_wait().map_err(|error| failed(error.to_string()))? {
                return Ok(status);
            }
            thread::sleep(LOOK);
        }
        let _ = child.kill();
        let _ = child.wait();
        Err(failed(format!("it took longer than {} s", CLONE_TIME.as_secs())))
    }
}

/// A clone on disk, removed when it is dropped.
#[derive(Debug)]
pub(crate) struct Clone {
    folder: TempDir,
}

impl Clone {
    /// Returns the folder of the template in it.
    pub(crate) fn template(&self, repository: &Repository) -> PathBuf {
        let clone = self.folder.path().join("clone");
        repository.folder.as_ref().map_or_else(|| clone.clone(), |folder| clone.join(folder))
    }
}

#[cfg(test)]
mod tests;
