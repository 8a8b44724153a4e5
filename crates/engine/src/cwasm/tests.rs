//! What is loaded, what is recompiled, what is evicted.

use super::*;
use std::time::Duration;

fn engine() -> wasmtime::Engine {
    wasmtime::Engine::default()
}

fn compiled(engine: &wasmtime::Engine) -> Component {
    Component::new(engine, wat::parse_str("(component)").unwrap()).unwrap()
}

fn cache(limit_bytes: u64) -> (tempfile::TempDir, Cache) {
    let folder = tempfile::tempdir().unwrap();
    let cache = Cache::open(&folder.path().join("cache"), limit_bytes).unwrap();
    (folder, cache)
}

fn entries(cache: &Cache) -> usize {
    let files = fs::read_dir(&cache.folder).unwrap();
    files.filter(|file| file.as_ref().unwrap().path().extension().is_some_and(|e| e == "cwasm")).count()
}

#[test]
fn loads_what_it_stored_also_after_it_was_opened_again() {
    let (folder, cache) = cache(u64::MAX);
    let engine = engine();
    assert!(cache.component(&engine, "a").is_none());
    cache.store(&engine, "a", compiled(&engine).serialize());
    assert!(cache.component(&engine, "a").is_some());
    let again = Cache::open(&folder.path().join("cache"), u64::MAX).unwrap();
    assert!(again.component(&engine, "a").is_some());
}

#[test]
fn never_loads_a_changed_truncated_or_renamed_entry() {
    let (_folder, cache) = cache(u64::MAX);
    let engine = engine();
    for damage in ["flip", "truncate", "append", "no-mac", "swap"] {
        cache.store(&engine, "a", compiled(&engine).serialize());
        let path = cache.entry(&engine, "a");
        let mut bytes = fs::read(&path).unwrap();
        match damage {
            "flip" => {
                let middle = bytes.len() / 2;
                bytes[middle] ^= 1;
                fs::write(&path, &bytes).unwrap();
            }
            "truncate" => fs::write(&path, &bytes[..bytes.len() / 2]).unwrap(),
            "append" => {
                bytes.push(0);
                fs::write(&path, &bytes).unwrap();
            }
            "no-mac" => fs::remove_file(mac_path(&path)).unwrap(),
            _ => {
                let other = cache.entry(&engine, "b");
                fs::copy(&path, &other).unwrap();
                fs::copy(mac_path(&path), mac_path(&other)).unwrap();
                assert!(cache.component(&engine, "b").is_none(), "{damage}");
                continue;
            }
        }
        assert!(cache.component(&engine, "a").is_none(), "{damage}");
    }
}

#[test]
fn another_engine_has_other_entries() {
    let (_folder, cache) = cache(u64::MAX);
    let mut config = wasmtime::Config::new();
    config.epoch_interruption(true);
    let other = wasmtime::Engine::new(&config).unwrap();
    cache.store(&engine(), "a", compiled(&engine()).serialize());
    assert!(cache.component(&other, "a").is_none());
}

#[test]
fn evicts_the_entry_that_was_used_longest_ago() {
    let (_folder, mut cache) = cache(u64::MAX);
    let engine = engine();
    for (digest, age) in [("old", 30), ("older", 60), ("used", 90)] {
        cache.store(&engine, digest, compiled(&engine).serialize());
        let file = File::options().write(true).open(cache.entry(&engine, digest)).unwrap();
        file.set_modified(clock::wall() - Duration::from_secs(age)).unwrap();
    }
    assert!(cache.component(&engine, "used").is_some());
    let one = fs::metadata(cache.entry(&engine, "old")).unwrap().len();
    cache.limit_bytes = 3 * one;
    cache.store(&engine, "new", compiled(&engine).serialize());
    assert_eq!(entries(&cache), 3);
    assert!(cache.component(&engine, "older").is_none());
    for kept in ["used", "old", "new"] {
        assert!(cache.component(&engine, kept).is_some(), "{kept}");
    }
}
