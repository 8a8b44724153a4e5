//! That no test file is forgotten: a file that is no module compiles never and fails never.

use crate::finding::Finding;
use crate::tree::{File, Tree};

pub(super) fn check(tree: &Tree, findings: &mut Vec<Finding>) {
    for file in tree.rust() {
        let Some((folder, name)) = file.path.rsplit_once('/') else { continue };
        let name = name.trim_end_matches(".rs");
        // Cargo itself finds these.
        let is_root = ["lib", "main", "build"].contains(&name) && !folder.contains("/src/");
        let is_target = ["/tests", "/benches", "/examples", "/src/bin"].iter().any(|end| folder.ends_with(end));
        if is_root || (is_target && !folder.contains("/src/")) || name == "mod" {
            continue;
        }
        if !parents(folder).iter().filter_map(|path| tree.get(path)).any(|parent| declares(parent, name)) {
            let text = format!("no parent has `mod {name};`: the file is not compiled; declare it or remove it");
            findings.push(Finding::new(&file.path, 1, text));
        }
    }
}

/// Returns the files that may declare the modules of a folder.
fn parents(folder: &str) -> [String; 4] {
    [format!("{folder}.rs"), format!("{folder}/mod.rs"), format!("{folder}/lib.rs"), format!("{folder}/main.rs")]
}

fn declares(parent: &File, name: &str) -> bool {
    let declaration = format!("mod {name};");
    parent.text.lines().any(|line| {
        line.trim_start()
            .strip_suffix(&declaration)
            .is_some_and(|before| before.is_empty() || before.starts_with("pub"))
    })
}
