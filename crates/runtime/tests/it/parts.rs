//! Components that are compiled in parts: they do what they do whole, and a change of a script compiles what is left of them only.

use crate::http::get;
use std::path::Path;
use std::sync::Arc;
use wharf_runtime::{Cache, Component, Lane, Loaded, Runtime, Settings, Source, digest};

/// Guests with an interpreter: StarlingMonkey, QuickJS with WASI 0.3, CPython.
const INTERPRETERS: [&str; 3] = ["hello-js", "hello-js-p3", "hello-python"];

fn bytes(guest: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/guests").join(format!("{guest}.wasm"));
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}; run `cargo xtask guests`", path.display()))
}

fn runtime(folder: &Path) -> Runtime {
    let settings = Settings { instances: 8, incremental: true, ..Settings::default() };
    Runtime::new(settings, Some(Cache::open(&folder.join("cache"), 4 << 30).unwrap()))
}

fn lane(guest: &str) -> Lane {
    if guest.ends_with("-p3") { Lane::Concurrent } else { Lane::Plain }
}

fn load(runtime: &Runtime, guest: &str, bytes: &[u8]) -> Loaded {
    runtime.load(Source { lane: lane(guest), ..Source::bare("app", guest, bytes) }).unwrap()
}

/// The names of what was compiled.
fn entries(folder: &Path) -> Vec<String> {
    let files = std::fs::read_dir(folder.join("cache")).unwrap().map(|file| file.unwrap().file_name());
    let names = files.map(|name| name.to_string_lossy().into_owned());
    let mut names: Vec<String> = names.filter(|name| name.ends_with(".cwasm")).collect();
    names.sort();
    names
}

async fn answer(component: &Arc<Component>) -> String {
    let (status, text) = get(component, "/").await;
    assert_eq!(status, 200, "{text}");
    text
}

#[tokio::test]
async fn another_script_compiles_no_interpreter() {
    for guest in INTERPRETERS {
        let folder = tempfile::tempdir().unwrap();
        let runtime = runtime(folder.path());
        let one = bytes(guest);
        let loaded = load(&runtime, guest, &one);
        assert!(loaded.compiled.is_some());
        let text = answer(&loaded.component).await;
        assert!(text.starts_with("hello"), "{guest}: {text}");
        let parts = entries(folder.path());
        assert!(parts.len() > 1, "{guest}: {parts:?}");

        let again = load(&runtime, guest, &one);
        assert!(again.compiled.is_none() && runtime.has_compiled(&digest(&one), lane(guest), 512 << 10));

        // Every text in it that says so, be it source or what a compiler made of it.
        let other = replaced(&one, b"hello", b"jello");
        let changed = load(&runtime, guest, &other);
        assert_ne!(answer(&changed.component).await, text, "{guest}");
        let after = entries(folder.path());
        assert_eq!(after.len(), parts.len() + 1, "{guest}: one part is another one");
        assert!(parts.iter().all(|part| after.contains(part)));
    }
}

#[tokio::test]
async fn a_damaged_part_is_compiled_again() {
    let guest = "hello-js-p3";
    let folder = tempfile::tempdir().unwrap();
    let one = bytes(guest);
    drop(load(&runtime(folder.path()), guest, &one));
    for entry in entries(folder.path()) {
        let path = folder.path().join("cache").join(entry);
        let mut code = std::fs::read(&path).unwrap();
        let middle = code.len() / 2;
        code[middle] ^= 1;
        std::fs::write(&path, code).unwrap();
        let loaded = load(&runtime(folder.path()), guest, &one);
        assert!(loaded.compiled.is_some());
        assert!(answer(&loaded.component).await.starts_with("hello"));
    }
}

#[test]
fn what_starts_with_too_much_memory_is_refused_in_parts_too() {
    let folder = tempfile::tempdir().unwrap();
    let (runtime, one) = (runtime(folder.path()), bytes("hello-js-p3"));
    let limits = wharf_runtime::Limits { memory_bytes: 64 << 10, ..Default::default() };
    let source = Source { lane: Lane::Concurrent, limits, ..Source::bare("app", "hello", &one) };
    let refused = runtime.load(source).err().unwrap();
    assert!(refused.to_string().contains("of memory to start, its limit is 64 KiB"), "{refused}");
}

fn replaced(bytes: &[u8], old: &[u8], new: &[u8]) -> Vec<u8> {
    let mut replaced = bytes.to_vec();
    for at in 0..bytes.len() - old.len() {
        if &bytes[at..at + old.len()] == old {
            replaced[at..at + new.len()].copy_from_slice(new);
        }
    }
    replaced
}
