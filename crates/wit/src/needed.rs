//! The packages that texts use and nobody declares: what has to be fetched.

use std::collections::BTreeSet;
use std::fmt;

use semver::Version;

use crate::{Dependency, Folder, references};

/// A package that is not there.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Needed {
    /// `wasi`.
    pub namespace: String,
    /// `http`.
    pub name: String,
    /// `0.2.6`; none where the texts write none.
    pub version: Option<String>,
}

impl fmt::Display for Needed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.namespace, self.name)?;
        match &self.version {
            Some(version) => write!(f, "@{version}"),
            None => Ok(()),
        }
    }
}

/// Returns the packages that are missing, seen without parsing: mistakes elsewhere in the texts do not matter. Names and versions in it
/// have no characters that mean something to a file system or a URL.
pub fn needed(folder: &Folder) -> Vec<Needed> {
    let (mut used, mut declared) = (BTreeSet::new(), BTreeSet::new());
    for reference in folder.texts().flat_map(|file| references(&file.text)) {
        let version = reference.version.filter(|version| is_version(version));
        let needed = Needed { namespace: reference.namespace, name: reference.package, version };
        match reference.is_declaration {
            true => declared.insert(needed),
            false => used.insert(needed),
        };
    }
    for dep in &folder.deps {
        let Dependency::Binary { bytes, .. } = dep else { continue };
        let Ok(wit) = wharf_component::wit(bytes) else { continue };
        declared.extend(wit.resolve.package_names.into_keys().map(|name| Needed {
            namespace: name.namespace,
            name: name.name,
            version: name.version.map(|version| version.to_string()),
        }));
    }
    let is_plain =
        |text: &str| text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    used.difference(&declared).filter(|needed| is_plain(&needed.namespace) && is_plain(&needed.name)).cloned().collect()
}

/// Says whether a text is a semantic version.
pub fn is_version(text: &str) -> bool {
    Version::parse(text).is_ok()
}

/// Puts the versions that are compatible with the wanted one first, the newest of them before the others.
pub fn sort_versions(versions: &mut [String], wanted: &str) {
    let track = |version: &Version| wit_parser::PackageName::version_compat_track(version);
    let wanted = Version::parse(wanted).ok().map(|version| track(&version));
    versions.sort_by_cached_key(|text| {
        let version = Version::parse(text).ok();
        let is_compatible = version.is_some() && version.as_ref().map(track) == wanted;
        (std::cmp::Reverse(is_compatible), std::cmp::Reverse(version))
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_texts_use_and_nobody_declares_is_needed() {
        let text = "package a:b@1.0.0;\n/// not x:y/z@1.0.0\nworld w { import c:d/i@0.2.0; import a:b/own@1.0.0; include e:f/all; }\n\
                    interface broken { record { use g:h/j@0.1.0-rc.1.{t}; }\n";
        let found: Vec<String> = needed(&Folder::of_text("a.wit", text)).iter().map(ToString::to_string).collect();
        assert_eq!(found, ["c:d@0.2.0", "e:f", "g:h@0.1.0-rc.1"]);
    }

    #[test]
    fn the_compatible_versions_come_first() {
        let mut versions = ["0.1.0", "0.2.1", "0.3.0", "0.2.10", "1.0.0"].map(str::to_owned);
        sort_versions(&mut versions, "0.2.99");
        assert_eq!(versions, ["0.2.10", "0.2.1", "1.0.0", "0.3.0", "0.1.0"]);
    }
}
