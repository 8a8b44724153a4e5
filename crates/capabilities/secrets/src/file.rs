//! The file of secrets: TOML, encrypted with age, so that the tools of age read and write it too.
//!
//! ```toml
//! [shop.default]                  # an app and a label
//! stripe-key = "sk_live_…"
//! signing-key = { hex = "00ff" }  # what is not text
//! [_shared.payments]              # a namespace that an operator named
//! ```

mod identity;
mod text;

use crate::Value;
use age::armor::{ArmoredReader, ArmoredWriter, Format};
use age::{DecryptError, Decryptor, Encryptor};
use identity::Identities;
use std::collections::BTreeMap;
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use wharf_kit::{Embedded, Namespace};
use zeroize::Zeroizing;

/// Bytes that the file may have: it is in memory as a whole.
const LEN_MAX: u64 = 16 << 20;

/// The name of the file, in the state folder or beside a manifest.
pub const FILE: &str = "secrets.age";

/// The name of the file with the identity that decrypts it, in the state folder.
pub const IDENTITY: &str = "identity.txt";

/// A file of secrets and the identity that it is encrypted for. Nothing is opened until it is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretFile {
    path: PathBuf,
    identity: PathBuf,
}

/// The secrets of a file.
#[derive(Debug, Default)]
pub struct Contents(BTreeMap<Namespace, BTreeMap<String, Value>>);

/// Why a file of secrets cannot be used. Never shows what is in it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FileError {
    /// A file cannot be read.
    #[error("cannot read {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file cannot be written.
    #[error("cannot write {}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file is too long.
    #[error("{} is longer than {} MiB", path.display(), LEN_MAX >> 20)]
    TooLong {
        /// The file.
        path: PathBuf,
    },
    /// The identity cannot be used.
    #[error("{} {why}", path.display())]
    Identity {
        /// The file with the identity.
        path: PathBuf,
        /// What is wrong with it, as the end of a sentence.
        why: &'static str,
    },
    /// The file is for somebody else.
    #[error("{} is not encrypted for the identity in {}", path.display(), identity.display())]
    WrongIdentity {
        /// The file.
        path: PathBuf,
        /// The file with the identity.
        identity: PathBuf,
    },
    /// The file is no longer what was encrypted.
    #[error("{} is damaged, or was changed by somebody who does not have its identity", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
    },
    /// What was encrypted is no list of secrets.
    #[error("line {line} of what is encrypted in {} {why}", path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// The line, from 1 on.
        line: usize,
        /// What is wrong with it, as the end of a sentence.
        why: &'static str,
    },
    /// Somebody else is changing it.
    #[error("another process changes {}", path.display())]
    Busy {
        /// The file.
        path: PathBuf,
    },
}

impl SecretFile {
    /// Returns the file at `path`, with the identity in the file `identity`.
    pub fn new(path: impl Into<PathBuf>, identity: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), identity: identity.into() }
    }

    /// Returns the file of a state folder.
    pub fn in_state(embedded: &Embedded) -> Self {
        Self::new(embedded.folder().join(FILE), embedded.folder().join(IDENTITY))
    }

    /// Returns where the secrets are.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns where the identity is.
    pub fn identity(&self) -> &Path {
        &self.identity
    }

    /// Reads all secrets: none, if there is no file. Blocks.
    ///
    /// # Errors
    /// See [`FileError`].
    pub fn read(&self) -> Result<Contents, FileError> {
        match read(&self.path)? {
            None => Ok(Contents::default()),
            Some(sealed) => {
                let identities = Identities::read(&self.identity)?.ok_or_else(|| FileError::Identity {
                    path: self.identity.clone(),
                    why: "is not there, and the file of secrets cannot be read without it",
                })?;
                let plain = self.decrypt(&sealed, &identities)?;
                let content = |(line, why)| FileError::Content { path: self.path.clone(), line, why };
                text::read(&plain).map(Contents).map_err(content)
            }
        }
    }

    /// Reads, changes and writes. Makes the file, and the identity too when neither is there; returns whether it made an identity.
    /// Whoever reads meanwhile sees the old file or the new one. Blocks.
    ///
    /// # Errors
    /// See [`FileError`]. The file is then as it was.
    pub fn change(&self, change: impl FnOnce(&mut Contents)) -> Result<bool, FileError> {
        let folder = match self.path.parent() {
            Some(folder) if folder != Path::new("") => folder,
            _ => Path::new("."),
        };
        let write_error = |source| FileError::Write { path: self.path.clone(), source };
        make_folder(folder).map_err(write_error)?;
        let lock = File::open(folder).map_err(write_error)?;
        lock.try_lock().map_err(|_| FileError::Busy { path: self.path.clone() })?;
        let mut contents = self.read()?;
        let (identities, made) = match Identities::read(&self.identity)? {
            Some(identities) => (identities, false),
            None => (Identities::make(&self.identity)?, true),
        };
        change(&mut contents);
        let sealed = encrypt(&text::write(&contents.0), &identities).map_err(write_error)?;
        let beside = folder.join(format!(".{}.new", self.path.file_name().unwrap_or_default().display()));
        replace(&beside, &self.path, &sealed).and_then(|()| lock.sync_all()).map_err(write_error)?;
        Ok(made)
    }

    fn decrypt(&self, sealed: &[u8], identities: &Identities) -> Result<Zeroizing<Vec<u8>>, FileError> {
        // A buffer that grew would leave copies behind.
        let mut plain = Zeroizing::new(Vec::with_capacity(sealed.len()));
        let decrypted = Decryptor::new_buffered(ArmoredReader::new(sealed))
            .and_then(|decryptor| decryptor.decrypt(identities.iter()))
            .and_then(|mut reader| reader.read_to_end(&mut plain).map_err(DecryptError::Io));
        match decrypted {
            Ok(_) => Ok(plain),
            Err(DecryptError::NoMatchingKeys) => {
                Err(FileError::WrongIdentity { path: self.path.clone(), identity: self.identity.clone() })
            }
            Err(_) => Err(FileError::Damaged { path: self.path.clone() }),
        }
    }
}

