//! Changes of real files are noticed as the operating system tells them; each wait has a bound that a healthy machine is far from.

use super::*;
use std::fs;
use tempfile::TempDir;

const BOUND: Duration = Duration::from_secs(30);

/// A folder, and a watch on files of it by these names.
fn watching(names: &[&str]) -> (TempDir, Watch) {
    let folder = tempfile::tempdir().unwrap();
    let mut watch = Watch::start(Duration::from_millis(5)).unwrap();
    watch.set(names.iter().map(|name| folder.path().join(name)), Vec::new());
    (folder, watch)
}

async fn changes(watch: &mut Watch) -> Changes {
    tokio::time::timeout(BOUND, watch.changed()).await.expect("a change was not noticed")
}

/// Waits until a change of that file is told.
async fn until(watch: &mut Watch, path: &Path) {
    let path = absolute(path);
    loop {
        let changes = changes(watch).await;
        if changes.everything || changes.paths.contains(&path) {
            return;
        }
    }
}

#[tokio::test]
async fn a_file_that_another_is_renamed_over_is_still_watched() {
    let (folder, mut watch) = watching(&["app.wasm"]);
    let (file, new) = (folder.path().join("app.wasm"), folder.path().join("app.wasm.new"));
    for version in ["one", "two", "three"] {
        fs::write(&new, version).unwrap();
        fs::rename(&new, &file).unwrap();
        until(&mut watch, &file).await;
    }
}

#[tokio::test]
async fn a_file_is_noticed_whose_folder_is_made_later() {
    let (folder, mut watch) = watching(&["target/release/app.wasm"]);
    fs::create_dir_all(folder.path().join("target/release")).unwrap();
    // The folder comes first, and it is watched from then on.
    changes(&mut watch).await;
    let file = folder.path().join("target/release/app.wasm");
    fs::write(&file, "one").unwrap();
    until(&mut watch, &file).await;
}

#[tokio::test]
async fn what_nobody_asked_for_is_not_told() {
    let (folder, mut watch) = watching(&["wharf.toml"]);
    fs::write(folder.path().join("notes.txt"), "not of the app").unwrap();
    let file = folder.path().join("wharf.toml");
    fs::write(&file, "name = \"shop\"\n").unwrap();
    let found = changes(&mut watch).await;
    assert!(!found.everything && found.since.is_some(), "{found:?}");
    assert_eq!(found.paths, BTreeSet::from([absolute(&file)]));
}

#[tokio::test]
async fn more_files_than_are_kept_apart_are_everything() {
    let names: Vec<String> = (0..=PATHS).map(|number| format!("{number}.wasm")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let (folder, mut watch) = watching(&names);
    for name in &names {
        fs::write(folder.path().join(name), "one").unwrap();
    }
    let mut found = BTreeSet::new();
    loop {
        let changes = changes(&mut watch).await;
        assert!(changes.paths.len() <= PATHS, "{} paths", changes.paths.len());
        found.extend(changes.paths);
        if changes.everything || found.len() == names.len() {
            break;
        }
    }
}
