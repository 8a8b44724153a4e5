//! All that is wrong, or superfluous, in a package.
//!
//! In: a [`Folder`]. Out: [`Finding`]s, the mistakes first. Next: [`crate::render`].

use std::collections::BTreeSet;

use wharf_app::Problem;
use wit_parser::PackageName;

use crate::finding::UNUSED;
use crate::{Dependency, Finding, Folder, Parsed, parse, references};

/// Returns every mistake; for a package without, the dependencies that it does not use.
pub fn check(folder: &Folder) -> Vec<Finding> {
    match parse(folder) {
        Ok(parsed) => unused(folder, &parsed),
        Err(findings) => findings,
    }
}

fn unused(folder: &Folder, parsed: &Parsed) -> Vec<Finding> {
    let used = used(parsed);
    let texts = folder.deps.iter().filter(|dep| matches!(dep, Dependency::Text(_)));
    let binaries = folder.deps.iter().filter(|dep| matches!(dep, Dependency::Binary { .. }));
    let entries = texts.chain(binaries).zip(&parsed.of_deps);
    let entries = entries.filter(|(_, names)| !names.iter().any(|name| used.contains(name)));
    entries.filter_map(|(dep, names)| finding(dep, names)).collect()
}

fn finding(dep: &Dependency, names: &[PackageName]) -> Option<Finding> {
    let (file, at) = match dep {
        Dependency::Binary { name, .. } => (name, 0..0),
        Dependency::Text(files) => {
            let declared = files.iter().find_map(|file| {
                let found = references(&file.text).into_iter().find(|reference| reference.is_declaration)?;
                Some((&file.name, found.range))
            });
            declared.or_else(|| files.first().map(|file| (&file.name, 0..0)))?
        }
    };
    let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    let problem = Problem::warning(UNUSED, at, format!("nothing uses {}", names.join(", ")));
    Some(Finding { file: file.clone(), problem: problem.with_help("remove it from `deps`") })
}

/// Returns the packages that the main one uses, and those that they use.
fn used(parsed: &Parsed) -> BTreeSet<PackageName> {
    let mut used = BTreeSet::new();
    let mut open = vec![parsed.resolve.packages[parsed.package].name.clone()];
    // Packages inside of the main one's files are its own.
    while let Some(name) = open.pop() {
        if !used.insert(name.clone()) {
            continue;
        }
        open.extend(parsed.uses.get(&name).into_iter().flatten().cloned());
        if let Some(id) = parsed.resolve.package_names.get(&name) {
            let direct = parsed.resolve.package_direct_deps(*id);
            open.extend(direct.map(|id| parsed.resolve.packages[id].name.clone()));
        }
    }
    used
}
