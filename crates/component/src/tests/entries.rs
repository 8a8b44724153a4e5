//! Worlds, entries and signatures.

use wit_parser::Resolve;

use crate::tests::{component, facts_of, facts_of_wat, module_of};
use crate::{Capability, Entry, ExternKind, Kind, inspect};

#[test]
fn finds_every_entry_and_the_world() {
    let cases = [
        ("export wasi:http/incoming-handler@0.2.12;", "wasi:http/proxy@0.2.12", "http_incoming_handler02"),
        ("export wasi:http/handler@0.3.0;", "wasi:http/service@0.3.0", "http_handler03"),
        (
            "import wasi:http/handler@0.3.0; export wasi:http/handler@0.3.0;",
            "wasi:http/middleware@0.3.0",
            "http_handler03",
        ),
        ("export wasi:cli/run@0.2.6;", "wasi:cli/command@0.2.6", "cli_run02"),
        ("export wasi:cli/run@0.3.2;", "wasi:cli/command@0.3.2", "cli_run03"),
        (
            "export wasi:cli/run@0.2.6; export wasi:http/incoming-handler@0.2.12;",
            "wasi:http/proxy@0.2.12",
            "http_incoming_handler02 cli_run02",
        ),
        ("export init: func(); export wasi:http/handler@0.3.0;", "wasi:http/service@0.3.0", "http_handler03 library"),
        ("export acme:shop/orders@1.2.0;", "acme:shop@1.2.0", "library library"),
        ("export wasi:http/handler@0.3.0-rc-2026-03-15;", "wasi:http@0.3.0-rc-2026-03-15", "library"),
    ];
    for (wit, world, entries) in cases {
        let facts = facts_of(wit);
        assert_eq!(facts.world.as_deref(), Some(world), "{wit}");
        let kinds: Vec<String> = facts
            .entries
            .iter()
            .map(|entry| serde_json::to_value(entry).unwrap()["kind"].as_str().unwrap().to_owned())
            .collect();
        assert_eq!(kinds.join(" "), entries, "{wit}");
    }
    assert_eq!(facts_of("").world, None);
}

#[test]
fn writes_signatures_in_the_words_of_wit() {
    let facts = facts_of(
        "export acme:shop/orders@1.2.0;
         export api: interface {
            resource cart {
                constructor(owner: string);
                add: func(item: u32) -> result<u32, string>;
                open: static func(id: tuple<u32, u32>) -> option<cart>;
            }
            wait: async func(cart: borrow<cart>);
            bytes: func() -> stream<u8>;
         }
         export ping: func(text: list<string>) -> bool;",
    );
    let items: Vec<&str> = facts.exports.iter().flat_map(|export| &export.items).map(String::as_str).collect();
    assert_eq!(
        items,
        [
            "ping: func(text: list<string>) -> bool",
            "total: func(order: order) -> u32",
            "find: func(page: u32) -> list<order>",
            "resource cart",
            "cart: constructor(owner: string)",
            "cart.add: func(item: u32) -> result<u32, string>",
            "cart.open: static func(id: tuple<u32, u32>) -> option<cart>",
            "wait: async func(cart: borrow<cart>)",
            "bytes: func() -> stream<u8>",
        ]
    );
    assert_eq!(
        facts.entries[0],
        Entry::Library {
            interface: None,
            name: "ping".to_owned(),
            signature: "ping: func(text: list<string>) -> bool".to_owned()
        }
    );
    assert!(facts.wit.contains("interface orders {") && facts.wit.contains("record order"), "{}", facts.wit);
}

#[test]
fn splits_names_and_groups_imports_by_capability() {
    let facts = facts_of("import wasi:http/outgoing-handler@0.2.12; import get: func() -> u32;");
    let handler = facts.imports.iter().find(|import| import.name.contains("outgoing")).unwrap();
    assert_eq!(handler.namespace.as_deref(), Some("wasi"));
    assert_eq!(handler.package.as_deref(), Some("http"));
    assert_eq!(handler.interface.as_deref(), Some("outgoing-handler"));
    assert_eq!(handler.version.as_deref(), Some("0.2.12"));
    assert_eq!((handler.kind, handler.capability), (ExternKind::Instance, Capability::CallHttp));
    let get = facts.imports.iter().find(|import| import.name == "get").unwrap();
    assert_eq!((get.kind, get.package.as_deref(), get.capability), (ExternKind::Func, None, Capability::Other));
}

