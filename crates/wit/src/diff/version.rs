//! Which version a change asks for, and whether the one that was given is enough.

use semver::Version;
use serde::Serialize;

use super::Level;

/// Which version the changes ask for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Verdict {
    /// Absent when nothing changed.
    pub level: Option<Level>,
    /// The lowest version that is allowed after the old one; absent when versions are not known.
    pub required: Option<String>,
    /// Whether the new version is at least that; absent when versions are not known.
    pub is_enough: Option<bool>,
}

pub(crate) fn verdict(level: Option<Level>, versions: Option<(Version, Version)>) -> Verdict {
    let Some((old, new)) = versions else { return Verdict { level, required: None, is_enough: None } };
    let Some(needed) = level else { return Verdict { level, required: None, is_enough: Some(new >= old) } };
    // A pre-release promises nothing to those that follow it: any higher version will do.
    if !old.pre.is_empty() {
        return Verdict { level, required: None, is_enough: Some(new > old) };
    }
    let required = next(&old, needed);
    // `0.3.0-draft` is on the way to 0.3.0, and stands in for no other version.
    let reached = Version::new(new.major, new.minor, new.patch);
    Verdict { level, is_enough: Some(reached >= required && new > old), required: Some(required.to_string()) }
}

/// Before 1.0.0 the first number that is not zero takes the part of the major one, as everybody who links components has it.
fn next(old: &Version, level: Level) -> Version {
    match (old.major, old.minor, level) {
        (0, 0, _) => Version::new(0, 0, old.patch.saturating_add(1)),
        (0, minor, Level::Major) => Version::new(0, minor.saturating_add(1), 0),
        (0, minor, _) => Version::new(0, minor, old.patch.saturating_add(1)),
        (major, _, Level::Major) => Version::new(major.saturating_add(1), 0, 0),
        (major, minor, Level::Minor) => Version::new(major, minor.saturating_add(1), 0),
        (major, minor, Level::Patch) => Version::new(major, minor, old.patch.saturating_add(1)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_number_that_is_not_zero_is_the_major_one() {
        for (old, level, required) in [
            ("1.2.3", Level::Major, "2.0.0"),
            ("1.2.3", Level::Minor, "1.3.0"),
            ("1.2.3", Level::Patch, "1.2.4"),
            ("0.2.3", Level::Major, "0.3.0"),
            ("0.2.3", Level::Minor, "0.2.4"),
            ("0.0.3", Level::Minor, "0.0.4"),
        ] {
            assert_eq!(next(&Version::parse(old).unwrap(), level).to_string(), required, "{old} {level:?}");
        }
    }

    #[test]
    fn tells_whether_the_given_version_is_enough() {
        for (old, new, level, enough) in [
            ("0.1.0", "0.2.0", Some(Level::Major), true),
            ("0.1.0", "0.1.1", Some(Level::Major), false),
            ("0.1.0", "0.1.0", Some(Level::Patch), false),
            ("0.1.0", "0.1.0", None, true),
            ("0.2.0", "0.1.0", None, false),
            ("0.2.0", "0.3.0-draft", Some(Level::Major), true),
            ("0.2.0-draft", "0.2.0-draft2", Some(Level::Major), true),
            ("0.2.0-draft", "0.2.0-draft", Some(Level::Minor), false),
            ("1.0.0", "1.1.0", Some(Level::Minor), true),
        ] {
            let found = verdict(level, Some((Version::parse(old).unwrap(), Version::parse(new).unwrap())));
            assert_eq!(found.is_enough, Some(enough), "{old} {new} {level:?}");
        }
    }
}
