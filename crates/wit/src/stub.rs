//! Stands in for packages that are not there, so that the rest of a package can be checked without them.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use wit_parser::{AstItem, PackageName, UnresolvedPackage, UnresolvedPackageGroup};

/// What the texts expect of a package that is not there.
#[derive(Default)]
struct Expected {
    interfaces: BTreeMap<String, BTreeSet<String>>,
    worlds: BTreeSet<String>,
}

/// Returns every package of some groups.
pub(crate) fn packages(groups: &[UnresolvedPackageGroup]) -> impl Iterator<Item = &UnresolvedPackage> {
    groups.iter().flat_map(|group| group.nested.iter().chain([&group.main]))
}

/// Returns a text for each package that is named and not known, with what is expected of it.
///
/// Types are resources in it: they fit wherever a type is named.
pub(crate) fn stubs(groups: &[UnresolvedPackageGroup], known: &BTreeSet<PackageName>) -> Vec<String> {
    let mut missing: BTreeMap<&PackageName, Expected> = BTreeMap::new();
    for package in packages(groups) {
        for (name, items) in package.foreign_deps.iter().filter(|(name, _)| !known.contains(*name)) {
            let expected = missing.entry(name).or_default();
            for (item, (kind, _)) in items {
                match kind {
                    AstItem::World(_) => _ = expected.worlds.insert(item.clone()),
                    AstItem::Interface(id) => {
                        let types = package.interfaces[*id].types.keys().cloned();
                        expected.interfaces.entry(item.clone()).or_default().extend(types);
                    }
                }
            }
        }
    }
    missing.into_iter().map(|(name, expected)| text(name, &expected)).collect()
}

fn text(name: &PackageName, expected: &Expected) -> String {
    let version = name.version.as_ref().map_or_else(String::new, |version| format!("@{version}"));
    let mut text = format!("package %{}:%{}{version};\n", name.namespace, name.name);
    for (interface, types) in &expected.interfaces {
        let types: String = types.iter().map(|name| format!(" resource %{name};")).collect();
        let _ = writeln!(text, "interface %{interface} {{{types} }}");
    }
    for world in &expected.worlds {
        let _ = writeln!(text, "world %{world} {{}}");
    }
    text
}
