//! `wkg.lock`: which bytes a version of a package had, in the form that other tools of WIT packages write.

use crate::command_error::CommandError;
use serde::{Deserialize, Serialize};
use std::path::Path;
use wharf_registry::Digest;

/// The name of the file.
pub(super) const NAME: &str = "wkg.lock";

/// The only version of its form.
const VERSION: u64 = 1;

const HEAD: &str = "# This file is written by tools. Keep it in version control.\n";

#[derive(Debug, Deserialize, Serialize)]
pub(super) struct Lock {
    version: u64,
    #[serde(default, alias = "package", skip_serializing_if = "Vec::is_empty")]
    packages: Vec<Package>,
}

#[derive(Debug, Deserialize, Serialize)]
struct Package {
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    registry: Option<String>,
    #[serde(default, alias = "version", skip_serializing_if = "Vec::is_empty")]
    versions: Vec<Version>,
}

#[derive(Debug, Deserialize, Serialize)]
struct Version {
    requirement: String,
    version: String,
    digest: String,
}

impl Lock {
    /// Reads the file; an empty one if there is none.
    pub(super) fn read(file: &Path) -> Result<Self, CommandError> {
        let fail = |why: &str| {
            let error = CommandError::usage(format!("{} cannot be used: {why}", file.display()));
            error.hint("remove it to have it written again; what it says of versions is lost then")
        };
        let text = match std::fs::read_to_string(file) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Ok(Self { version: VERSION, packages: Vec::new() });
            }
            Err(error) => return Err(fail(&error.to_string())),
        };
        let lock: Self = toml::from_str(&text).map_err(|error| fail(error.message()))?;
        if lock.version != VERSION {
            return Err(fail(&format!("its version is {}, and this program knows {VERSION}", lock.version)));
        }
        Ok(lock)
    }

    /// Returns what the bytes of a version must hash to.
    pub(super) fn digest(&self, name: &str, version: &str) -> Result<Option<Digest>, String> {
        let of_name = self.packages.iter().filter(|package| package.name == name);
        let locked = of_name.flat_map(|package| &package.versions).find(|locked| locked.version == version);
        locked
            .map(|locked| {
                Digest::parse(&locked.digest).map_err(|why| format!("{NAME} has no digest of {name}@{version}: {why}"))
            })
            .transpose()
    }

    /// Says what the bytes of a version hash to.
    pub(super) fn set(&mut self, name: &str, registry: &str, version: &str, digest: &Digest) {
        let at = self.packages.iter().position(|package| package.name == name);
        let at = at.unwrap_or_else(|| {
            let (name, registry) = (name.to_owned(), Some(registry.to_owned()));
            self.packages.push(Package { name, registry, versions: Vec::new() });
            self.packages.len() - 1
        });
        let versions = &mut self.packages[at].versions;
        let digest = digest.to_string();
        match versions.iter_mut().find(|locked| locked.version == version) {
            Some(locked) => locked.digest = digest,
            None => {
                let requirement = format!("={version}");
                versions.push(Version { requirement, version: version.to_owned(), digest });
            }
        }
    }

    /// Writes the file, whole or not at all, in an order that does not depend on how it came about.
    pub(super) fn write(&mut self, file: &Path) -> Result<(), CommandError> {
        self.packages.sort_by(|one, other| one.name.cmp(&other.name));
        for package in &mut self.packages {
            package.versions.sort_by(|one, other| one.version.cmp(&other.version));
        }
        let fail = |error: String| CommandError::failed(format!("cannot write {}: {error}", file.display()));
        let text = toml::to_string_pretty(self).map_err(|error| fail(error.to_string()))?;
        let unfinished = file.with_extension("lock.unfinished");
        let written = std::fs::write(&unfinished, format!("{HEAD}{text}"));
        written.and_then(|()| std::fs::rename(&unfinished, file)).map_err(|error| fail(error.to_string()))
    }
}
