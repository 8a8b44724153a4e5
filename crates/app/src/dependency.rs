//! The imports of a component that another component satisfies.

use crate::app::Source;
use wharf_problem::Span;

/// One entry of `[component.NAME.dependencies]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dependency {
    /// Which imports of the component it satisfies.
    pub import: ImportName,
    /// What satisfies them.
    pub supplier: Supplier,
    /// How the two are joined; what fits the supplier when the manifest does not say.
    pub link: Link,
    /// What of its dependant's grants the dependency has too.
    pub inherit: Inherit,
    /// Where the manifest names the import.
    pub span: Span,
    /// Where the manifest names the supplier.
    pub supplier_span: Span,
}

/// Where a dependency comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Supplier {
    /// Another component of the app.
    Component(String),
    /// A component that is no part of the app: it has no grants of its own and the limits that are the default.
    Source(Source),
}

/// How a dependency is joined to its dependant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Link {
    /// Composed into one component: calls are direct, memory stays apart, budget and fate are shared.
    Fused,
    /// An instance of its own, with its own store, memory, budget and grants. Its trap is an error for the caller.
    Isolated,
}

impl Link {
    /// Returns the word of the manifest.
    pub fn word(self) -> &'static str {
        match self {
            Self::Fused => "fused",
            Self::Isolated => "isolated",
        }
    }
}

/// What of its dependant's grants a dependency has too.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Inherit {
    /// Nothing: it has its own grants.
    #[default]
    Nothing,
    /// These kinds; of them it has its dependant's grants instead of its own.
    Only(Vec<GrantKind>),
    /// All of them, instead of its own.
    Everything,
}

impl Inherit {
    /// Tells whether the grants of one kind are the dependant's.
    pub fn has(&self, kind: GrantKind) -> bool {
        match self {
            Self::Nothing => false,
            Self::Only(kinds) => kinds.contains(&kind),
            Self::Everything => true,
        }
    }
}

/// A kind of grant: a key of `[component.NAME.grants]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum GrantKind {
    /// Environment variables.
    Environment,
    /// Folders.
    Files,
    /// Outbound HTTP.
    Http,
    /// Sockets and names.
    Net,
    /// Key-value stores.
    Keyvalue,
    /// SQL databases.
    Sql,
    /// Blob stores.
    Blobstore,
    /// Messages.
    Messaging,
    /// Configuration values.
    Config,
    /// Secrets.
    Secrets,
}

impl GrantKind {
    /// All kinds, in the order of the manifest's reference.
    pub const ALL: [Self; 10] = [
        Self::Environment,
        Self::Files,
        Self::Http,
        Self::Net,
        Self::Keyvalue,
        Self::Sql,
        Self::Blobstore,
        Self::Messaging,
        Self::Config,
        Self::Secrets,
    ];

    /// Returns the key of the manifest.
    pub fn key(self) -> &'static str {
        match self {
            Self::Environment => "environment",
            Self::Files => "files",
            Self::Http => "http",
            Self::Net => "net",
            Self::Keyvalue => "keyvalue",
            Self::Sql => "sql",
            Self::Blobstore => "blobstore",
            Self::Messaging => "messaging",
            Self::Config => "config",
            Self::Secrets => "secrets",
        }
    }

    /// Returns the kind with this key.
    pub fn of_key(key: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.key() == key)
    }
}

/// Which imports a dependency satisfies: a package, one of its interfaces, each with or without a version, or an import with a plain name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImportName {
    text: String,
}

impl ImportName {
    /// Reads `ns:pkg`, `ns:pkg/interface`, either with `@version`, or a plain name.
    ///
    /// # Errors
    /// Says what is wrong, to be put after the name.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let (path, version) = split_version(text);
        if version.is_some_and(|version| version.splitn(3, '.').count() != 3) {
            return Err("has a version that is not `MAJOR.MINOR.PATCH`");
        }
        let words = |text: &str| {
            !text.is_empty()
                && text.split('-').all(|word| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_alphanumeric()))
        };
        let sound = match path.split_once(':') {
            None => version.is_none() && words(path),
            Some((namespace, rest)) => {
                let (package, interface) = rest.split_once('/').map_or((rest, None), |(one, two)| (one, Some(two)));
                namespace.split(':').chain([package]).all(words) && interface.is_none_or(words)
            }
        };
        if sound { Ok(Self { text: text.to_owned() }) } else { Err("is no name of a package or an interface") }
    }

    /// Returns it as the manifest has it.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Returns the name without its version.
    pub fn path(&self) -> &str {
        split_version(&self.text).0
    }
}

/// Splits a name before its version.
fn split_version(name: &str) -> (&str, Option<&str>) {
    name.split_once('@').map_or((name, None), |(path, version)| (path, Some(version)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_packages_interfaces_or_plain() {
        for good in ["acme:auth", "acme:auth@1.0.0", "acme:auth/check", "acme:auth/check@1.2.3-rc.1", "logger", "a-b"] {
            assert!(ImportName::parse(good).is_ok(), "{good}");
        }
        for bad in
            ["", ":", "acme:", "acme:auth/", "a:b@1", "a b", "logger@1.0.0", "a:b/c/d", "a:b@", "unlocked-dep=<a:b>"]
        {
            assert!(ImportName::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn every_kind_of_grant_has_a_key_of_the_manifest() {
        for kind in GrantKind::ALL {
            assert_eq!(GrantKind::of_key(kind.key()), Some(kind));
            let path = format!("component.*.grants.{}", kind.key());
            assert!(crate::fields::FIELDS.iter().any(|field| field.path == path), "{path}");
        }
    }
}
