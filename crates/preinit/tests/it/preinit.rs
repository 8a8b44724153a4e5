//! Modules and components as text: what is kept of an initialisation, and what is refused.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use wharf_preinit::{Preinit, PreinitError, PreinitFault, Snapshot};

/// Keeps a number in a global and in its memory; `check` traps unless both are there.
const BODY: &str = "
    (global $done (mut i32) (i32.const 0))
    (data (i32.const 16) \"as it was\")
    (func (export \"init\")
        (if (global.get $done) (then unreachable))
        (global.set $done (i32.const 7))
        (drop (memory.grow (i32.const 1)))
        (i32.store (i32.const 70000) (i32.const 11)))
    (func (export \"check\")
        (if (i32.ne (global.get $done) (i32.const 7)) (then unreachable))
        (if (i32.ne (memory.size) (i32.const 2)) (then unreachable))
        (if (i32.ne (i32.load8_u (i32.const 16)) (i32.const 97)) (then unreachable))
        (if (i32.ne (i32.load (i32.const 70000)) (i32.const 11)) (then unreachable)))";

fn module(body: &str) -> Vec<u8> {
    wat::parse_str(format!("(module {body})")).unwrap()
}

/// A component whose functions are those of one core module, there with `_` before their names.
fn component(imports: &str, with: &str, core: &str, functions: &[&str]) -> Vec<u8> {
    let lift = |name: &&str| format!("(func (export \"{name}\") (canon lift (core func $i \"_{name}\")))");
    let lifts: String = functions.iter().map(lift).collect();
    let text =
        format!("(component {imports} (core module $m {core}) (core instance $i (instantiate $m {with})) {lifts})");
    wat::parse_str(&text).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

fn preinit(function: &str) -> Preinit<'_> {
    let cancelled = Arc::new(AtomicBool::new(false));
    Preinit { function, memory_bytes: 1 << 20, timeout: Duration::from_secs(60), cancelled }
}

async fn run(bytes: &[u8], function: &str) -> Result<Snapshot, PreinitError> {
    preinit(function).run(bytes).await
}

async fn fault(bytes: &[u8], function: &str) -> PreinitFault {
    run(bytes, function).await.unwrap_err().fault
}

#[tokio::test]
async fn what_a_module_made_of_itself_is_kept_and_its_functions_are_gone() {
    let before =
        module(&format!("(memory (export \"memory\") 1) {BODY} (func (export \"_initialize\")) (start $s) (func $s)"));
    assert!(matches!(fault(&before, "check").await, PreinitFault::Trap(_)));
    let after = run(&before, "init").await.unwrap();
    run(&after.bytes, "check").await.unwrap();
    for gone in ["init", "_initialize"] {
        assert!(matches!(fault(&after.bytes, gone).await, PreinitFault::Missing), "{gone}");
    }
    assert_eq!(run(&before, "init").await.unwrap().bytes, after.bytes, "it is not the same twice");
}

#[tokio::test]
async fn what_a_component_made_of_itself_is_kept() {
    let core = BODY.replace("\"init\"", "\"_init\"").replace("\"check\"", "\"_check\"");
    let before = component("", "", &format!("(memory (export \"memory\") 1) {core}"), &["init", "check"]);
    assert!(matches!(fault(&before, "check").await, PreinitFault::Trap(_)));
    let after = run(&before, "init").await.unwrap();
    run(&after.bytes, "check").await.unwrap();
    assert!(matches!(fault(&after.bytes, "init").await, PreinitFault::Missing));
}

#[tokio::test]
async fn an_import_that_is_called_is_named_and_one_that_is_not_does_no_harm() {
    let clock = "(import \"wasi_snapshot_preview1\" \"clock_time_get\" (func $now (param i32 i64 i32) (result i32)))";
    let body = "(memory (export \"memory\") 1) (func (export \"init\"))
        (func (export \"ask\") (drop (call $now (i32.const 0) (i64.const 0) (i32.const 0))))";
    let module = module(&format!("{clock} {body}"));
    run(&module, "init").await.unwrap();
    let said = fault(&module, "ask").await.to_string();
    assert_eq!(
        said,
        "it called wasi_snapshot_preview1#clock_time_get, and there is nothing to call when a component is built"
    );

    let clock = "(import \"wasi:clocks/wall-clock@0.2.0\" (instance $c (export \"tick\" (func))))
        (core func $tick (canon lower (func $c \"tick\")))";
    let with = "(with \"c\" (instance (export \"tick\" (func $tick))))";
    let core = "(import \"c\" \"tick\" (func $tick)) (func (export \"_init\")) (func (export \"_ask\") (call $tick))";
    let component = component(clock, with, core, &["init", "ask"]);
    let said = fault(&component, "ask").await.to_string();
    assert!(said.starts_with("it called wasi:clocks/wall-clock@0.2.0#tick,"), "{said}");
}

#[tokio::test]
async fn what_a_function_writes_is_kept_for_people_and_files_are_not_there() {
    let body = "
        (import \"wasi_snapshot_preview1\" \"fd_write\" (func $write (param i32 i32 i32 i32) (result i32)))
        (memory (export \"memory\") 1)
        (data (i32.const 0) \"\\10\\00\\00\\00\\05\\00\\00\\00\") (data (i32.const 16) \"hello\")
        (func $to (param i32) (if (call $write (local.get 0) (i32.const 0) (i32.const 1) (i32.const 8)) (then unreachable)))
        (func (export \"init\") (call $to (i32.const 2))
            (if (i32.ne (i32.load (i32.const 8)) (i32.const 5)) (then unreachable)))
        (func (export \"trap\") (call $to (i32.const 1)) unreachable)
        (func (export \"file\") (call $to (i32.const 3)))
        (func (export \"wild\")
            (if (i32.ne (call $write (i32.const 1) (i32.const -1) (i32.const 1) (i32.const 8)) (i32.const 21)) (then unreachable)))";
    let module = module(body);
    assert_eq!(run(&module, "init").await.unwrap().said, "hello");
    let error = run(&module, "trap").await.unwrap_err();
    assert!(matches!(error.fault, PreinitFault::Trap(_)) && error.said == "hello", "{error:?}");
    assert!(matches!(fault(&module, "file").await, PreinitFault::Import { .. }));
    run(&module, "wild").await.unwrap();
}

/// A panic looks for `RUST_BACKTRACE` before it says why; who only looks would go on without variables for ever.
#[tokio::test]
async fn the_environment_is_empty_for_those_who_fail_and_refused_to_others() {
    let body = "
        (import \"wasi_snapshot_preview1\" \"environ_sizes_get\" (func $sizes (param i32 i32) (result i32)))
        (memory (export \"memory\") 1)
        (func $look (i32.store (i32.const 0) (i32.const 9))
            (if (call $sizes (i32.const 0) (i32.const 4)) (then unreachable))
            (if (i32.load (i32.const 0)) (then (loop (br 0)))))
        (func (export \"looks\") (call $look)) (func (export \"panics\") (call $look) unreachable)";
    let module = module(body);
    assert!(matches!(fault(&module, "panics").await, PreinitFault::Trap(_)));
    let looked = fault(&module, "looks").await.to_string();
    assert!(looked.starts_with("it called wasi_snapshot_preview1#environ_sizes_get,"), "{looked}");
}

#[tokio::test]
async fn a_stream_that_stays_open_is_refused() {
    let imports = "
        (import \"wasi:io/streams@0.2.0\" (instance $s (export \"output-stream\" (type (sub resource)))))
        (alias export $s \"output-stream\" (type $stream))
        (import \"wasi:cli/stdout@0.2.0\" (instance $o
            (alias outer 1 $stream (type $outer)) (export \"output-stream\" (type $inner (eq $outer)))
            (export \"get-stdout\" (func (result (own $inner))))))
        (core func $open (canon lower (func $o \"get-stdout\")))
        (core func $close (canon resource.drop $stream))";
    let with = "(with \"o\" (instance (export \"open\" (func $open)) (export \"close\" (func $close))))";
    let core = "(import \"o\" \"open\" (func $open (result i32))) (import \"o\" \"close\" (func $close (param i32)))
        (func (export \"_keep\") (drop (call $open))) (func (export \"_give-back\") (call $close (call $open)))";
    let component = component(imports, with, core, &["keep", "give-back"]);
    assert!(matches!(fault(&component, "keep").await, PreinitFault::Kept));
    run(&component, "give-back").await.unwrap();
}

#[tokio::test]
async fn time_and_memory_have_an_end() {
    let body = "(memory (export \"memory\") 1) (func (export \"loop\") (loop (br 0)))
        (func (export \"grow\") (loop (br_if 0 (i32.ne (memory.grow (i32.const 1)) (i32.const -1)))) unreachable)";
    let module = module(body);
    let short = Preinit { timeout: Duration::from_millis(50), ..preinit("loop") };
    assert!(matches!(short.run(&module).await.unwrap_err().fault, PreinitFault::TimedOut(_)));
    let cancelled = preinit("loop");
    cancelled.cancelled.store(true, Ordering::Relaxed);
    assert!(matches!(cancelled.run(&module).await.unwrap_err().fault, PreinitFault::Cancelled));
    let fault = fault(&module, "grow").await;
    assert!(matches!(fault, PreinitFault::Memory { limit_bytes: 0x10_0000, .. }), "{fault}");
}

#[tokio::test]
async fn functions_that_cannot_be_called_and_what_cannot_be_kept_are_refused() {
    let body = "(memory (export \"memory\") 1 2) (global (export \"g\") i32 (i32.const 0)) (func (export \"init\"))
        (func (export \"one\") (param i32)) (func (export \"two\") (result i32) i32.const 0)";
    let plain = module(body);
    assert!(matches!(fault(&plain, "g").await, PreinitFault::Missing));
    assert!(matches!(fault(&plain, "one").await, PreinitFault::Signature));
    assert!(matches!(fault(&plain, "two").await, PreinitFault::Signature));
    let full = component("", "", "(memory 1 1) (func (export \"_init\"))", &["init"]);
    let said = fault(&full, "init").await.to_string();
    assert!(said.contains("its memory cannot be read: it has a maximum"), "{said}");
    let table = module("(table 1 funcref) (func (export \"init\") (table.set (i32.const 0) (ref.null func)))");
    let said = fault(&table, "init").await.to_string();
    assert!(said.contains("unsupported `table.set` instruction"), "{said}");
}

#[tokio::test]
async fn bytes_that_nobody_foresaw_end_nothing() {
    let tag = module("(import \"a\" \"b\" (tag)) (func (export \"init\"))");
    let no_exports = module("(memory 1)");
    let nested = wat::parse_str("(component (component (core module)))").unwrap();
    let damaged = &tag[..tag.len() - 1];
    for bytes in [&tag[..], &no_exports, &nested, damaged, b"", b"\0asm\x0d\0\x01\0", b"not WebAssembly"] {
        run(bytes, "init").await.unwrap_err();
    }
}
