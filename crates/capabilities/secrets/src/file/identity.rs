//! The identities that decrypt a file of secrets, in the format of age: one a line, `#` begins a comment.

use super::{FileError, make_folder, private, read};
use age::secrecy::ExposeSecret;
use age::x25519::{Identity, Recipient};
use std::fs::File;
use std::io::{self, Write};
use std::path::Path;
use zeroize::Zeroizing;

/// Any of these decrypts; what is encrypted is for all of them. One is added, and the old one removed later, to change it.
pub(super) struct Identities(Vec<Identity>);

impl Identities {
    /// Reads a file; nothing if there is none.
    pub(super) fn read(path: &Path) -> Result<Option<Self>, FileError> {
        let error = |why| FileError::Identity { path: path.to_owned(), why };
        let Some(bytes) = read(path)? else { return Ok(None) };
        let text = str::from_utf8(&bytes).map_err(|_| error("is no file of age identities"))?;
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
        let identities = lines.map(|line| line.parse::<Identity>());
        let identities = identities.collect::<Result<Vec<_>, _>>();
        let identities = identities.map_err(|_| error("has a line that is no age identity `AGE-SECRET-KEY-1…`"))?;
        if identities.is_empty() {
            return Err(error("has no age identity `AGE-SECRET-KEY-1…`"));
        }
        Ok(Some(Self(identities)))
    }

    /// Makes an identity and its file, which only its owner can read.
    pub(super) fn make(path: &Path) -> Result<Self, FileError> {
        let identity = Identity::generate();
        let secret = identity.to_string();
        let (public, secret) = (identity.to_public(), secret.expose_secret());
        let text = Zeroizing::new(format!("# An identity of age, made by Wharf.\n# public key: {public}\n{secret}\n"));
        let made = write(path, text.as_bytes()).inspect(|()| hide_from_git(path));
        made.map_err(|source| FileError::Write { path: path.to_owned(), source })?;
        Ok(Self(vec![identity]))
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &dyn age::Identity> {
        self.0.iter().map(|identity| identity as &dyn age::Identity)
    }

    pub(super) fn recipients(&self) -> Vec<Recipient> {
        self.0.iter().map(Identity::to_public).collect()
    }
}

/// Keeps the identity out of a repository that its folder may be in. Without that file everything works as well.
fn hide_from_git(path: &Path) {
    let Some(name) = path.file_name().and_then(|name| name.to_str()) else { return };
    let ignored = File::create_new(path.with_file_name(".gitignore"));
    let _ = ignored.and_then(|mut file| file.write_all(format!("/{name}\n").as_bytes()));
}

fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        make_folder(folder)?;
    }
    let mut file = private(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}
