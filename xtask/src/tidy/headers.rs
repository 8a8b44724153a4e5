//! That every file says what it is for, and every stop of the walk where it stands.

use crate::finding::Finding;
use crate::tree::{File, Tree};

/// Crates off the walk: above and under all stops.
const OFF_THE_WALK: &[&str] = &["cli", "telemetry", "testkit"];

/// The stops of a request, from the socket to the guest.
const STOPS: &[&str] = &[
    "crates/gateway/src/listener.rs",
    "crates/gateway/src/tls.rs",
    "crates/gateway/src/connection.rs",
    "crates/gateway/src/limits.rs",
    "crates/gateway/src/router.rs",
    "crates/trigger/src/http.rs",
    "crates/runtime/src/admit.rs",
    "crates/runtime/src/pool.rs",
    "crates/runtime/src/instance.rs",
    "crates/runtime/src/invoke/http.rs",
];

pub(super) fn check(tree: &Tree, findings: &mut Vec<Finding>) {
    for file in tree.rust().filter(|file| !file.is_test()) {
        let header = header(file);
        if header.is_empty() {
            let text =
                "no `//!` on the first line: a reader wants to know what the file is for; say it in one sentence";
            findings.push(Finding::new(&file.path, 1, text));
        } else if is_stop(&file.path) && !["In: ", "Out: ", "Next: "].iter().all(|word| header.contains(word)) {
            let text = "no station line: readers walk from stop to stop; add `//! In: … Out: … Next: ….` to the header";
            findings.push(Finding::new(&file.path, 1, text));
        }
    }
}

/// Returns the text of the header, one line.
fn header(file: &File) -> String {
    file.text.lines().map_while(|line| line.strip_prefix("//!")).collect()
}

fn is_stop(path: &str) -> bool {
    let library = path.strip_prefix("crates/").and_then(|path| path.strip_suffix("/src/lib.rs"));
    library.is_some_and(|name| !OFF_THE_WALK.contains(&name)) || STOPS.contains(&path)
}
