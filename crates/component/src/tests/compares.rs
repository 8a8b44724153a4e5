//! What one component may do more than another.

use super::{facts_of, facts_of_wat};
use crate::{Capability, PowerChange, compare};

#[test]
fn new_power_comes_first_and_is_marked() {
    let old = facts_of("import wasi:keyvalue/store@0.2.0-draft2; import wasi:cli/stdout@0.2.6;");
    let new = facts_of(
        "import wasi:http/outgoing-handler@0.2.12; import wasi:cli/stdout@0.2.6; import wasi:clocks/timezone@0.2.12;",
    );
    let found = compare(&old, &new);
    let lines: Vec<_> = found.power.iter().map(|power| (power.capability, power.change, power.is_more)).collect();
    assert_eq!(
        lines,
        [
            (Capability::CallHttp, PowerChange::New, true),
            (Capability::Clock, PowerChange::New, false),
            (Capability::KeyValue, PowerChange::Gone, false),
            (Capability::Output, PowerChange::Kept, false),
        ]
    );
    assert!(found.has_new_power());
    let text = found.power_text();
    assert!(text.starts_with("power\n  + may now call other services over HTTP   [needs a grant: http = "), "{text}");
    assert!(text.contains("  - may no longer keep key-value state   [its grant can be removed]\n      - wasi:keyvalue/store@0.2.0-draft2\n"), "{text}");
    assert!(!compare(&new, &new).has_new_power() && !compare(&old, &facts_of("")).has_new_power());
}

#[test]
fn an_interface_of_others_counts_by_itself() {
    let old = facts_of("import acme:shop/orders@1.2.0;");
    let new = facts_of(
        "import acme:shop/orders@1.2.0; import fermyon:spin/sqlite@2.0.0; import mine: interface { f: func(); }",
    );
    let found = compare(&old, &new);
    let more: Vec<_> =
        found.power.iter().filter(|power| power.is_more).map(|power| (power.capability, power.added.clone())).collect();
    assert_eq!(
        more,
        [(Capability::Sql, vec!["fermyon:spin/sqlite@2.0.0".to_owned()]), (Capability::Other, vec!["mine".to_owned()]),]
    );
}

#[test]
fn another_version_of_an_interface_is_no_new_power() {
    let old = facts_of("import wasi:http/client@0.3.0;");
    let new = facts_of("import wasi:http/outgoing-handler@0.2.12;");
    let found = compare(&old, &new);
    assert!(!found.has_new_power(), "{found:?}");
    assert_eq!(found.power[0].added, ["wasi:http/outgoing-handler@0.2.12"]);
}

#[test]
fn sizes_and_tools_are_compared() {
    let wat = |code: &str, version: &str| {
        let mut facts = facts_of_wat(&format!("(module (func {code}))"));
        facts.producers.push(crate::Producer {
            field: "language".to_owned(),
            name: "Rust".to_owned(),
            version: version.to_owned(),
        });
        facts
    };
    let (old, new) = (wat("nop", "1"), wat("nop nop nop", "2"));
    let found = compare(&old, &new);
    assert_eq!(
        (found.sections[0].name.as_str(), found.sections[0].size.new_bytes - found.sections[0].size.old_bytes),
        ("code", 2)
    );
    let text = found.size_text();
    assert!(text.contains("+2 B  code") && text.contains("~ Rust 1 -> 2 (language)"), "{text}");
    let text = compare(&old, &old).size_text();
    assert!(text.contains("the same") && !text.contains("made with"), "{text}");
}

#[test]
fn each_system_call_of_a_module_counts() {
    let module = |name: &str| {
        facts_of_wat(&format!(r#"(module (import "wasi_snapshot_preview1" "{name}" (func)) (func (export "_start")))"#))
    };
    let found = compare(&module("fd_write"), &module("sock_send"));
    assert_eq!(found.power[0].added, ["sock_send"]);
    assert!(found.has_new_power() && !compare(&module("fd_write"), &module("fd_write")).has_new_power());
}
