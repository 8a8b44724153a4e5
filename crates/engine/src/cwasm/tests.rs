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
    *cache.used_bytes.lock().unwrap() = None;
    cache.store(&engine, "new", compiled(&engine).serialize());
    assert_eq!(entries(&cache), 3);
    assert!(cache.component(&engine, "older").is_none());
    for kept in ["used", "old", "new"] {
        assert!(cache.component(&engine, kept).is_some(), "{kept}");
    }
}

#[test]
fn entries_of_others_are_noticed_when_as_much_was_written_here() {
    let (folder, cache) = cache(u64::MAX);
    let engine = engine();
    cache.store(&engine, "0", compiled(&engine).serialize());
    let one = fs::metadata(cache.entry(&engine, "0")).unwrap().len();
    let here = Cache::open(&folder.path().join("cache"), 4 * one).unwrap();
    let there = Cache::open(&folder.path().join("cache"), u64::MAX).unwrap();
    here.store(&engine, "1", compiled(&engine).serialize());
    for other in ["2", "3", "4", "5", "6"] {
        there.store(&engine, other, compiled(&engine).serialize());
    }
    here.store(&engine, "7", compiled(&engine).serialize());
    here.store(&engine, "8", compiled(&engine).serialize());
    assert_eq!(entries(&cache), 9);
    here.store(&engine, "9", compiled(&engine).serialize());
    assert_eq!(entries(&cache), 4);
    assert!(here.component(&engine, "9").is_some());
}

#[test]
fn code_that_was_loaded_takes_memory_when_it_runs() {
    let (_folder, cache) = cache(u64::MAX);
    let engine = engine();
    // Hundreds of functions, so that the code has many pages.
    let functions: String = (0..500)
        .map(|n| {
            format!(
                r#"(func (export "f{n}") (param i64) (result i64) {} local.get 0)"#,
                "(local.set 0 (i64.mul (local.get 0) (i64.const 31)))".repeat(40)
            )
        })
        .collect();
    let module = Module::new(&engine, wat::parse_str(format!("(module {functions})")).unwrap()).unwrap();
    cache.store(&engine, "many", module.serialize());
    let module = cache.module(&engine, "many").unwrap();
    let range = module.image_range();
    let bytes = range.end.addr() - range.start.addr();
    assert!(bytes > 128 << 10, "{bytes}");
    assert!(resident_bytes(&range) == 0, "{} of {bytes}", resident_bytes(&range));

    let mut store = wasmtime::Store::new(&engine, ());
    let instance = wasmtime::Instance::new(&mut store, &module, &[]).unwrap();
    for n in [0, 250, 499] {
        let function = instance.get_typed_func::<i64, i64>(&mut store, &format!("f{n}")).unwrap();
        assert_eq!(function.call(&mut store, 1).unwrap(), 31_i64.wrapping_pow(40));
    }
    assert!(resident_bytes(&range) > 0);
}

/// Returns what of a mapping is in memory, as the kernel counts it.
fn resident_bytes(range: &std::ops::Range<*const u8>) -> u64 {
    let maps = fs::read_to_string("/proc/self/smaps").unwrap();
    let mut inside = false;
    let mut kib = 0;
    for line in maps.lines() {
        let first = line.split_whitespace().next().unwrap();
        if let Some((start, end)) = first.split_once('-') {
            let [start, end] = [start, end].map(|at| usize::from_str_radix(at, 16).unwrap());
            inside = start >= range.start.addr() && end <= range.end.addr().next_multiple_of(4096);
        } else if inside && first == "Rss:" {
            kib += line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap();
        }
    }
    kib * 1024
}
