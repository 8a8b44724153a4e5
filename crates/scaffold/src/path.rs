//! Paths that a template may write to.
//!
//! In: a path as a template gives it, with `/`. Out: whether it stays in the folder, on every system. Next: [`crate::write`].

use crate::error::Error;

/// Bytes of a path, and of one part of it: what file systems have in common.
const PATH_BYTES: usize = 1024;
const PART_BYTES: usize = 255;

/// Refuses a path that leaves the folder, or that some system reads as something else.
pub(crate) fn check(path: &str) -> Result<(), Error> {
    match why_not(path) {
        Some(why) => Err(Error::Path { path: path.chars().take(200).collect(), why }),
        None => Ok(()),
    }
}

fn why_not(path: &str) -> Option<&'static str> {
    if path.is_empty() {
        return Some("has no name");
    }
    if path.len() > PATH_BYTES {
        return Some("has a path that is too long");
    }
    path.split('/').find_map(|part| match part {
        "" => Some("is not relative to the template, or has an empty part"),
        "." | ".." => Some("has a path that leads out of the folder"),
        part if part.len() > PART_BYTES => Some("has a name that is too long"),
        // A repository's hooks and settings are programs that git runs.
        part if part.eq_ignore_ascii_case(".git") => Some("is part of a git repository"),
        part if part.contains(['\\', ':']) || part.chars().any(char::is_control) => {
            Some("has a character that no name of a file may have")
        }
        part if part.ends_with(['.', ' ']) => Some("ends with a dot or a space, which some systems take away"),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::path::{Component, Path};

    #[test]
    fn what_leaves_the_folder_is_refused() {
        let long = "x".repeat(PART_BYTES + 1);
        for path in [
            "",
            "/etc/passwd",
            "../x",
            "a/../../x",
            "a//b",
            "a/",
            "./a",
            "a\\..\\b",
            "C:x",
            "a\0b",
            "a\nb",
            ".git/hooks/x",
            "a/.GIT/config",
            "a.",
            "b /c",
            &long,
        ] {
            assert!(check(path).is_err(), "{path:?}");
        }
        for path in ["a", "src/main.rs", ".gitignore", "a..b", "..a/b", "wit/deps/http.wit", "ä/b c.txt"] {
            assert!(check(path).is_ok(), "{path:?}");
        }
    }

    proptest! {
        #[test]
        fn what_is_accepted_stays_in_the_folder(path in r"[a.:/\\ ]{0,12}") {
            if check(&path).is_ok() {
                prop_assert!(Path::new(&path).components().all(|part| matches!(part, Component::Normal(_))));
            }
        }
    }
}