#[test]
fn knows_capabilities_by_name() {
    let cases = [
        ("wasi:http/types@0.2.0", Capability::Plumbing, false),
        ("wasi:http/client@0.3.0", Capability::CallHttp, true),
        ("wasi:filesystem/preopens@0.2.0", Capability::Files, true),
        ("wasi:sockets/tcp@0.2.3", Capability::Network, true),
        ("wasi:cli/environment@0.3.0", Capability::Environment, true),
        ("wasi:cli/stderr@0.2.3", Capability::Output, false),
        ("wasi:cli/terminal-stdin@0.2.3", Capability::Terminal, false),
        ("wasi:clocks/wall-clock@0.2.3", Capability::Clock, false),
        ("wasi:random/insecure-seed", Capability::Random, false),
        ("wasi:keyvalue/store@0.2.0-draft2", Capability::KeyValue, true),
        ("fermyon:spin/sqlite@2.0.0", Capability::Sql, true),
        ("spin:postgres/postgres@4.0.0", Capability::Sql, true),
        ("wasmcloud:messaging/consumer@0.2.0", Capability::Messaging, true),
        ("wasi_snapshot_preview1", Capability::Preview1, false),
        ("acme:shop/orders@1.0.0", Capability::Other, false),
        ("plain", Capability::Other, false),
    ];
    for (name, capability, needs_grant) in cases {
        let found = Capability::of_import(name);
        assert_eq!((found, found.needs_grant()), (capability, needs_grant), "{name}");
    }
}

#[test]
fn tells_commands_from_libraries_among_modules() {
    let command = facts_of_wat(
        r#"(module (import "wasi_snapshot_preview1" "proc_exit" (func (param i32))) (func (export "_start")))"#,
    );
    assert_eq!(command.entries, [Entry::Preview1Command]);
    let library = facts_of_wat(
        r#"(module (memory (export "memory") 1) (func (export "add") (param i32 i32) (result i32) unreachable))"#,
    );
    assert_eq!(
        library.entries,
        [Entry::Library {
            interface: None,
            name: "add".to_owned(),
            signature: "add: func(i32, i32) -> i32".to_owned()
        }]
    );
    assert_eq!(library.exports[0].items, ["memory: memory"]);
}

#[test]
fn reads_the_world_inside_a_core_module() {
    let mut resolve = Resolve::default();
    let package =
        resolve.push_str("w.wit", "package acme:cart@1.0.0; world shop { export add: func(a: u32); }").unwrap();
    let world = resolve.select_world(&[package], None).unwrap();
    let facts = inspect(&module_of(&resolve, world)).unwrap();
    assert!(facts.has_embedded_world);
    assert_eq!(facts.kind, Kind::Module);
    assert_eq!(facts.world.as_deref(), Some("acme:cart/shop@1.0.0"));
    assert!(facts.wit.contains("export add: func(a: u32);"), "{}", facts.wit);
}

#[test]
fn recognises_wit_packages_in_binary_form() {
    let mut resolve = Resolve::default();
    let package = resolve.push_str("w.wit", "package acme:cart; interface api { add: func(a: u32); }").unwrap();
    let facts = inspect(&wit_component::encode(&resolve, package).unwrap()).unwrap();
    assert_eq!(facts.kind, Kind::WitPackage);
    assert!(facts.wit.contains("interface api"), "{}", facts.wit);
    assert!(facts.verdict(&[]).call.unwrap_err().contains("no code"));
}

#[test]
fn serialises_with_stable_names() {
    let json = serde_json::to_value(inspect(&component("export wasi:cli/run@0.2.6;")).unwrap()).unwrap();
    let mut names: Vec<&str> = json.as_object().unwrap().keys().map(String::as_str).collect();
    names.sort_unstable();
    assert_eq!(
        names,
        [
            "entries",
            "exports",
            "has_dwarf",
            "has_embedded_world",
            "imports",
            "kind",
            "languages",
            "memories",
            "modules",
            "producers",
            "proposals",
            "sections",
            "size_bytes",
            "wit",
            "world"
        ]
    );
    assert_eq!(json["kind"], "component");
    assert_eq!(json["entries"][0], serde_json::json!({ "kind": "cli_run02", "export": "wasi:cli/run@0.2.6" }));
    assert_eq!(json["exports"][0]["capability"], "run_command");
}
