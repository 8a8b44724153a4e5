//! What every `Cargo.toml` and `Cargo.lock` has in common.

use toml::{Table, Value};

use crate::finding::Finding;
use crate::tree::{File, Tree};

/// The registry that everybody has.
const REGISTRY: &str = "registry+https://github.com/rust-lang/crates.io-index";

/// A crate may be listed for its features or for what it links; the manifest says so on the same line.
const UNUSED_MARK: &str = "# Not named in code:";

pub(super) fn check(tree: &Tree, findings: &mut Vec<Finding>) {
    members(tree, findings);
    for (folder, file) in tree.manifests() {
        let manifest = file.toml();
        if manifest.get("lints").and_then(|lints| lints.get("workspace")) != Some(&Value::Boolean(true)) {
            let text = "the workspace's lints are off: one style for all; add `[lints]` with `workspace = true`";
            findings.push(Finding::new(&file.path, 1, text));
        }
        for section in ["dependencies", "dev-dependencies", "build-dependencies"] {
            let dependencies = manifest.get(section).and_then(Value::as_table);
            for (name, value) in dependencies.into_iter().flatten() {
                findings.extend(dependency(tree, folder, file, name, value));
            }
        }
    }
    for lock in tree.files.iter().filter(|file| file.name() == "Cargo.lock") {
        let foreign =
            (1..).zip(lock.text.lines()).filter(|(_, line)| line.starts_with("source = ") && !line.contains(REGISTRY));
        findings.extend(foreign.map(|(number, line)| {
            let text = format!("{line}: not the registry that everybody has; depend on a published version");
            Finding::new(&lock.path, number, text)
        }));
    }
}

/// Checks that every crate is a member and every other workspace has its lock file.
fn members(tree: &Tree, findings: &mut Vec<Finding>) {
    let Some(root) = tree.get("Cargo.toml") else { return };
    let listed = super::texts(workspace(&root.toml()), "members").join(" ");
    for (folder, file) in tree.manifests() {
        let parent = folder.rsplit_once('/').map(|(parent, _)| format!("{parent}/*"));
        let is_listed = listed.split(' ').any(|member| member == folder || Some(member) == parent.as_deref());
        if !is_listed {
            let text = "no member of the workspace: nothing builds it; add it to `members` in Cargo.toml";
            findings.push(Finding::new(&file.path, 1, text));
        }
    }
    let is_workspace = |file: &&File| file.name() == "Cargo.toml" && file.toml().contains_key("workspace");
    // What a template becomes is locked by whoever builds it.
    let is_ours = |file: &&File| !file.path.starts_with("templates/");
    for file in tree.files.iter().filter(is_ours).filter(is_workspace) {
        let lock = file.path.replace("Cargo.toml", "Cargo.lock");
        if tree.get(&lock).is_none() {
            let text = "a workspace without Cargo.lock: tomorrow it builds something else; commit its lock file";
            findings.push(Finding::new(&file.path, 1, text));
        }
    }
}

fn workspace(manifest: &Table) -> &Table {
    static EMPTY: std::sync::LazyLock<Table> = std::sync::LazyLock::new(Table::new);
    manifest.get("workspace").and_then(Value::as_table).unwrap_or(&EMPTY)
}

fn dependency(tree: &Tree, folder: &str, file: &File, name: &str, value: &Value) -> Option<Finding> {
    let is_line = |line: &str| line.strip_prefix(name).is_some_and(|rest| rest.starts_with(['.', ' ', '=']));
    let (number, line) = (1..).zip(file.text.lines()).find(|(_, line)| is_line(line)).unwrap_or((1, ""));
    if value.get("workspace") != Some(&Value::Boolean(true)) {
        let text = format!(
            "`{name}` has its own version: versions are pinned once, in the root; use `{name}.workspace = true`"
        );
        return Some(Finding::new(&file.path, number, text));
    }
    let in_code = name.replace('-', "_");
    let is_used =
        tree.rust().filter(|file| file.path.starts_with(&format!("{folder}/"))).any(|file| names(&file.text, &in_code));
    let text = format!("`{name}` is named nowhere in this crate: it costs every build; remove it");
    (!is_used && !line.contains(UNUSED_MARK)).then(|| Finding::new(&file.path, number, text))
}

/// Tells whether a text has a name as a whole word.
fn names(text: &str, name: &str) -> bool {
    let is_part = |letter: char| letter.is_alphanumeric() || letter == '_';
    text.match_indices(name)
        .any(|(start, _)| !text[..start].ends_with(is_part) && !text[start + name.len()..].starts_with(is_part))
}
