//! `wharf.lock`: what each component was when it was built last, and what each version in a registry was when it was fetched first, so that
//! two machines have the same.
//!
//! In: the bytes of components. Out: a file beside the manifest, the same for the same bytes. Next: whoever reviews or deploys the app.

use crate::{Error, file};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};
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
    /// What was fetched, by what the manifest says of it: `ghcr.io/acme/auth:1.0.0`.
    #[serde(default, rename = "source", skip_serializing_if = "BTreeMap::is_empty")]
    pub sources: BTreeMap<String, Locked>,
}

/// What is known of one component, or of one thing that was fetched.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Locked {
    /// `sha256:…` of its bytes.
    pub digest: String,
    /// Their number.
    pub size: u64,
}

impl Default for Lock {
    fn default() -> Self {
        Self { version: VERSION, components: BTreeMap::new(), sources: BTreeMap::new() }
    }
}

impl Locked {
    /// Describes bytes.
    pub fn of(bytes: &[u8]) -> Self {
        Self { digest: digest(bytes), size: bytes.len() as u64 }
    }

    fn has_digest(&self) -> bool {
        let digits = self.digest.strip_prefix("sha256:").unwrap_or_default();
        digits.len() == 64 && digits.bytes().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'))
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
        let lock = toml::from_str::<Self>(&text).and_then(Self::checked);
        lock.map_err(|source| Error::Lock { file, source: Box::new(source) })
    }

    fn checked(self) -> Result<Self, toml::de::Error> {
        if self.version != VERSION {
            let why = format!("its version is {}, and this one knows {VERSION}", self.version);
            return Err(serde::de::Error::custom(why));
        }
        let wrong = self.components.values().chain(self.sources.values()).find(|locked| !locked.has_digest());
        match wrong.map(|locked| format!("`{}` is no digest", locked.digest)) {
            Some(why) => Err(serde::de::Error::custom(why)),
            None => Ok(self),
        }
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

    /// Returns what differs from `other`, a phrase for each component and each source.
    pub fn differences(&self, other: &Self) -> Vec<String> {
        let mut phrases = differences(&self.components, &other.components);
        phrases.extend(differences(&self.sources, &other.sources));
        phrases
    }

    fn to_text(&self) -> String {
        let body = toml::to_string(self).expect("a table of texts and numbers is always TOML");
        format!("# Written by `wharf build`. Keep it in version control, beside the manifest.\n{body}")
    }
}

fn differences(old: &BTreeMap<String, Locked>, new: &BTreeMap<String, Locked>) -> Vec<String> {
    let names: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    let phrases = names.into_iter().filter_map(|name| match (old.get(name), new.get(name)) {
        (Some(one), Some(two)) if one == two => None,
        (Some(one), Some(two)) => Some(format!("{name} is {}, the lock has {}", two.digest, one.digest)),
        (Some(_), None) => Some(format!("{name} is in the lock and not in the manifest")),
        (None, _) => Some(format!("{name} is in the manifest and not in the lock")),
    });
    phrases.collect()
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
        written.sources.insert("ghcr.io/acme/b:1.0.0".to_owned(), Locked::of(b"x"));
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
        let mut new = lock(&[("web", b"abd"), ("fresh", b"")]);
        new.sources.insert("ghcr.io/acme/b:1.0.0".to_owned(), Locked::of(b"x"));
        let said = old.differences(&new).join("\n");
        for part in [
            "fresh is in the manifest",
            "gone is in the lock",
            "web is sha256:a52d159f",
            "the lock has sha256:ba7816bf",
            "ghcr.io/acme/b:1.0.0 is in the manifest and not",
        ] {
            assert!(said.contains(part), "{said}");
        }
        assert!(old.differences(&old).is_empty());
    }

    #[test]
    fn a_lock_of_another_version_and_one_that_is_none_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        for text in [
            "version = 2\n",
            "version = \"1\"\n",
            "version = 1\nunknown = 1\n",
            "{",
            "\u{0}",
            "version = 1\n[source.a]\ndigest = \"sha256:00\"\nsize = 1\n",
        ] {
            std::fs::write(Lock::path(folder.path()), text).unwrap();
            assert!(matches!(Lock::read(folder.path()), Err(Error::Lock { .. })), "{text}");
        }
    }
}
