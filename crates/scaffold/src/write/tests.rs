use super::*;
use crate::Origin;

fn file(path: &str) -> Rendered {
    Rendered { path: path.to_owned(), bytes: b"new".to_vec(), executable: false }
}

#[test]
fn nothing_is_written_when_one_file_is_there_already() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("b"), "old").unwrap();
    let error = write(folder.path(), &[file("a"), file("b")], false).unwrap_err();
    assert!(error.to_string().ends_with("already has b"), "{error}");
    assert!(!folder.path().join("a").exists());
    write(folder.path(), &[file("a"), file("b"), file("c/d")], true).unwrap();
    assert_eq!(fs::read(folder.path().join("b")).unwrap(), b"new");
    assert_eq!(fs::read(folder.path().join("c/d")).unwrap(), b"new");
}

#[cfg(unix)]
#[test]
fn no_link_is_written_through_even_with_force() {
    let (folder, outside) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let target = outside.path().join("file");
    fs::write(&target, "old").unwrap();
    std::os::unix::fs::symlink(outside.path(), folder.path().join("dir")).unwrap();
    std::os::unix::fs::symlink(&target, folder.path().join("file")).unwrap();
    for path in ["dir/file", "dir/new", "file"] {
        assert!(matches!(write(folder.path(), &[file(path)], true), Err(Error::Path { .. })), "{path}");
    }
    assert_eq!(fs::read(target).unwrap(), b"old");
    assert!(!outside.path().join("new").exists());
}

#[cfg(unix)]
#[test]
fn scripts_may_be_run() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), &[Rendered { executable: true, ..file("run.sh") }], false).unwrap();
    assert_ne!(fs::metadata(folder.path().join("run.sh")).unwrap().permissions().mode() & 0o100, 0);
}

fn stranger(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (path, text) in files {
        let place = folder.path().join(path);
        fs::create_dir_all(place.parent().unwrap()).unwrap();
        fs::write(place, text).unwrap();
    }
    folder
}

const HEAD: &str = "description = \"d\"\nlanguage = \"x\"\nkind = \"http\"\nwasi = \"0.2\"\n";

#[cfg(unix)]
#[test]
fn a_template_with_a_link_in_it_is_refused() {
    let folder = stranger(&[("template.toml", HEAD)]);
    std::os::unix::fs::symlink("/etc/hostname", folder.path().join("a")).unwrap();
    let error = Origin::Folder(folder.path().to_owned()).load().unwrap_err();
    assert!(error.to_string().contains("is a link or a device"), "{error}");
}

#[test]
fn a_template_of_too_many_files_or_without_a_description_is_refused() {
    let folder = stranger(&[("template.toml", HEAD), ("target/x", "left out"), ("a", "x")]);
    let load = || Origin::Folder(folder.path().to_owned()).load();
    assert_eq!(load().unwrap().files.len(), 1);
    for number in 0..2001 {
        fs::write(folder.path().join(format!("f{number}")), "").unwrap();
    }
    assert!(load().unwrap_err().to_string().contains("more than 2000 files"));
    fs::write(folder.path().join("template.toml"), "colour = 1").unwrap();
    assert!(matches!(load().unwrap_err(), Error::Description { .. }));
    fs::remove_file(folder.path().join("template.toml")).unwrap();
    assert!(matches!(load().unwrap_err(), Error::Io { .. }));
}
