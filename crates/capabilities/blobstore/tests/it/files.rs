//! The file system is not as it should be.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use wharf_blobstore::api::{Error, Store};
use wharf_kit::{Kind, Namespace};
use wharf_testkit::services::not_allowed;

use crate::children;
use crate::fixture::{Fixture, PIECE, container, content, get, id, is_absent, names, open, put, set, try_get, try_put};

fn store(folder: &Path) -> std::sync::Arc<dyn Store> {
    open("files", "", folder).unwrap().store(&Namespace::own("shop", "images")).unwrap()
}

fn within(folder: &Path) -> PathBuf {
    folder.join("data/blobstore/shop/images")
}

#[tokio::test]
async fn what_a_process_left_that_died_is_removed_at_the_next_start() {
    let fixture = Fixture::files();
    put(&*fixture.store(), &id("", "a"), "x").await;
    let new = within(fixture.folder()).join("new");
    fs::write(new.join("17a-0"), "half").unwrap();
    fs::create_dir_all(new.join("17a-1/deep")).unwrap();
    fs::write(new.join("17a-1/deep/file"), "x").unwrap();
    let store = store(fixture.folder());
    assert_eq!(fs::read_dir(new).unwrap().count(), 0);
    assert_eq!(names(&*store, "").await, set(&["a"]));
}

#[tokio::test]
async fn an_object_is_one_file_with_its_bytes() {
    let fixture = Fixture::files();
    let store = &*fixture.store();
    store.create(&container("thumbnails")).await.unwrap();
    put(store, &id("", "cats/Tom.png"), "tom").await;
    put(store, &id("thumbnails", "tom"), "little tom").await;
    let folder = within(fixture.folder());
    assert_eq!(fs::read(folder.join("own/cats%2f%54om.png")).unwrap(), b"tom");
    assert_eq!(fs::read(folder.join("in/thumbnails/tom")).unwrap(), b"little tom");
}

#[tokio::test]
async fn files_of_others_are_no_objects() {
    let fixture = Fixture::files();
    let store = &*fixture.store();
    put(store, &id("", "a"), "x").await;
    let root = within(fixture.folder()).join("own");
    for name in ["README.TXT", ".hidden", "a b", "%41%", "~abc"] {
        fs::write(root.join(name), "x").unwrap();
    }
    fs::create_dir(root.join("folder")).unwrap();
    assert_eq!(names(store, "").await, set(&["a"]));
    assert!(is_absent(store, &id("", "folder")).await);
    // They are not ours to delete, either.
    store.clear(&container("")).await.unwrap();
    assert!(root.join("README.TXT").exists() && root.join("folder").exists());
    assert_eq!(names(store, "").await, set(&[]));
}

#[tokio::test]
async fn a_damaged_file_hides_no_other() {
    let fixture = Fixture::files();
    let store = &*fixture.store();
    let long = "x".repeat(1000);
    put(store, &id("", &long), "x").await;
    put(store, &id("", "a"), "x").await;
    let root = within(fixture.folder()).join("own");
    let file = fs::read_dir(&root).unwrap().map(|entry| entry.unwrap().path());
    let file = file.into_iter().find(|path| path.file_name().unwrap().to_string_lossy().starts_with('~')).unwrap();
    for damaged in [&b""[..], b"x", b"xx\xff\xff", b"other name\x0a\0"] {
        fs::write(&file, damaged).unwrap();
        assert_eq!(names(store, "").await, set(&["a"]));
        let error = try_get(store, &id("", &long)).await.unwrap_err();
        assert_eq!(error.kind(), Kind::Backend);
        assert!(!error.to_string().contains('/'), "{error}");
    }
    put(store, &id("", &long), "new").await;
    assert_eq!(get(store, &id("", &long)).await, b"new");
}

#[tokio::test]
async fn a_folder_that_somebody_removed_is_made_again() {
    let fixture = Fixture::files();
    let store = &*fixture.store();
    put(store, &id("", "a"), "x").await;
    fs::remove_dir_all(fixture.folder().join("data")).unwrap();
    assert!(is_absent(store, &id("", "a")).await);
    assert_eq!(names(store, "").await, set(&[]));
    put(store, &id("", "a"), "y").await;
    assert_eq!(get(store, &id("", "a")).await, b"y");
}

/// A file where a folder should be: nothing can be written below it.
#[tokio::test]
async fn a_state_folder_that_cannot_be_used_fails_calls_and_not_the_start() {
    let fixture = Fixture::files();
    fs::write(fixture.folder().join("data"), "not a folder").unwrap();
    let store = &*store(fixture.folder());
    let error = try_put(store, &id("", "a"), &content(0, 1)).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Backend);
    assert!(!error.to_string().contains('/'), "{error}");
    let error = store.create(&container("a")).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Backend);
}

