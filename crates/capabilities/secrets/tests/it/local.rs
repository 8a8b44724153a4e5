//! The file of secrets, when it is not what it was.

use crate::fixture::{MARK, assert_silent, bindings, everybody, file, get, gets, listen, logged, text, who};
use std::collections::BTreeMap;
use tempfile::TempDir;
use wharf_kit::{Declared, Kind, Namespace, UsageTable};
use wharf_secrets::{Allowed, Error, FileError, LABEL, SecretFile, stored};

fn with_key(value: &str) -> TempDir {
    let folder = TempDir::new().unwrap();
    set(&folder, value);
    folder
}

fn set(folder: &TempDir, value: &str) {
    file(folder).change(|contents| contents.set(&Namespace::own("shop", LABEL), "key", text(value))).unwrap();
}

/// Returns what a component of the shop has that is granted `key`, or why the file cannot be used.
fn granted(folder: &TempDir, declared: Declared) -> Result<Allowed, String> {
    let bindings = bindings(folder, declared);
    let (names, usage) = (["key".to_owned()], UsageTable::default());
    Allowed::bind(&bindings, who("shop"), names, &BTreeMap::new(), &usage).map_err(|errors| {
        let mut text = format!("{errors:?}");
        let mut error: Option<&dyn std::error::Error> = errors.first().map(|error| error as _);
        while let Some(one) = error {
            text += &format!(" | {one}");
            error = one.source();
        }
        text
    })
}

fn refused(folder: &TempDir) -> String {
    granted(folder, Declared::default()).err().unwrap_or_default()
}

#[tokio::test]
async fn a_damaged_file_stops_the_app_at_its_start() {
    listen();
    let folder = with_key(MARK);
    let sound = std::fs::read(file(&folder).path()).unwrap();
    let middle = sound.len() / 2;
    for damaged in [&sound[..middle], b"", b"hunter2", &[0xff; 100]] {
        std::fs::write(file(&folder).path(), damaged).unwrap();
        let error = refused(&folder);
        assert!(error.contains("is damaged") && error.contains("secrets.age"), "{error}");
        assert!(!error.contains(MARK), "{error}");
        assert_eq!(stored(&bindings(&folder, Declared::default()), "shop"), None);
    }
    assert_silent();
}

#[tokio::test]
async fn another_identity_stops_the_app_at_its_start() {
    listen();
    let (folder, other) = (with_key(MARK), with_key(MARK));
    std::fs::copy(file(&other).identity(), file(&folder).identity()).unwrap();
    let error = refused(&folder);
    assert!(error.contains("is not encrypted for the identity in"), "{error}");
    std::fs::remove_file(file(&folder).identity()).unwrap();
    let error = refused(&folder);
    assert!(error.contains("is not there, and the file of secrets cannot be read without it"), "{error}");
    std::fs::write(file(&folder).identity(), "AGE-SECRET-KEY-1HUNTER2").unwrap();
    let error = refused(&folder);
    assert!(error.contains("has a line that is no age identity") && !error.contains("HUNTER2"), "{error}");
}

#[tokio::test]
async fn a_file_that_is_damaged_meanwhile_fails_calls_until_it_is_sound() {
    listen();
    let folder = with_key(MARK);
    let allowed = granted(&folder, Declared::default()).unwrap();
    assert_eq!(get(&allowed, "key").await.as_deref(), Ok(MARK));
    let sound = std::fs::read(file(&folder).path()).unwrap();
    std::fs::write(file(&folder).path(), &sound[..100]).unwrap();
    gets(&allowed, "key", |answer| answer.as_ref().is_err_and(|error| error.kind() == Kind::Backend)).await;
    assert_eq!(get(&allowed, "key").await, Err(Error::Backend("its file cannot be read")));
    assert!(logged().contains("is damaged, or was changed by somebody"), "the operator is told");
    std::fs::write(file(&folder).path(), &sound).unwrap();
    gets(&allowed, "key", |answer| answer.as_deref() == Ok(MARK)).await;
    assert_silent();
}

#[tokio::test]
async fn what_is_set_meanwhile_shows_without_a_restart() {
    listen();
    let folder = TempDir::new().unwrap();
    let allowed = granted(&folder, Declared::default()).unwrap();
    assert_eq!(get(&allowed, "key").await, Err(Error::NotFound));
    set(&folder, "hunter2 the first");
    gets(&allowed, "key", |answer| answer.as_deref() == Ok("hunter2 the first")).await;
    set(&folder, "hunter2 the second");
    gets(&allowed, "key", |answer| answer.as_deref() == Ok("hunter2 the second")).await;
    file(&folder).change(|contents| assert!(contents.remove(&Namespace::own("shop", LABEL), "key"))).unwrap();
    gets(&allowed, "key", |answer| *answer == Err(Error::NotFound)).await;
    assert_silent();
}

#[tokio::test]
async fn a_folder_that_cannot_be_written_is_enough_to_read() {
    listen();
    let folder = with_key(MARK);
    // Also the superuser makes nothing there.
    let nowhere = "/proc/self/wharf";
    let settings = format!("file = \"{nowhere}/secrets.age\"\nidentity = \"{nowhere}/identity.txt\"");
    let allowed = granted(&folder, everybody("local", &settings)).unwrap();
    assert_eq!(get(&allowed, "key").await, Err(Error::NotFound));
    let file = SecretFile::new(format!("{nowhere}/secrets.age"), format!("{nowhere}/identity.txt"));
    let error = file.change(|contents| contents.set(&Namespace::own("shop", LABEL), "key", text(MARK))).unwrap_err();
    assert!(matches!(&error, FileError::Write { .. }) && !format!("{error} {error:?}").contains(MARK), "{error:?}");
    let settings = format!(
        "file = \"{}\"\nidentity = \"{}\"",
        crate::fixture::file(&folder).path().display(),
        crate::fixture::file(&folder).identity().display()
    );
    let allowed = granted(&TempDir::new().unwrap(), everybody("local", &settings)).unwrap();
    assert_eq!(get(&allowed, "key").await.as_deref(), Ok(MARK));
}

#[tokio::test]
async fn a_namespace_that_the_operator_names_is_shared() {
    let folder = TempDir::new().unwrap();
    file(&folder).change(|contents| contents.set(&Namespace::shared("payments"), "key", text(MARK))).unwrap();
    let mut declared = everybody("local", "");
    declared.every.values_mut().for_each(|binding| binding.namespace = Some("payments".to_owned()));
    let allowed = granted(&folder, declared).unwrap();
    assert_eq!(get(&allowed, "key").await.as_deref(), Ok(MARK));
    assert_eq!(get(&granted(&folder, Declared::default()).unwrap(), "key").await, Err(Error::NotFound));
}
