//! Which import of one component an export of another satisfies: by package, interface and semantic version.
//!
//! In: what the manifest names, the imports of one component and the exports of the other. Out: pairs of full names, or what does not fit
//! and what comes nearest. Types are compared later, by those who join the two.

use crate::name::{Name, track_of};
use std::fmt;

/// An import and the export that satisfies it, by their full names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Match {
    /// The import.
    pub import: String,
    /// The export.
    pub export: String,
}

/// Why nothing was matched.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Mismatch {
    /// The component imports nothing of that name.
    NoImport {
        /// What the manifest names.
        wanted: String,
        /// What the component imports and nobody provides by itself.
        imports: Vec<String>,
    },
    /// The component imports it in another version than the manifest names.
    ImportVersion {
        /// What the manifest names.
        wanted: String,
        /// What the component imports.
        import: String,
    },
    /// The supplier has no such interface.
    NoExport {
        /// What the component imports.
        import: String,
        /// What the supplier exports.
        exports: Vec<String>,
    },
    /// The supplier has the interface in a version that does not fit.
    ExportVersion {
        /// What the component imports.
        import: String,
        /// What the supplier exports.
        export: String,
    },
}

/// Matches the imports that `wanted` names with exports.
///
/// `wanted` is a package or an interface, with or without a version, or the plain name of an import. A version names imports of compatible
/// versions; an export satisfies an import of a compatible version. Compatible are versions with the same leftmost number that is not zero;
/// pre-releases and `0.0.x` are compatible with themselves only.
///
/// # Errors
/// See [`Mismatch`].
pub fn matches(wanted: &str, imports: &[String], exports: &[String]) -> Result<Vec<Match>, Mismatch> {
    let version = split(wanted).1;
    let named: Vec<&String> = imports.iter().filter(|import| covers(wanted, import)).collect();
    let fitting: Vec<&String> =
        named.iter().copied().filter(|import| version.is_none_or(|version| fits(version, split(import).1))).collect();
    match (fitting.is_empty(), named.first()) {
        (true, Some(import)) => {
            return Err(Mismatch::ImportVersion { wanted: wanted.to_owned(), import: (*import).clone() });
        }
        (true, None) => {
            let imports = imports.iter().filter(|name| !is_standard(name)).cloned().collect();
            return Err(Mismatch::NoImport { wanted: wanted.to_owned(), imports });
        }
        (false, _) => {}
    }
    fitting.into_iter().map(|import| one(import, exports)).collect()
}

fn one(import: &str, exports: &[String]) -> Result<Match, Mismatch> {
    let (path, version) = split(import);
    let same: Vec<&String> = exports.iter().filter(|export| split(export).0 == path).collect();
    let exact = same.iter().find(|export| **export == import);
    let fitting = || {
        let mut fitting: Vec<&&String> =
            same.iter().filter(|export| version.is_some_and(|own| fits(own, split(export).1))).collect();
        fitting.sort_by_key(|export| split(export).1.map(numbers));
        fitting.pop()
    };
    if let Some(export) = exact.or_else(fitting) {
        return Ok(Match { import: import.to_owned(), export: (*export).clone() });
    }
    Err(match same.first() {
        Some(export) => Mismatch::ExportVersion { import: import.to_owned(), export: (*export).clone() },
        None => Mismatch::NoExport { import: import.to_owned(), exports: exports.to_vec() },
    })
}

/// Tells whether `wanted` names the import, or the package that it is in, whatever the versions.
pub fn covers(wanted: &str, import: &str) -> bool {
    let (path, import) = (split(wanted).0, split(import).0);
    let is_package = path.contains(':') && !path.contains('/');
    import == path || (is_package && import.split('/').next() == Some(path))
}

fn fits(wanted: &str, found: Option<&str>) -> bool {
    let Some(found) = found else { return false };
    wanted == found || matches!((track_of(wanted), track_of(found)), (Some(one), Some(other)) if one == other)
}

/// Returns the numbers of a version, to find the highest.
fn numbers(version: &str) -> Vec<u64> {
    version.split(['.', '-', '+']).map_while(|part| part.parse().ok()).collect()
}

/// Interfaces that hosts provide; nobody looks for a dependency among them first.
fn is_standard(name: &str) -> bool {
    Name::parse(name).is_some_and(|name| name.namespace == "wasi")
}

fn split(name: &str) -> (&str, Option<&str>) {
    name.split_once('@').map_or((name, None), |(path, version)| (path, Some(version)))
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoImport { wanted, imports } => {
                write!(f, "it does not import {wanted}; {}", listed("what it imports", imports))
            }
            Self::ImportVersion { wanted, import } => {
                write!(f, "it does not import {wanted}, but {import}, which is not compatible")
            }
            Self::NoExport { import, exports } => {
                write!(f, "the dependency does not export {import}; {}", listed("what it exports", exports))
            }
            Self::ExportVersion { import, export } => {
                write!(f, "it imports {import}, and the dependency exports {export}, which is not compatible")
            }
        }
    }
}

