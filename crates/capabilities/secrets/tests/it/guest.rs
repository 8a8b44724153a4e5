//! What a component sees by the interface: nothing until it reveals.

use crate::fixture::{Fixture, MARK, assert_silent, listen};
use wasmtime::component::{Component, ComponentType, Instance, Lift, Linker, Lower, ResourceTable};
use wasmtime::{Engine, Store};
use wharf_kit::Tally;
use wharf_secrets::{Allowed, BOUNDS, View};

/// `show` gets a secret, reveals it and drops it; `has` gets it and keeps it.
const GUEST: &str = r#"(component
    (import "wharf:secrets/store@0.1.0" (instance $store
        (type $raw (variant (case "access-denied") (case "not-found") (case "unavailable" string) (case "other" string)))
        (export "error" (type $error (eq $raw)))
        (export "secret" (type $secret (sub resource)))
        (export "get" (func (param "name" string) (result (result (own $secret) (error $error)))))))
    (alias export $store "secret" (type $secret))
    (import "wharf:secrets/reveal@0.1.0" (instance $reveal
        (alias outer 1 $secret (type $outer))
        (export "secret" (type $s (eq $outer)))
        (type $raw (variant (case "text" string) (case "bytes" (list u8))))
        (export "secret-value" (type $value (eq $raw)))
        (export "reveal" (func (param "secret" (borrow $s)) (result $value)))))
    (core module $memory
        (memory (export "memory") 8)
        (global $end (mut i32) (i32.const 4096))
        (func (export "realloc") (param i32 i32 i32 i32) (result i32)
            (local $at i32)
            (local.set $at (i32.and (i32.add (global.get $end) (i32.const 7)) (i32.const -8)))
            (global.set $end (i32.add (local.get $at) (local.get 3)))
            (local.get $at)))
    (core instance $memory (instantiate $memory))
    (core func $get (canon lower (func $store "get") (memory $memory "memory") (realloc (func $memory "realloc"))))
    (core func $reveal (canon lower (func $reveal "reveal") (memory $memory "memory") (realloc (func $memory "realloc"))))
    (core func $drop (canon resource.drop $secret))
    (core module $main
        (import "memory" "memory" (memory 8))
        (import "secrets" "get" (func $get (param i32 i32 i32)))
        (import "secrets" "reveal" (func $reveal (param i32 i32)))
        (import "secrets" "drop" (func $drop (param i32)))
        (func (export "show") (param i32 i32) (result i32)
            (local $secret i32)
            (call $get (local.get 0) (local.get 1) (i32.const 1024))
            ;; A secret, or an error: that has the place of what is revealed.
            (if (i32.eqz (i32.load8_u (i32.const 1024)))
                (then
                    (local.set $secret (i32.load (i32.const 1028)))
                    (call $reveal (local.get $secret) (i32.const 1028))
                    (call $drop (local.get $secret))))
            (i32.const 1024))
        (func (export "has") (param i32 i32) (result i32)
            (call $get (local.get 0) (local.get 1) (i32.const 1024))
            (i32.eqz (i32.load8_u (i32.const 1024)))))
    (core instance $main (instantiate $main
        (with "memory" (instance $memory))
        (with "secrets" (instance
            (export "get" (func $get)) (export "reveal" (func $reveal)) (export "drop" (func $drop))))))
    (type $raw-value (variant (case "text" string) (case "bytes" (list u8))))
    (export $value "secret-value" (type $raw-value))
    (type $raw-error (variant (case "access-denied") (case "not-found") (case "unavailable" string) (case "other" string)))
    (export $error "error" (type $raw-error))
    (func (export "show") (param "name" string) (result (result $value (error $error)))
        (canon lift (core func $main "show") (memory $memory "memory") (realloc (func $memory "realloc"))))
    (func (export "has") (param "name" string) (result bool)
        (canon lift (core func $main "has") (memory $memory "memory") (realloc (func $memory "realloc")))))"#;

#[derive(Debug, PartialEq, ComponentType, Lift, Lower)]
#[component(variant)]
enum Shown {
    #[component(name = "text")]
    Text(String),
    #[component(name = "bytes")]
    Bytes(Vec<u8>),
}

#[derive(Debug, PartialEq, ComponentType, Lift, Lower)]
#[component(variant)]
enum Failure {
    #[component(name = "access-denied")]
    Denied,
    #[component(name = "not-found")]
    NotFound,
    #[component(name = "unavailable")]
    Unavailable(String),
    #[component(name = "other")]
    Other(String),
}

