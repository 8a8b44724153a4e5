//! Sets of interfaces that scaffolds get into `wit/deps`, made of the texts that the program itself is built with.
//!
//! In: the name of a set. Out: files. Next: [`crate::render`].

use crate::embedded::WIT;

/// One set.
struct Set {
    name: &'static str,
    /// Folders and files of `wit`.
    places: &'static [&'static str],
    /// The version that takes the place of another one, in a text without its worlds.
    version: Option<(&'static str, &'static str)>,
}

const SETS: &[Set] = &[
    Set { name: "wasi-0.2", places: &["wasi-0.2/deps/"], version: None },
    Set { name: "wasi-0.3", places: &["wasi-0.3/deps/"], version: None },
    // The JavaScript engine with web APIs was linked with this version, and knows `fetch` events of no other. Between patch versions
    // of WASI 0.2 only worlds and sockets differ.
    Set {
        name: "wasi-0.2.10",
        places: &[
            "wasi-0.2/deps/http.wit",
            "wasi-0.2/deps/io.wit",
            "wasi-0.2/deps/clocks.wit",
            "wasi-0.2/deps/random.wit",
            "wasi-0.2/deps/cli.wit",
            "wasi-0.2/deps/filesystem.wit",
        ],
        version: Some(("0.2.12", "0.2.10")),
    },
    Set {
        name: "capabilities",
        places: &[
            "keyvalue-0.2.0-draft2/",
            "config-0.2.0-rc.1/",
            "messaging-0.2.0-draft/",
            "logging/",
            "secrets/",
            "sql/",
        ],
        version: None,
    },
    // Blobs are streams of WASI 0.2.12: what uses them needs `wasi-0.2` too.
    Set { name: "blobstore", places: &["blobstore/"], version: None },
];

/// Returns the names of all sets.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    SETS.iter().map(|set| set.name)
}

/// Tells whether there is such a set.
pub(crate) fn is_known(name: &str) -> bool {
    names().any(|known| known == name)
}

/// Returns the files of a set, by their paths from the scaffold's folder. Nothing if there is no such set.
pub(crate) fn files(name: &str) -> Vec<(String, String)> {
    let Some(set) = SETS.iter().find(|set| set.name == name) else { return Vec::new() };
    let is_part = |path: &str| set.places.iter().any(|place| path.starts_with(place));
    let texts = WIT.iter().filter(|(path, _)| is_part(path)).filter_map(|(path, bytes)| {
        let text = std::str::from_utf8(bytes).ok()?;
        let name = path.rsplit('/').next()?;
        let text = match set.version {
            Some((from, to)) => without_worlds(text).replace(from, to),
            None => text.to_owned(),
        };
        Some((format!("wit/deps/{name}"), text))
    });
    texts.collect()
}

/// Takes the worlds out of a text: they import interfaces that are not in the set. Relies on the form of the files in `wit`, in which a
/// world begins and ends at the first column.
fn without_worlds(text: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    let mut is_in_world = false;
    for line in text.lines() {
        if line.starts_with("world ") {
            is_in_world = true;
            // What is said about the world stands before it.
            while kept.last().is_some_and(|line| line.starts_with("///") || line.starts_with('@')) {
                kept.pop();
            }
        }
        if !is_in_world {
            kept.push(line);
        }
        if line == "}" {
            is_in_world = false;
        }
    }
    kept.join("\n") + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;
    use wit_parser::Resolve;

    fn parse(sets: &[&str], world: &str) -> Result<(), String> {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(folder.path().join("wit/deps")).unwrap();
        for (path, text) in sets.iter().flat_map(|set| files(set)) {
            std::fs::write(folder.path().join(path), text).unwrap();
        }
        std::fs::write(folder.path().join("wit/world.wit"), format!("package local:test;\nworld test {{ {world} }}\n"))
            .unwrap();
        Resolve::default().push_dir(folder.path().join("wit")).map(|_| ()).map_err(|error| format!("{error:?}"))
    }

    #[test]
    fn every_set_resolves() {
        let http = "import wasi:http/types@0.2.10; export wasi:http/incoming-handler@0.2.10;";
        assert_eq!(parse(&["wasi-0.2.10"], http), Ok(()));
        assert_eq!(parse(&["wasi-0.2"], "include wasi:http/proxy@0.2.12;"), Ok(()));
        assert_eq!(parse(&["wasi-0.3"], "include wasi:http/service@0.3.0;"), Ok(()));
        assert_eq!(parse(&["wasi-0.2", "blobstore"], "import wasi:blobstore/blobstore@0.2.0-draft;"), Ok(()));
        let world = "import wasi:keyvalue/store@0.2.0-draft2; import wharf:sql/database@0.1.0; import wasi:config/store@0.2.0-rc.1;";
        assert_eq!(parse(&["capabilities"], world), Ok(()));
        assert!(parse(&["capabilities"], "import wasi:http/types@0.2.12;").is_err());
    }

    #[test]
    fn worlds_are_taken_out_with_what_is_said_about_them() {
        let text =
            "interface a {\n}\n\n/// About.\n@since(version = 1.0.0)\nworld w {\n  import a;\n}\ninterface b {\n}\n";
        assert_eq!(without_worlds(text), "interface a {\n}\n\ninterface b {\n}\n");
    }
}