/// Sets the mode of all folders below one.
fn permit(folder: &Path, mode: u32) {
    fs::set_permissions(folder, fs::Permissions::from_mode(0o700)).unwrap();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            permit(&path, mode);
        }
    }
    fs::set_permissions(folder, fs::Permissions::from_mode(mode)).unwrap();
}

#[tokio::test]
async fn reads_from_a_folder_that_cannot_be_written_when_asked() {
    let Some(folder) = children::folder() else { return };
    let store = &*store(&folder);
    assert_eq!(get(store, &id("", "a")).await, b"x");
    assert_eq!(names(store, "").await, set(&["a"]));
    assert_eq!(names(store, "b").await, set(&["c"]));
    assert!(store.container(&container("b")).await.is_ok());
    let (a, d) = (id("", "a"), id("", "d"));
    for error in [
        try_put(store, &a, &content(0, 1)).await,
        store.create(&container("c")).await,
        store.remove(&container("b")).await,
        store.clear(&container("")).await,
        store.copy(&a, &d).await,
        store.rename(&a, &d).await,
        store.delete(&container(""), std::slice::from_ref(&a.name)).await,
    ] {
        let error = error.unwrap_err();
        assert_eq!(error.kind(), Kind::Backend, "{error}");
        assert!(!error.to_string().contains('/'), "{error}");
    }
    // Nothing was made here yet, and nothing can be.
    let other = open("files", "", &folder).unwrap().store(&Namespace::own("shop", "other")).unwrap();
    assert!(is_absent(&*other, &a).await);
    assert_eq!(names(&*other, "").await, set(&[]));
    assert_eq!(try_put(&*other, &a, &content(0, 1)).await.unwrap_err().kind(), Kind::Backend);
}

#[tokio::test]
async fn a_state_folder_that_cannot_be_written_can_be_read() {
    let fixture = Fixture::files();
    let store = fixture.store();
    put(&*store, &id("", "a"), "x").await;
    store.create(&container("b")).await.unwrap();
    put(&*store, &id("b", "c"), "x").await;
    permit(fixture.folder(), 0o500);
    // The superuser may write in spite of that, unless he gives it up.
    let is_superuser = fs::write(fixture.folder().join("trial"), "").is_ok();
    let before: &[&str] = &["setpriv", "--bounding-set=-dac_override", "--inh-caps=-dac_override", "--"];
    let before = if is_superuser { before } else { &[] };
    if is_superuser && !children::works(before) {
        not_allowed("the superuser cannot give up writing everywhere (setpriv)");
    } else {
        children::run("files::reads_from_a_folder_that_cannot_be_written_when_asked", fixture.folder(), before, "");
    }
    permit(fixture.folder(), 0o700);
}

#[tokio::test]
async fn fills_the_disk_when_asked() {
    let Some(folder) = children::folder() else { return };
    let store = &*store(&folder);
    let (a, b) = (id("", "a"), id("", "b"));
    put(store, &a, content(1, 1 << 20)).await;
    for target in [&b, &a] {
        // Twice: what failed gave its room back.
        for _ in 0..2 {
            let mut upload = store.write(target).await.unwrap();
            let mut written = 0;
            let error = loop {
                match upload.write(content(0, PIECE)).await {
                    Ok(()) => written += PIECE,
                    Err(error) => break error,
                }
                assert!(written < 8 << 20, "the disk is larger than it should be");
            };
            assert!(matches!(error, Error::Full(_)), "{error:?}");
            assert!(written >= 2 << 20, "{written}");
            assert!(matches!(upload.write(content(0, 1)).await, Err(Error::Broken)));
            assert!(matches!(upload.finish().await, Err(Error::Broken)));
        }
        assert!(get(store, &a).await == content(1, 1 << 20));
    }
    put(store, &b, content(2, 2 << 20)).await;
    let error = store.copy(&b, &id("", "c")).await.unwrap_err();
    assert!(matches!(error, Error::Full(_)), "{error:?}");
    store.delete(&container(""), &[b.name]).await.unwrap();
    store.copy(&a, &id("", "c")).await.unwrap();
    assert_eq!(names(store, "").await, set(&["a", "c"]));
    assert_eq!(fs::read_dir(within(&folder).join("new")).unwrap().count(), 0);
}

#[test]
fn a_full_disk_fails_what_does_not_fit_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_str().unwrap();
    let script = "mount -t tmpfs -o size=4m none \"$0\" && exec \"$@\"";
    let before = ["unshare", "--map-root-user", "--mount", "sh", "-c", script, path];
    if !children::works(&before) {
        return not_allowed("no small disk can be mounted (unshare)");
    }
    children::run("files::fills_the_disk_when_asked", folder.path(), &before, "");
}
