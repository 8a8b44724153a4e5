//! Names of blobs, as a guest may choose them: what files and keys are called stays where it belongs, and says the name.

#![no_main]

use std::path::{Component, Path};

use libfuzzer_sys::fuzz_target;

#[rustfmt::skip]
#[path = "../../crates/capabilities/blobstore/src/backend/files/name.rs"]
mod file_name;
#[rustfmt::skip]
#[path = "../../crates/capabilities/blobstore/src/backend/s3/name.rs"]
mod key;

/// The longest name of an object.
const NAME_LEN_MAX: usize = 1024;

fuzz_target!(|text: &str| {
    check_as_written(text);
    if text.is_empty() || text.len() > NAME_LEN_MAX {
        return;
    }
    check_file(text);
    check_key(text);
    check_container(text);
});

/// Whatever somebody put into the folder or the bucket stands for one name, or for none.
fn check_as_written(text: &str) {
    if let Some(file_name::Decoded::Name(name)) = file_name::decode(text) {
        assert_eq!(file_name::encode(&name), text);
    }
    if let Some(name) = key::decode(text) {
        assert_eq!(key::encode(&name), text);
    }
}

fn check_file(name: &str) {
    let file = file_name::encode(name);
    let components: Vec<_> = Path::new(&file).components().collect();
    assert!(matches!(components[..], [Component::Normal(only)] if only == file.as_str()), "{file:?}");
    assert!(file.len() <= 255 && file.bytes().all(|byte| byte.is_ascii_graphic() && !byte.is_ascii_uppercase()));
    assert!(!file.starts_with('.') && !file.contains(['\\', ':']), "{file:?}");
    match file_name::decode(&file) {
        Some(file_name::Decoded::Name(decoded)) => assert_eq!(decoded, name),
        Some(file_name::Decoded::Hashed) => assert!(file_name::is_hashed(&file) && name.len() > 80),
        None => panic!("{file:?} stands for nothing"),
    }
}

fn check_key(name: &str) {
    let end = key::encode(name);
    assert!(end.split('/').all(|part| !matches!(part, "" | "." | "..")), "{end:?}");
    assert!(!end.contains(|c: char| c.is_control() || "\\?#<>&\"".contains(c)), "{end:?}");
    assert_eq!(key::decode(&end).as_deref(), Some(name));
}

fn check_container(name: &str) {
    let part = key::encode_segment(name);
    assert!(!part.contains('/') && !matches!(part.as_str(), "" | "." | ".."), "{part:?}");
}
