//! `wharf.lock`: what each component was when it was built last, so that two machines can tell whether they have the same.
//!
//! In: the bytes of components. Out: a file beside the manifest, the same for the same bytes. Next: whoever reviews or deploys the app.

use crate::{Error, file};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::{Path, PathBuf};

/// The name of the file.
pub const LOCK: &str = "wharf.lock";

/// The version of its format.
const VERSION: u32 = 1;

/// What `wharf.lock` says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lock {
    version: u32,
    /// The components of the app, by name.
    #[serde(default, rename = "component")]
    pub components: BTreeMap<String, Locked>,
}

/// What is known of one component.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Locked {
    /// `sha256:…` of its bytes.
    pub digest: String,
    /// Their number.
    pub size: u64,
    /// What it is linked with that is no component of the app, by the import that it satisfies.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub dependencies: BTreeMap<String, Pin>,
}

/// A file or an artifact that a component is linked with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pin {
    /// Where it comes from, as the manifest says.
    pub source: String,
    /// `sha256:…` of its bytes.
    pub digest: String,
    /// Their number.
    pub size: u64,
}

impl Default for Lock {
    fn default() -> Self {
        Self { version: VERSION, components: BTreeMap::new() }
    }
}

impl Locked {
    /// Describes a component.
    pub fn of(bytes: &[u8]) -> Self {
        Self { digest: digest(bytes), size: bytes.len() as u64, dependencies: BTreeMap::new() }
    }
}

/// Returns `sha256:…` of bytes, as registries write it.
pub fn digest(bytes: &[u8]) -> String {
    let mut text = "sha256:".to_owned();
    for byte in Sha256::digest(bytes) {
        let _ = write!(text, "{byte:02x}");
    }
    text
}

impl Lock {
    /// Returns where the lock file of a manifest's folder is.
    pub fn path(folder: &Path) -> PathBuf {
        folder.join(LOCK)
    }

    /// Reads the lock file of a folder; an empty one if there is none.
    ///
    /// # Errors
    /// When it cannot be read, or is of another version.
    pub fn read(folder: &Path) -> Result<Self, Error> {
        let file = Self::path(folder);
        let text = match std::fs::read_to_string(&file) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(source) => return Err(Error::File { verb: "read", file, source }),
        };
        let lock = toml::from_str::<Self>(&text).and_then(|lock| match lock.version {
            VERSION => Ok(lock),
            other => Err(serde::de::Error::custom(format!("its version is {other}, and this one knows {VERSION}"))),
        });
        lock.map_err(|source| Error::Lock { file, source: Box::new(source) })
    }

    /// Writes the lock file of a folder, whole or not at all, and only if it says something else than the one that is there.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(&self, folder: &Path) -> Result<(), Error> {
        let path = Self::path(folder);
        let text = self.to_text();
        if std::fs::read_to_string(&path).is_ok_and(|there| there == text) {
            return Ok(());
        }
        file::write_whole(&path, text.as_bytes())
    }

    /// Returns what differs from `other`, a phrase for each component.
    pub fn differences(&self, other: &Self) -> Vec<String> {
        let names: std::collections::BTreeSet<&String> =
            self.components.keys().chain(other.components.keys()).collect();
        let phrases =
            names.into_iter().filter_map(|name| match (self.components.get(name), other.components.get(name)) {
                (Some(one), Some(two)) if one == two => None,
                (Some(one), Some(two)) if one.digest == two.digest => {
                    Some(format!("{name} is linked with something else"))
                }
                (Some(one), Some(two)) => Some(format!("{name} is {}, the lock has {}", two.digest, one.digest)),
                (Some(_), None) => Some(format!("{name} is in the lock and not in the manifest")),
                (None, _) => Some(format!("{name} is in the manifest and not in the lock")),
            });
        phrases.collect()
    }

    fn to_text(&self) -> String {
        let body = toml::to_string(self).expect("a table of texts and numbers is always TOML");
        format!("# Written by `wharf build`. Keep it in version control, beside the manifest.\n{body}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lock(components: &[(&str, &[u8])]) -> Lock {
        let components = components.iter().map(|(name, bytes)| ((*name).to_owned(), Locked::of(bytes)));
        Lock { components: components.collect(), ..Lock::default() }
    }

    #[test]
    fn the_same_bytes_make_the_same_file() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(Lock::read(folder.path()).unwrap(), Lock::default());
        let mut written = lock(&[("web", b"abc"), ("auth", b"")]);
        let pin = Pin { source: "x.wasm".to_owned(), digest: digest(b"x"), size: 1 };
        written.components.get_mut("web").unwrap().dependencies.insert("acme:a/b@1.0.0".to_owned(), pin);
        written.write(folder.path()).unwrap();
        assert_eq!(Lock::read(folder.path()).unwrap(), written);
        let file = Lock::path(folder.path());
        let text = std::fs::read_to_string(&file).unwrap();
        assert!(text.find("[component.auth]").unwrap() < text.find("[component.web]").unwrap(), "{text}");
        assert!(
            text.contains("sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad\"\nsize = 3\n"),
            "{text}"
        );
        let before = std::fs::metadata(&file).unwrap().modified().unwrap();
        written.write(folder.path()).unwrap();
        assert_eq!(std::fs::metadata(&file).unwrap().modified().unwrap(), before);
    }

    #[test]
    fn differences_are_named() {
        let old = lock(&[("web", b"abc"), ("gone", b"")]);
        let new = lock(&[("web", b"abd"), ("fresh", b"")]);
        let said = old.differences(&new).join("\n");
        for part in [
            "fresh is in the manifest",
            "gone is in the lock",
            "web is sha256:a52d159f",
            "the lock has sha256:ba7816bf",
        ] {
            assert!(said.contains(part), "{said}");
        }
        assert!(old.differences(&old).is_empty());
    }

    #[test]
    fn a_lock_of_another_version_and_one_that_is_none_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        for text in ["version = 2\n", "version = \"1\"\n", "version = 1\nunknown = 1\n", "{", "\u{0}"] {
            std::fs::write(Lock::path(folder.path()), text).unwrap();
            assert!(matches!(Lock::read(folder.path()), Err(Error::Lock { .. })), "{text}");
        }
    }
}
