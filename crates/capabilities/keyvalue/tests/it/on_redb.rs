//! redb: who may open a file, and disks that are full, read-only or damaged.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tempfile::TempDir;
use wharf_keyvalue::backend::BACKENDS;
use wharf_keyvalue::{BOUNDS, CAPABILITY, Store};
use wharf_kit::{BackendError, Binding, Bindings, BoundsOverride, Declared, Embedded, Namespace};

use crate::fixture::{LIMIT, get, key, open, recovers, set, words};
use crate::role;

fn file(folder: &TempDir) -> std::path::PathBuf {
    folder.path().join("data/keyvalue/shop/default.redb")
}

fn bindings(folder: &Path, every: &[(&str, Binding)]) -> Bindings<dyn Store> {
    let every = every.iter().map(|(label, binding)| ((*label).to_owned(), binding.clone())).collect();
    let declared = Declared { every, ..Declared::default() };
    Bindings::new(CAPABILITY, BACKENDS, BOUNDS, Embedded::new(folder, CAPABILITY), declared)
}

fn both(settings: &str) -> Binding {
    let settings = settings.parse().unwrap();
    Binding { backend: "redb".to_owned(), namespace: Some("both".to_owned()), settings, ..Binding::default() }
}

#[tokio::test]
async fn labels_of_one_file_share_it() {
    let folder = TempDir::new().unwrap();
    let bindings = bindings(folder.path(), &[("one", both("")), ("two", both(""))]);
    let bind = |app: &str, label: &str| bindings.bind(app, label, BoundsOverride::default()).unwrap().store;
    let (one, two, other) = (bind("shop", "one"), bind("shop", "two"), bind("blog", "one"));
    set(&*one, "a", "1").await;
    assert_eq!(get(&*two, "a").await.unwrap(), "1");
    assert_eq!(other.increment(&key("a"), 1).await.unwrap(), 2);
}

#[tokio::test]
async fn labels_of_one_file_with_different_settings_are_refused() {
    let folder = TempDir::new().unwrap();
    let bindings = bindings(folder.path(), &[("one", both("")), ("two", both("cache = \"1MiB\""))]);
    let one = bindings.bind("shop", "one", BoundsOverride::default()).unwrap();
    let Err(error) = bindings.bind("shop", "two", BoundsOverride::default()) else { panic!("it is open twice") };
    let text = words(&error);
    assert!(text.contains("both.redb") && text.contains("whose binding has other settings"), "{text}");
    set(&*one.store, "a", "1").await;
}

#[tokio::test]
async fn an_app_that_comes_back_finds_its_file_closed() {
    let folder = TempDir::new().unwrap();
    let bindings = bindings(folder.path(), &[]);
    for round in 0..20_i64 {
        let bound = bindings.bind("shop", "default", BoundsOverride::default()).unwrap();
        // One change is acknowledged, and one goes on while the store is dropped.
        assert_eq!(bound.store.increment(&key("n"), 1).await.unwrap(), round + 1);
        let last = key("last");
        tokio::select! {
            biased;
            _ = bound.store.set(&last, "x".into()) => {}
            () = std::future::ready(()) => {}
        }
    }
    let bound = bindings.bind("shop", "default", BoundsOverride::default()).unwrap();
    assert_eq!(get(&*bound.store, "n").await.unwrap(), "20");
}

#[test]
fn a_state_folder_that_cannot_be_written_is_told_with_its_path() {
    let folder = TempDir::new().unwrap();
    // A file in its place keeps also those out who may do everything.
    fs::write(folder.path().join("data"), "").unwrap();
    let opened = open("redb", "", &folder).unwrap();
    let Err(error) = opened.store(&Namespace::own("shop", "default")) else { panic!("it is open") };
    assert!(matches!(&error, BackendError::Open { path, .. } if path.starts_with(folder.path())), "{}", words(&error));
}

#[test]
fn a_state_folder_that_may_not_be_written_is_told_with_its_path() {
    let folder = TempDir::new().unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o555)).unwrap();
    let is_everything_allowed = fs::write(folder.path().join("probe"), "").is_ok();
    let opened = open("redb", "", &folder).unwrap();
    let store = opened.store(&Namespace::own("shop", "default"));
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    if is_everything_allowed {
        // The superuser, for whom a folder is read-only on a read-only disk: that is a test of its own.
        return;
    }
    let Err(error) = store else { panic!("it is open") };
    assert!(words(&error).contains("ermission denied"), "{}", words(&error));
}

#[test]
fn a_file_of_something_else_is_refused_and_kept() {
    for content in ["not a store", &"x".repeat(100_000)] {
        let folder = TempDir::new().unwrap();
        let path = file(&folder);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, content).unwrap();
        let opened = open("redb", "", &folder).unwrap();
        let Err(error) = opened.store(&Namespace::own("shop", "default")) else { panic!("it is open") };
        assert!(words(&error).contains("default.redb"), "{}", words(&error));
        assert_eq!(fs::read_to_string(&path).unwrap(), content);
    }
}