fn listed(what: &str, names: &[String]) -> String {
    const SHOWN: usize = 8;
    if names.is_empty() {
        return format!("{what} is nothing of the kind");
    }
    let shown: Vec<&str> = names.iter().take(SHOWN).map(String::as_str).collect();
    let more = if names.len() > SHOWN { ", …" } else { "" };
    format!("{what}: {}{more}", shown.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Matches and prints `import <- export` a line, or the mismatch.
    fn check(wanted: &str, imports: &[&str], exports: &[&str], expected: &str) {
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let found = match matches(wanted, &names(imports), &names(exports)) {
            Ok(found) => {
                let lines: Vec<_> = found.iter().map(|one| format!("{} <- {}", one.import, one.export)).collect();
                lines.join("\n")
            }
            Err(mismatch) => mismatch.to_string(),
        };
        assert_eq!(found, expected);
    }

    #[test]
    fn an_interface_is_matched_by_its_version() {
        let imports = ["wasi:io/poll@0.2.6", "a:b/c@1.2.0"];
        check("a:b/c@1.2.0", &imports, &["a:b/c@1.2.0"], "a:b/c@1.2.0 <- a:b/c@1.2.0");
        check("a:b/c@1.0.0", &imports, &["a:b/c@1.1.0", "a:b/c@1.10.0"], "a:b/c@1.2.0 <- a:b/c@1.10.0");
        check("a:b/c", &imports, &["a:b/c@1.9.0", "a:b/c@2.0.0"], "a:b/c@1.2.0 <- a:b/c@1.9.0");
    }

    #[test]
    fn a_package_stands_for_all_its_interfaces() {
        check(
            "a:b",
            &["a:b/c@0.1.3", "a:b/d@0.1.3", "a:bb/c@0.1.0"],
            &["a:b/d@0.1.0", "a:b/c@0.1.9"],
            "a:b/c@0.1.3 <- a:b/c@0.1.9\na:b/d@0.1.3 <- a:b/d@0.1.0",
        );
    }

    #[test]
    fn a_package_covers_its_interfaces() {
        let package = "acme:auth@1.0.0";
        assert!(covers(package, "acme:auth/check@1.0.0") && covers(package, "acme:auth/check@2.0.0"));
        assert!(!covers(package, "acme:authx/check@1.0.0"));
        let interface = "acme:auth/check";
        assert!(covers(interface, "acme:auth/check@1.0.0") && !covers(interface, "acme:auth/other@1.0.0"));
        assert!(covers("logger", "logger") && !covers("logger", "logger:x/y"));
    }

    #[test]
    fn plain_names_are_matched_as_they_are() {
        check("log", &["log", "logs"], &["log"], "log <- log");
    }

    #[test]
    fn what_does_not_fit_is_named_with_what_comes_nearest() {
        let imports = ["wasi:io/poll@0.2.6", "a:b/c@1.2.0", "d:e/f@1.0.0"];
        check("a:x/c", &imports, &[], "it does not import a:x/c; what it imports: a:b/c@1.2.0, d:e/f@1.0.0");
        check("a:b/c@2.0.0", &imports, &[], "it does not import a:b/c@2.0.0, but a:b/c@1.2.0, which is not compatible");
        check(
            "a:b/c",
            &imports,
            &["a:b/c@2.0.0"],
            "it imports a:b/c@1.2.0, and the dependency exports a:b/c@2.0.0, which is not compatible",
        );
        check("a:b/c", &imports, &["x:y/z"], "the dependency does not export a:b/c@1.2.0; what it exports: x:y/z");
        check(
            "a:b/c",
            &imports,
            &[],
            "the dependency does not export a:b/c@1.2.0; what it exports is nothing of the kind",
        );
        check("p", &["wasi:io/poll@0.2.6"], &[], "it does not import p; what it imports is nothing of the kind");
    }

    #[test]
    fn versions_below_one_and_pre_releases_are_strict() {
        check(
            "a:b/c",
            &["a:b/c@0.1.0"],
            &["a:b/c@0.2.0"],
            "it imports a:b/c@0.1.0, and the dependency exports a:b/c@0.2.0, which is not compatible",
        );
        check(
            "a:b/c",
            &["a:b/c@1.0.0-rc.1"],
            &["a:b/c@1.0.0"],
            "it imports a:b/c@1.0.0-rc.1, and the dependency exports a:b/c@1.0.0, which is not compatible",
        );
        check("a:b/c", &["a:b/c@0.0.1"], &["a:b/c@0.0.1"], "a:b/c@0.0.1 <- a:b/c@0.0.1");
    }
}