impl Contents {
    /// Returns the value of a secret.
    pub fn get(&self, namespace: &Namespace, name: &str) -> Option<&Value> {
        self.0.get(namespace)?.get(name)
    }

    /// Returns the names in a namespace, in order.
    pub fn names(&self, namespace: &Namespace) -> impl Iterator<Item = &str> {
        self.0.get(namespace).into_iter().flat_map(|secrets| secrets.keys().map(String::as_str))
    }

    /// Gives a secret a value. The name is known to be a label.
    pub fn set(&mut self, namespace: &Namespace, name: &str, value: Value) {
        self.0.entry(namespace.clone()).or_default().insert(name.to_owned(), value);
    }

    /// Takes a secret away; returns whether it was there.
    pub fn remove(&mut self, namespace: &Namespace, name: &str) -> bool {
        self.0.get_mut(namespace).is_some_and(|secrets| secrets.remove(name).is_some())
    }
}

/// Returns a whole file; nothing if there is none.
fn read(path: &Path) -> Result<Option<Zeroizing<Vec<u8>>>, FileError> {
    let error = |source| FileError::Read { path: path.to_owned(), source };
    let file = match File::open(path) {
        Ok(file) => file,
        Err(source) if source.kind() == ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(error(source)),
    };
    let len = file.metadata().map_err(error)?.len();
    if len > LEN_MAX {
        return Err(FileError::TooLong { path: path.to_owned() });
    }
    let mut bytes = Zeroizing::new(Vec::with_capacity(usize::try_from(len).unwrap_or(0) + 1));
    file.take(LEN_MAX).read_to_end(&mut bytes).map_err(error)?;
    Ok(Some(bytes))
}

fn encrypt(plain: &[u8], identities: &Identities) -> io::Result<Vec<u8>> {
    let recipients = identities.recipients();
    let recipients = recipients.iter().map(|recipient| recipient as &dyn age::Recipient);
    let encryptor = Encryptor::with_recipients(recipients).map_err(io::Error::other)?;
    let armor = ArmoredWriter::wrap_output(Vec::new(), Format::AsciiArmor)?;
    let mut writer = encryptor.wrap_output(armor)?;
    writer.write_all(plain)?;
    writer.finish()?.finish()
}

/// Puts `bytes` in the place of a file, all or nothing. Only one process does this at a time.
fn replace(beside: &Path, path: &Path, bytes: &[u8]) -> io::Result<()> {
    let _ = std::fs::remove_file(beside);
    let mut file = private(beside)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    std::fs::rename(beside, path)
}

/// Makes a folder, and those around it, that nobody but its owner looks into.
fn make_folder(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// Makes a file that nobody but its owner reads.
fn private(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)
}

#[cfg(test)]
mod tests;