#[tokio::test]
async fn a_file_that_is_cut_off_is_an_error_and_no_end_of_the_process() {
    let folder = TempDir::new().unwrap();
    let opened = open("redb", "", &folder).unwrap();
    let namespace = Namespace::own("shop", "default");
    let store = opened.store(&namespace).unwrap();
    for number in 0..20 {
        store.set(&key(format!("key-{number}")), vec![7; 50_000].into()).await.unwrap();
    }
    drop(store);
    // Opening it waits for the file to be closed.
    drop(opened.store(&namespace).unwrap());
    drop(opened);
    let length = fs::metadata(file(&folder)).unwrap().len();
    for part in [2, 4, 100] {
        let other = TempDir::new().unwrap();
        fs::create_dir_all(file(&other).parent().unwrap()).unwrap();
        fs::copy(file(&folder), file(&other)).unwrap();
        fs::File::options().write(true).open(file(&other)).unwrap().set_len(length / part).unwrap();
        let opened = open("redb", "", &other).unwrap();
        // Either nobody can open it, or what is still there can be read.
        let Ok(store) = opened.store(&namespace) else { continue };
        for number in 0..20 {
            let _ = store.get(&key(format!("key-{number}")), LIMIT).await;
        }
    }
}

/// Blocks of 1024 bytes that a file may have in the test of full disks.
const BLOCKS_MAX: u64 = 2048;

#[test]
fn a_limit_of_files_fails_changes_and_keeps_what_was_acknowledged() {
    let folder = TempDir::new().unwrap();
    // The shell sets the limit, and has its signal ignored: the process is then told by an error, as by a full disk.
    let shell = format!("trap '' XFSZ; ulimit -S -f {BLOCKS_MAX}; exec \"$0\" \"$@\"");
    role::play("on_redb::within_a_limit_of_files", folder.path(), Some(&shell)).succeeds();
}

#[tokio::test]
async fn within_a_limit_of_files() {
    let Some(folder) = role::folder() else { return };
    fills_up(&folder, || {
        let limit = getrlimit(Resource::Fsize);
        setrlimit(Resource::Fsize, Rlimit { current: limit.maximum, maximum: limit.maximum }).unwrap();
    })
    .await;
}

#[test]
fn a_full_disk_fails_changes_and_keeps_what_was_acknowledged() {
    let folder = TempDir::new().unwrap();
    if let Some(shell) = on_a_disk(&folder, "size=4m", "dd if=/dev/zero of=\"$D/filler\" bs=1M count=1 status=none") {
        role::play("on_redb::on_a_small_disk", folder.path(), Some(&shell)).succeeds();
    }
}

#[tokio::test]
async fn on_a_small_disk() {
    let Some(folder) = role::folder() else { return };
    fills_up(&folder, || fs::remove_file(folder.join("filler")).unwrap()).await;
}

#[test]
fn a_disk_that_cannot_be_written_is_told_with_its_path() {
    let folder = TempDir::new().unwrap();
    if let Some(shell) = on_a_disk(&folder, "size=4m", "mount -o remount,ro \"$D\"") {
        role::play("on_redb::on_a_read_only_disk", folder.path(), Some(&shell)).succeeds();
    }
}

#[test]
fn on_a_read_only_disk() {
    let Some(folder) = role::folder() else { return };
    let opened = open("redb", "", &folder).unwrap();
    let Err(error) = opened.store(&Namespace::own("shop", "default")) else { panic!("it is open") };
    let text = words(&error);
    assert!(text.contains(folder.to_str().unwrap()) && text.contains("Read-only"), "{text}");
}

/// Returns a script that starts a process whose folder is a disk of its own, which nobody else sees; only root can have one.
fn on_a_disk(folder: &TempDir, options: &str, then: &str) -> Option<String> {
    let path = folder.path().display();
    let inner = format!("D=\"{path}\"; mount -t tmpfs -o {options} tmpfs \"$D\" && {then}");
    let is_possible = Command::new("unshare").args(["--mount", "sh", "-c", &inner]).output();
    if !is_possible.is_ok_and(|output| output.status.success()) {
        wharf_testkit::services::not_allowed("a disk of its own is for root");
        return None;
    }
    Some(format!("exec unshare --mount sh -c '{inner} && exec \"$0\" \"$@\"' \"$0\" \"$@\""))
}

/// Writes until there is no room, reads all of it, has room made, and writes again.
async fn fills_up(folder: &Path, make_room: impl FnOnce()) {
    let opened = open("redb", "", folder).unwrap();
    let store = opened.store(&Namespace::own("shop", "default")).unwrap();
    let mut count = 0;
    let error = loop {
        match store.set(&key(format!("key-{count}")), vec![7; 50_000].into()).await {
            Ok(()) => count += 1,
            Err(error) => break error,
        }
        assert!(count < 1000, "the disk is never full");
    };
    assert_eq!(error.to_string(), "the store failed: the disk is full", "{}", words(&error));
    assert!(count > 0);
    for number in 0..count {
        let value = recovers(async || store.get(&key(format!("key-{number}")), LIMIT).await).await;
        assert_eq!(value.map(|value| value.len()), Some(50_000), "key-{number} of {count}");
    }
    make_room();
    recovers(async || store.set(&key("more"), vec![7; 100_000].into()).await).await;
    assert_eq!(store.increment(&key("n"), 1).await.unwrap(), 1);
    assert_eq!(store.keys(None).await.unwrap().keys.len(), count + 2);
}
