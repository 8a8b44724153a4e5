//! Names and versions of interfaces, and when one version stands in for another.

/// The parts of `namespace:package/interface@version`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Name<'a> {
    pub(crate) namespace: &'a str,
    pub(crate) package: &'a str,
    pub(crate) interface: &'a str,
    pub(crate) version: Option<&'a str>,
}

impl<'a> Name<'a> {
    /// Splits a full name; plain names such as `run` give nothing.
    pub(crate) fn parse(name: &'a str) -> Option<Name<'a>> {
        let (path, version) = match name.split_once('@') {
            Some((path, version)) => (path, Some(version)),
            None => (name, None),
        };
        let (namespace, rest) = path.split_once(':')?;
        let (package, interface) = rest.rsplit_once('/')?;
        // `unlocked-dep=<a:b/c>` and its kind are names of another sort.
        let is_plain = |part: &str| !part.is_empty() && !part.contains(['<', '>', '=', '|']);
        (is_plain(namespace) && is_plain(package) && is_plain(interface)).then_some(Name {
            namespace,
            package,
            interface,
            version,
        })
    }

    /// Says whether this is `path`, a name without version.
    pub(crate) fn is(&self, path: &str) -> bool {
        Name::parse(path).is_some_and(|other| self.is_same_interface(&other))
    }

    pub(crate) fn is_same_interface(&self, other: &Name<'_>) -> bool {
        (self.namespace, self.package, self.interface) == (other.namespace, other.package, other.interface)
    }

    /// Says whether this has version `track` of the compatible kind: `0.2`, `0.3`, `1`.
    pub(crate) fn is_on_track(&self, track: &str) -> bool {
        self.version.and_then(track_of).is_some_and(|own| own == track)
    }
}

/// The part of a version that compatible versions share: `0.2` of `0.2.6`, `1` of `1.4.0`. Pre-releases and `0.0.x` share
/// with nobody, so they have none.
///
/// This is the rule of the engine's linker; `host` must not be stricter or laxer than it.
pub(crate) fn track_of(version: &str) -> Option<&str> {
    let number = version.split_once('+').map_or(version, |(number, _build)| number);
    let mut parts = number.splitn(3, '.');
    let (major, minor, patch) = (parts.next()?, parts.next()?, parts.next()?);
    if [major, minor, patch].iter().any(|part| part.is_empty() || part.bytes().any(|byte| !byte.is_ascii_digit())) {
        return None;
    }
    if major != "0" {
        Some(major)
    } else if minor != "0" {
        Some(&version[..major.len() + 1 + minor.len()])
    } else {
        None
    }
}
