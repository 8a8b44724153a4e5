//! A component sees the same values by every version of the interface.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on says so by ending")]

use std::collections::BTreeMap;
use std::sync::Arc;
use wasmtime::component::{Component, ComponentNamedList, Instance, Lift, Linker, Lower};
use wasmtime::{Engine, Store};
use wharf_config::{Values, View};
use wharf_kit::{Counts, Tally, Usage};

struct Ctx {
    values: Arc<Values>,
    tally: Tally,
}

/// Returns a component that hands `get` and `get-all` of an interface through.
fn through(interface: &str, error: &str) -> String {
    format!(
        r#"(component
            (import "{interface}" (instance $config
                (type $raw (variant (case "upstream" string) (case "io" string)))
                (export "{error}" (type $error (eq $raw)))
                (export "get" (func (param "key" string) (result (result (option string) (error $error)))))
                (export "get-all" (func (result (result (list (tuple string string)) (error $error)))))))
            (core module $memory
                (memory (export "memory") 2)
                (global $end (mut i32) (i32.const 4096))
                (func (export "realloc") (param i32 i32 i32 i32) (result i32)
                    (local $at i32)
                    (local.set $at (i32.and (i32.add (global.get $end) (i32.const 7)) (i32.const -8)))
                    (global.set $end (i32.add (local.get $at) (local.get 3)))
                    (local.get $at)))
            (core instance $memory (instantiate $memory))
            (core func $get (canon lower (func $config "get")
                (memory $memory "memory") (realloc (func $memory "realloc"))))
            (core func $all (canon lower (func $config "get-all")
                (memory $memory "memory") (realloc (func $memory "realloc"))))
            (core module $main
                (import "config" "get" (func $get (param i32 i32 i32)))
                (import "config" "all" (func $all (param i32)))
                (func (export "get") (param i32 i32) (result i32)
                    (call $get (local.get 0) (local.get 1) (i32.const 1024)) (i32.const 1024))
                (func (export "all") (result i32) (call $all (i32.const 1024)) (i32.const 1024)))
            (core instance $main (instantiate $main
                (with "config" (instance (export "get" (func $get)) (export "all" (func $all))))))
            (type $lifted (variant (case "upstream" string) (case "io" string)))
            (export $error "error" (type $lifted))
            (func (export "get") (param "key" string) (result (result (option string) (error $error)))
                (canon lift (core func $main "get") (memory $memory "memory") (realloc (func $memory "realloc"))))
            (func (export "all") (result (result (list (tuple string string)) (error $error)))
                (canon lift (core func $main "all") (memory $memory "memory") (realloc (func $memory "realloc")))))"#
    )
}

#[derive(Debug, PartialEq, wasmtime::component::ComponentType, Lift, Lower)]
#[component(variant)]
enum Failure {
    #[component(name = "upstream")]
    Upstream(String),
    #[component(name = "io")]
    Io(String),
}

/// A component with these values behind one version of the interface.
struct Guest {
    store: Store<Ctx>,
    instance: Instance,
}

impl Guest {
    fn new(interface: &str, error: &str, values: &Arc<Values>) -> Self {
        // As for components that use no tasks of the engine.
        let mut config = wasmtime::Config::new();
        config.concurrency_support(false);
        let engine = Engine::new(&config).unwrap();
        let mut linker = Linker::new(&engine);
        wharf_config::add_to_linker(&mut linker, wharf_kit::Names::OWN, |ctx: &mut Ctx| View {
            values: &ctx.values,
            tally: &mut ctx.tally,
        })
        .unwrap();
        let component = Component::new(&engine, wat::parse_str(through(interface, error)).unwrap()).unwrap();
        let mut store = Store::new(&engine, Ctx { values: Arc::clone(values), tally: Tally::default() });
        let instance = linker.instantiate(&mut store, &component).unwrap();
        Self { store, instance }
    }

    fn call<P: ComponentNamedList + Lower, R: ComponentNamedList + Lift>(&mut self, name: &str, params: P) -> R {
        let function = self.instance.get_typed_func::<P, R>(&mut self.store, name).unwrap();
        function.call(&mut self.store, params).unwrap()
    }

    fn get(&mut self, key: &str) -> Option<String> {
        self.call::<_, (Result<Option<String>, Failure>,)>("get", (key,)).0.unwrap()
    }

    fn all(&mut self) -> Vec<(String, String)> {
        self.call::<_, (Result<Vec<(String, String)>, Failure>,)>("all", ()).0.unwrap()
    }
}

/// Every version, and what it calls its error.
const VERSIONS: [(&str, &str); 4] = [
    ("wasi:config/store@0.2.0-rc.1", "error"),
    ("wasi:config/store@0.2.0-draft", "error"),
    ("wasi:config/runtime@0.2.0-draft", "config-error"),
    ("wasi:config/store@0.2.0-draft-2024-09-27", "error"),
];

fn values(pairs: &[(&str, &str)], usage: &Arc<Usage>) -> Arc<Values> {
    let pairs: BTreeMap<_, _> = pairs.iter().map(|(key, value)| ((*key).into(), (*value).into())).collect();
    Arc::new(Values::new(pairs, Arc::clone(usage)))
}

#[test]
fn every_version_has_the_same_values() {
    let usage = Arc::default();
    let long = "x".repeat(60 << 10);
    let values = values(&[("url", "https://a.example"), ("", "nobody asks"), ("ä", "😀"), ("long", &long)], &usage);
    for (interface, error) in VERSIONS {
        let mut guest = Guest::new(interface, error, &values);
        for (key, expected) in [
            ("url", Some("https://a.example")),
            ("", Some("nobody asks")),
            ("ä", Some("😀")),
            ("URL", None),
            ("url\0", None),
            ("long", Some(long.as_str())),
        ] {
            assert_eq!(guest.get(key).as_deref(), expected, "{interface}: {key:?}");
        }
        assert_eq!(guest.store.data().tally.counts().calls, 6);
    }
    assert_eq!(usage.counts().calls, 24);
}

#[test]
fn every_version_has_all_values_in_the_order_of_their_keys() {
    let values = values(&[("b", "2"), ("a", "1"), ("c", "")], &Arc::default());
    for (interface, error) in VERSIONS {
        let all = Guest::new(interface, error, &values).all();
        let shown: Vec<_> = all.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
        assert_eq!(shown, [("a", "1"), ("b", "2"), ("c", "")], "{interface}");
    }
}

#[test]
fn a_component_without_values_finds_none() {
    let usage = Arc::default();
    let values = values(&[], &usage);
    let mut guest = Guest::new(VERSIONS[0].0, VERSIONS[0].1, &values);
    assert_eq!((guest.get("url"), guest.all()), (None, Vec::new()));
    let counts = Counts { calls: 2, sent_bytes: 3, ..Counts::default() };
    assert_eq!((usage.counts(), guest.store.data().tally.counts()), (counts, counts));
}
