//! Guesses: the world from the exports, the languages from the tools. A binary records neither.

use crate::name::Name;
use crate::{Facts, Kind, Producer};

/// Standard exports and the world that has them, the most telling first.
const WORLDS: &[(&str, &str, &str)] = &[
    ("wasi:http/handler", "0.3", "wasi:http/service"),
    ("wasi:http/incoming-handler", "0.2", "wasi:http/proxy"),
    ("wasi:cli/run", "0.3", "wasi:cli/command"),
    ("wasi:cli/run", "0.2", "wasi:cli/command"),
];

/// Tools that know one language only, by the start of their name.
const TOOLS: &[(&str, &str)] = &[
    ("componentize-py", "Python"),
    ("componentize-js", "JavaScript"),
    ("componentize-qjs", "JavaScript"),
    ("ComponentizeJS", "JavaScript"),
    ("wit-bindgen-rust", "Rust"),
    ("componentize-go", "Go"),
    ("wit-bindgen-go", "Go"),
    ("TinyGo", "Go"),
    ("Go cmd/compile", "Go"),
    ("AssemblyScript", "AssemblyScript"),
];

/// How many exported packages stand in for a world.
const MAX_PACKAGES: usize = 4;

/// The world by its name and version, or the exported packages, or nothing.
pub(crate) fn world(facts: &Facts) -> Option<String> {
    if facts.kind != Kind::Component {
        return None;
    }
    let names: Vec<Name<'_>> = facts.exports.iter().filter_map(|export| Name::parse(&export.name)).collect();
    for (export, track, world) in WORLDS {
        let found = names.iter().find(|name| name.is(export) && name.is_on_track(track));
        if let Some(version) = found.and_then(|name| name.version) {
            let is_middleware = *world == "wasi:http/service"
                && facts.imports.iter().any(|import| import.name == format!("wasi:http/handler@{version}"));
            let world = if is_middleware { "wasi:http/middleware" } else { world };
            return Some(format!("{world}@{version}"));
        }
    }
    let mut packages = Vec::new();
    for name in names {
        let version = name.version.map_or(String::new(), |version| format!("@{version}"));
        let package = format!("{}:{}{version}", name.namespace, name.package);
        if packages.len() == MAX_PACKAGES {
            packages.push("…".to_owned());
            break;
        }
        if !packages.contains(&package) {
            packages.push(package);
        }
    }
    (!packages.is_empty()).then(|| packages.join(", "))
}

/// The languages that the producers name, then those that a tool gives away.
///
/// `wit-bindgen-c` says nothing: the standard libraries of most languages are made with it.
pub(crate) fn languages<'a>(producers: impl Iterator<Item = &'a Producer> + Clone) -> Vec<String> {
    let mut languages = Vec::new();
    let mut add = |language: &str| {
        if !languages.iter().any(|known| known == language) {
            languages.push(language.to_owned());
        }
    };
    for producer in producers.clone().filter(|producer| producer.field == "language") {
        // C compilers write the edition into the name: `C11`, `C_plus_plus_14`.
        let name = producer.name.as_str();
        add(match name {
            _ if name.starts_with("C_plus_plus") => "C++",
            "C89" | "C90" | "C99" | "C11" | "C17" | "C23" => "C",
            _ => name,
        });
    }
    for producer in producers.filter(|producer| producer.field != "language") {
        if let Some((_, language)) = TOOLS.iter().find(|(tool, _)| producer.name.starts_with(tool)) {
            add(language);
        }
    }
    languages
}
