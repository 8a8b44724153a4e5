//! The list of what is provided against the WIT of the repository.

use std::collections::BTreeSet;
use std::path::Path;

use wit_parser::Resolve;

use crate::tests::encode;
use crate::{PROVIDED, check, inspect};

fn vendored(version: &str) -> (Resolve, wit_parser::PackageId) {
    let mut resolve = Resolve::default();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../wit").join(version);
    let (package, _) = resolve.push_dir(folder).unwrap();
    (resolve, package)
}

#[test]
fn lists_exactly_the_interfaces_of_the_vendored_wit() {
    // What components export, and what is unstable.
    let left_out =
        ["wasi:cli/run", "wasi:clocks/timezone", "wasi:messaging/incoming-handler", "wasmcloud:messaging/handler"];
    let mut expected = BTreeSet::new();
    for folder in std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../wit")).unwrap() {
        let folder = folder.unwrap();
        if !folder.file_type().unwrap().is_dir() {
            continue;
        }
        // Packages of capabilities use those of WASI 0.2.
        let (mut resolve, _) = vendored("wasi-0.2");
        if folder.file_name() != "wasi-0.2" {
            resolve.push_dir(folder.path()).unwrap();
        }
        let ours = |name: &str| ["wasi", "wasmcloud", "wharf"].contains(&name);
        for (_, package) in resolve.packages.iter().filter(|(_, package)| ours(&package.name.namespace)) {
            for name in package.interfaces.keys() {
                expected.insert(package.name.interface_id(name));
            }
        }
    }
    expected.retain(|name| !left_out.contains(&name.split('@').next().unwrap()));
    let listed: BTreeSet<String> = PROVIDED.iter().map(crate::Provided::full_name).collect();
    assert_eq!(listed, expected);
    assert_eq!(listed.len(), PROVIDED.len(), "a line is there twice");
}

#[test]
fn serves_the_standard_http_worlds() {
    for (version, world, guess) in [
        ("wasi-0.2", "http", "wasi:http/proxy@0.2.12"),
        ("wasi-0.2", "proxy", "wasi:http/proxy@0.2.12"),
        ("wasi-0.3", "http", "wasi:http/service@0.3.0"),
        ("wasi-0.3", "service", "wasi:http/service@0.3.0"),
    ] {
        let (resolve, package) = vendored(version);
        let world_id = resolve.select_world(&[package], Some(world)).unwrap();
        let facts = inspect(&encode(&resolve, world_id)).unwrap();
        let missing = check(&facts, PROVIDED);
        assert_eq!(missing, [], "{version} {world}");
        assert_eq!(facts.world.as_deref(), Some(guess), "{version} {world}");
        assert!(facts.verdict(&missing).serve.is_ok(), "{version} {world}");
        assert!(
            facts.imports.iter().all(|import| import.is_types_only || !import.items.is_empty()),
            "{version} {world}"
        );
    }
}
