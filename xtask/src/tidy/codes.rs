//! That every error code that a user can meet is explained, and nothing is explained that nobody can meet.

use std::collections::BTreeMap;

use crate::finding::Finding;
use crate::tree::Tree;

const PAGES: &str = "docs/errors/";

/// The codes of manifest problems are explained here.
const MANIFEST: &str = "crates/app/src/codes.rs";

pub(super) fn check(tree: &Tree, findings: &mut Vec<Finding>) {
    let mut used = BTreeMap::<&str, (&str, usize)>::new();
    for file in tree.rust().filter(|file| file.path.contains("/src/") && file.path.starts_with("crates/")) {
        // A comment speaks about codes; only code makes them.
        for (number, line) in file.code().filter(|(_, line)| !line.trim_start().starts_with("//")) {
            codes(line).for_each(|code| _ = used.entry(code).or_insert((&file.path, number)));
        }
    }
    let manifest = tree.get(MANIFEST).map(|file| file.text.as_str()).unwrap_or_default();
    for (code, (path, line)) in &used {
        let has_page = tree.get(&format!("{PAGES}{code}.md")).is_some();
        let is_listed = is_of_manifest(code) && codes(manifest).any(|known| known == *code);
        if !has_page && !is_listed {
            let place =
                if is_of_manifest(code) { format!("add it to {MANIFEST}") } else { format!("write {PAGES}{code}.md") };
            let text = format!("{code} is explained nowhere: `wharf explain` must know what a user meets; {place}");
            findings.push(Finding::new(path, *line, text));
        }
    }
    for file in tree.files.iter().filter(|file| file.path.starts_with(PAGES)) {
        let code = file.name().trim_end_matches(".md");
        if code.starts_with("WHARF-") && !used.contains_key(code) {
            findings.push(Finding::new(
                &file.path,
                1,
                format!("nothing says {code} any more: remove the page, keep the number free"),
            ));
        }
    }
}

fn is_of_manifest(code: &str) -> bool {
    code.starts_with("WHARF-01")
}

/// Returns the codes in a text: `WHARF-` and four digits.
fn codes(text: &str) -> impl Iterator<Item = &str> {
    text.match_indices("WHARF-").filter_map(|(start, _)| {
        let code = text.get(start..start + 10)?;
        code[6..].bytes().all(|byte| byte.is_ascii_digit()).then_some(code)
    })
}
