use super::*;
use std::os::unix::fs::PermissionsExt;

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

fn file(folder: &tempfile::TempDir) -> SecretFile {
    SecretFile::new(folder.path().join("state").join(FILE), folder.path().join("keys").join(IDENTITY))
}

fn shop() -> Namespace {
    Namespace::own("shop", "default")
}

fn value(text: &str) -> Value {
    Value::text(text.to_owned().into())
}

fn shown<'a>(contents: &'a Contents, name: &str) -> Option<&'a [u8]> {
    contents.get(&shop(), name).map(|value| match value.reveal() {
        crate::value::Revealed::Text(text) => text.as_bytes(),
        crate::value::Revealed::Bytes(bytes) => &**bytes,
    })
}

#[test]
fn what_is_set_is_read_and_what_is_removed_is_gone() {
    let folder = folder();
    let file = file(&folder);
    assert_eq!(file.read().unwrap().names(&shop()).count(), 0);
    assert!(file.change(|contents| contents.set(&shop(), "key", value("hunter2"))).unwrap(), "an identity is made");
    assert!(!file.change(|contents| contents.set(&shop(), "pin", value("1234"))).unwrap());
    let contents = file.read().unwrap();
    assert_eq!(contents.names(&shop()).collect::<Vec<_>>(), ["key", "pin"]);
    assert_eq!(shown(&contents, "key"), Some(&b"hunter2"[..]));
    assert_eq!(contents.names(&Namespace::shared("default")).count(), 0);
    file.change(|contents| assert!(contents.remove(&shop(), "key"))).unwrap();
    assert_eq!(shown(&file.read().unwrap(), "key"), None);
}

#[test]
fn the_file_is_armoured_and_only_its_owner_reads_it() {
    let folder = folder();
    let file = file(&folder);
    file.change(|contents| contents.set(&shop(), "key", value("hunter2"))).unwrap();
    let sealed = std::fs::read_to_string(file.path()).unwrap();
    assert!(sealed.starts_with("-----BEGIN AGE ENCRYPTED FILE-----\n"), "{sealed}");
    assert!(!sealed.contains("hunter2"));
    for path in [file.path(), file.identity()] {
        assert_eq!(std::fs::metadata(path).unwrap().permissions().mode() & 0o777, 0o600, "{}", path.display());
    }
    let state = std::fs::metadata(file.path().parent().unwrap()).unwrap();
    assert_eq!(state.permissions().mode() & 0o777, 0o700);
    let entries = std::fs::read_dir(file.path().parent().unwrap()).unwrap();
    assert_eq!(entries.count(), 1, "nothing is left behind");
}

#[test]
fn an_identity_is_kept_out_of_repositories() {
    let folder = folder();
    let file = file(&folder);
    file.change(|contents| contents.set(&shop(), "key", value("hunter2"))).unwrap();
    let ignored = std::fs::read_to_string(file.identity().with_file_name(".gitignore")).unwrap();
    assert_eq!(ignored, "/identity.txt\n");
}

#[test]
fn another_identity_cannot_read_it() {
    let folder = folder();
    let file = file(&folder);
    file.change(|contents| contents.set(&shop(), "key", value("hunter2"))).unwrap();
    let other = SecretFile::new(file.path(), folder.path().join("other"));
    let missing = other.read().unwrap_err();
    assert!(matches!(missing, FileError::Identity { .. }), "{missing}");
    assert!(other.change(|_| ()).is_err() && !other.identity().exists(), "no identity is made for a file that has one");
    Identities::make(other.identity()).unwrap();
    let wrong = other.read().unwrap_err();
    assert!(matches!(wrong, FileError::WrongIdentity { .. }), "{wrong}");
    assert!(other.change(|_| ()).is_err());
    assert_eq!(shown(&file.read().unwrap(), "key"), Some(&b"hunter2"[..]));
}

#[test]
fn several_identities_are_all_asked_and_all_served() {
    let folder = folder();
    let file = file(&folder);
    file.change(|contents| contents.set(&shop(), "key", value("hunter2"))).unwrap();
    let newer = SecretFile::new(file.path(), folder.path().join("newer"));
    Identities::make(newer.identity()).unwrap();
    let both = [newer.identity(), file.identity()].map(|path| std::fs::read_to_string(path).unwrap()).concat();
    std::fs::write(file.identity(), both).unwrap();
    file.change(|contents| contents.set(&shop(), "pin", value("1"))).unwrap();
    assert_eq!(shown(&newer.read().unwrap(), "key"), Some(&b"hunter2"[..]));
}

#[test]
fn a_file_that_was_tampered_with_is_refused_whatever_was_changed() {
    let folder = folder();
    let file = file(&folder);
    file.change(|contents| contents.set(&shop(), "key", value("hunter2"))).unwrap();
    let identities = Identities::read(file.identity()).unwrap().unwrap();
    let sealed = std::fs::read(file.path()).unwrap();
    let mut binary = Vec::new();
    ArmoredReader::new(&sealed[..]).read_to_end(&mut binary).unwrap();
    assert!(file.decrypt(&binary, &identities).is_ok(), "a file without armour is read too");
    for at in 0..binary.len() {
        let mut changed = binary.clone();
        changed[at] ^= 0x20;
        assert!(file.decrypt(&changed, &identities).is_err(), "byte {at}");
        assert!(file.decrypt(&binary[..at], &identities).is_err(), "cut at {at}");
    }
    for text in ["", "hello\n", "age-encryption.org/v1\n", "-----BEGIN AGE ENCRYPTED FILE-----\n"] {
        std::fs::write(file.path(), text).unwrap();
        let error = file.read().unwrap_err();
        assert!(matches!(error, FileError::Damaged { .. }), "{text:?}: {error}");
    }
}

#[test]
fn two_processes_do_not_change_it_at_once() {
    let folder = folder();
    let file = file(&folder);
    let change = |contents: &mut Contents| contents.set(&shop(), "key", value("1"));
    file.change(|contents| {
        change(contents);
        let second = file.change(change);
        assert!(matches!(second, Err(FileError::Busy { .. })), "{second:?}");
    })
    .unwrap();
    file.change(change).unwrap();
}

#[test]
fn what_is_no_identity_is_refused_without_being_shown() {
    let folder = folder();
    let file = file(&folder);
    file.change(|contents| contents.set(&shop(), "key", value("hunter2"))).unwrap();
    let sound = std::fs::read_to_string(file.identity()).unwrap();
    let broken = sound.replace("AGE-SECRET-KEY-1", "AGE-SECRET-KEY-2");
    for text in ["", "# nothing\n", broken.as_str(), "\u{0}"] {
        std::fs::write(file.identity(), text).unwrap();
        let error = file.read().unwrap_err();
        assert!(matches!(error, FileError::Identity { .. }), "{error:?}");
        assert!(!format!("{error} {error:?}").contains("AGE-SECRET-KEY-2"), "{error:?}");
    }
}
