//! The cache of compiled components: a second start compiles nothing, and what was tampered with is never loaded.

use crate::support::{neighbourhood, wharf};
use std::path::{Path, PathBuf};
use tempfile::TempDir;
use wharf_testkit::{App, Server, service};

fn app() -> App {
    App::new(&neighbourhood(&service("p3", "hello-p3", "")))
}

fn compiled(server: &Server) -> Vec<bool> {
    let components = server.start["components"].as_array().unwrap();
    components.iter().map(|component| !component["compiled_ms"].is_null()).collect()
}

/// Starts it, checks that it answers, ends it, and returns which components were compiled, and the log.
fn start(app: &App, state: &Path) -> (Vec<bool>, String) {
    let server = wharf().up(app.folder()).state(state).start();
    for host in ["hello", "p3"] {
        assert_eq!(server.get(host, "/").text(), "hello\n");
    }
    (compiled(&server), server.stop().stderr)
}

fn entries(state: &Path, end: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(state.join("cache/compiled")).unwrap().map(|entry| entry.unwrap().path());
    let mut entries: Vec<_> = entries.filter(|path| path.extension().is_some_and(|known| known == end)).collect();
    entries.sort();
    entries
}

#[test]
fn a_second_start_compiles_nothing() {
    let (app, state) = (app(), TempDir::new().unwrap());
    assert_eq!(start(&app, state.path()).0, [true, true]);
    assert_eq!(entries(state.path(), "cwasm").len(), 2);
    assert_eq!(start(&app, state.path()).0, [false, false]);
    // The bytes count, not the name: two components of the same file are compiled once.
    let copy = app.copy_guest("hello", "another name.wasm");
    let server = wharf().up(&copy).state(state.path()).start();
    assert_eq!(compiled(&server), [false]);
}

#[test]
fn a_damaged_entry_is_compiled_again_and_never_loaded() {
    let (app, state) = (app(), TempDir::new().unwrap());
    start(&app, state.path());
    let damages: [&dyn Fn(&Path); 4] = [
        &|path| {
            let mut bytes = std::fs::read(path).unwrap();
            let middle = bytes.len() / 2;
            bytes[middle] ^= 1;
            std::fs::write(path, bytes).unwrap();
        },
        &|path| std::fs::File::options().write(true).open(path).unwrap().set_len(100).unwrap(),
        &|path| std::fs::write(path, "").unwrap(),
        &|path| {
            // The right bytes of another entry, with that one's MAC.
            let other = entries(state.path(), "cwasm").into_iter().find(|other| other != path).unwrap();
            std::fs::copy(&other, path).unwrap();
            std::fs::copy(other.with_extension("mac"), path.with_extension("mac")).unwrap();
        },
    ];
    for damage in damages {
        damage(&entries(state.path(), "cwasm")[0]);
        let (compiled, log) = start(&app, state.path());
        assert_eq!(compiled.iter().filter(|compiled| **compiled).count(), 1, "{compiled:?}");
        assert!(log.contains("a damaged entry of the cache"), "{log}");
        assert_eq!(start(&app, state.path()).0, [false, false]);
    }
}

#[test]
fn without_its_key_or_its_macs_the_cache_is_worth_nothing() {
    let (app, state) = (app(), TempDir::new().unwrap());
    start(&app, state.path());
    for mac in entries(state.path(), "mac") {
        std::fs::remove_file(mac).unwrap();
    }
    assert_eq!(start(&app, state.path()).0, [true, true]);
    std::fs::write(state.path().join("cache/compiled/key"), [7; 32]).unwrap();
    assert_eq!(start(&app, state.path()).0, [true, true]);
    std::fs::remove_dir_all(state.path().join("cache")).unwrap();
    assert_eq!(start(&app, state.path()).0, [true, true]);
    assert_eq!(start(&app, state.path()).0, [false, false]);
}

#[test]
fn a_cache_that_cannot_be_used_costs_a_compilation_and_no_more() {
    let (app, state) = (app(), TempDir::new().unwrap());
    std::fs::write(state.path().join("cache"), "a file in its place").unwrap();
    let (compiled, log) = start(&app, state.path());
    assert_eq!(compiled, [true, true]);
    assert!(log.contains("components are compiled at each start"), "{log}");
}

#[test]
fn nobody_else_can_read_the_key() {
    use std::os::unix::fs::PermissionsExt;
    let (app, state) = (app(), TempDir::new().unwrap());
    start(&app, state.path());
    let mode = |path: PathBuf| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(state.path().join("cache/compiled/key")), 0o600);
    assert_eq!(mode(state.path().join("cache/compiled")), 0o700);
}