struct Ctx {
    allowed: Allowed,
    tally: Tally,
    table: ResourceTable,
}

struct Guest {
    store: Store<Ctx>,
    instance: Instance,
}

impl Guest {
    async fn new(allowed: Allowed) -> Self {
        // As for components that use no tasks of the engine.
        let mut config = wasmtime::Config::new();
        config.concurrency_support(false);
        let engine = Engine::new(&config).unwrap();
        let mut linker = Linker::new(&engine);
        wharf_secrets::add_to_linker(&mut linker, wharf_kit::Names::OWN, |ctx: &mut Ctx| View {
            allowed: &ctx.allowed,
            tally: &mut ctx.tally,
            table: &mut ctx.table,
        })
        .unwrap();
        let component = Component::new(&engine, wat::parse_str(GUEST).unwrap()).unwrap();
        let mut store = Store::new(&engine, Ctx { allowed, tally: Tally::default(), table: ResourceTable::new() });
        let instance = linker.instantiate_async(&mut store, &component).await.unwrap();
        Self { store, instance }
    }

    async fn show(&mut self, name: &str) -> Result<Shown, Failure> {
        let show = self.instance.get_typed_func::<(&str,), (Result<Shown, Failure>,)>(&mut self.store, "show").unwrap();
        show.call_async(&mut self.store, (name,)).await.unwrap().0
    }

    async fn has(&mut self, name: &str) -> bool {
        let has = self.instance.get_typed_func::<(&str,), (bool,)>(&mut self.store, "has").unwrap();
        has.call_async(&mut self.store, (name,)).await.unwrap().0
    }
}

fn text(value: &str) -> Result<Shown, Failure> {
    Ok(Shown::Text(value.to_owned()))
}

#[tokio::test]
async fn a_value_is_seen_by_revealing_it() {
    listen();
    let fixture = Fixture::local(&[("shop", "key", MARK), ("shop", "empty", ""), ("shop", "odd", "hunter2 ä😀\n")]);
    let mut guest = Guest::new(fixture.granted("shop", &["key", "empty", "odd", "missing"])).await;
    assert_eq!(guest.show("key").await, text(MARK));
    assert_eq!(guest.show("empty").await, text(""));
    assert_eq!(guest.show("odd").await, text("hunter2 ä😀\n"));
    assert_eq!(guest.show("missing").await, Err(Failure::NotFound));
    assert_eq!(guest.show("denied").await, Err(Failure::Denied));
    assert!(guest.store.data().table.is_empty(), "every handle was dropped");
    assert_eq!((guest.store.data().tally.counts().calls, guest.store.data().tally.counts().denied), (5, 1));
    assert_silent();
}

#[tokio::test]
async fn what_is_no_text_is_revealed_as_bytes() {
    let bytes = wharf_secrets::Value::bytes(vec![0, 0xff, b'h'].into());
    let given = std::collections::BTreeMap::from([("key".to_owned(), bytes)]);
    let fixture = Fixture::local(&[]);
    let mut guest = Guest::new(fixture.granted_with("shop", &["key"], &given)).await;
    assert_eq!(guest.show("key").await, Ok(Shown::Bytes(vec![0, 0xff, b'h'])));
}

#[tokio::test]
async fn a_secret_that_is_held_shows_nothing() {
    listen();
    let fixture = Fixture::local(&[("shop", "key", MARK)]);
    let mut guest = Guest::new(fixture.granted("shop", &["key"])).await;
    assert!(guest.has("key").await && guest.has("key").await && !guest.has("other").await);
    let mut memory = format!("{:?}", guest.store.data().table);
    memory += &format!("{:?}", guest.store.data().tally);
    assert!(!memory.contains(MARK), "{memory}");
    assert!(!guest.store.data().table.is_empty());
    assert_silent();
}

#[tokio::test]
async fn a_value_over_the_limit_is_an_error_without_it() {
    let fixture = Fixture::local(&[("shop", "key", &MARK.repeat(BOUNDS.size_bytes))]);
    let mut guest = Guest::new(fixture.granted("shop", &["key"])).await;
    match guest.show("key").await {
        Err(Failure::Other(why)) => assert!(why.contains("65536 are allowed") && !why.contains(MARK), "{why}"),
        other => panic!("{other:?}"),
    }
}
