//! Names: any text is one, none leads anywhere else.

use std::collections::HashMap;
use std::fs;
use std::path::{Component, Path, PathBuf};

use proptest::prelude::*;
use wharf_blobstore::api::{ContainerName, Error, NAME_LEN_MAX, ObjectId, ObjectName};
use wharf_blobstore::backend::files::name as file_name;
use wharf_blobstore::backend::s3::name as key;
use wharf_kit::Kind;

use crate::fixture::{Fixture, container, content, for_every_backend, get, id, is_absent, names, put, try_put};

for_every_backend!(any_text_is_a_name, names_that_look_alike_are_different);

/// What has led out of folders, somewhere, at some time; and what is special to somebody.
const HOSTILE: &[&str] = &[
    "..",
    ".",
    "../x",
    "../../../../etc/passwd",
    "a/../../x",
    "/etc/passwd",
    "//x",
    "a//b",
    "a/",
    "/",
    "./a",
    "a/./b",
    "...",
    "..a",
    "..\\..\\x",
    "\\",
    "C:\\x",
    "C:x",
    "%2e%2e%2fx",
    "%2E%2E/x",
    "%252e%252e%252f",
    "..%2fx",
    "..%c0%afx",
    "%00",
    "%",
    "%zz",
    "\0",
    "a\0b",
    "../\0",
    "\n",
    "\r\n\r\nDELETE / HTTP/1.1",
    "\t",
    "\u{7f}",
    "\u{85}",
    "\u{2028}",
    " ",
    " a ",
    "a b",
    "~",
    "~own/x",
    "~0000",
    ".created",
    "own",
    "in",
    "new",
    "containers",
    "?uploads",
    "a?b=c",
    "a#b",
    "a&b;c",
    "<a>",
    "]]>",
    "'\"`$(x)",
    "a+b",
    "*",
    "[a-z]",
    "日本語/ファイル.png",
    "Ünïcödé",
    "🦀",
    "\u{202e}gnp.exe",
    "\u{fffe}",
    "\u{ffff}",
    "\u{10ffff}",
    "\u{fe0e}",
    "CON",
    "aux.txt",
    "-rf",
    "--help",
];

async fn any_text_is_a_name(fixture: Fixture) {
    let store = &*fixture.store();
    let long = vec!["n".repeat(200); 4].join("/");
    let wide = vec!["ä".repeat(30); 5].join("/");
    let mut all: Vec<&str> = HOSTILE.to_vec();
    all.extend([&*long, &*wide]);
    store.create(&container("..")).await.unwrap();
    for (at, name) in all.iter().enumerate() {
        for of in ["", ".."] {
            put(store, &id(of, name), content(at, at)).await;
        }
    }
    for of in ["", ".."] {
        let expected = all.iter().map(|name| (*name).to_owned()).collect();
        assert_eq!(names(store, of).await, expected);
        for (at, name) in all.iter().enumerate() {
            assert_eq!(get(store, &id(of, name)).await, content(at, at), "{name:?}");
        }
    }
    for name in &all {
        let ObjectId { container, name } = id("..", name);
        store.delete(&container, &[name]).await.unwrap();
    }
    assert!(names(store, "..").await.is_empty());
    assert_eq!(names(store, "").await.len(), all.len());
}

async fn names_that_look_alike_are_different(fixture: Fixture) {
    let store = &*fixture.store();
    let alike = ["a", "A", "e\u{301}", "\u{e9}", "\u{fb01}", "fi", "a.", "a ", "a%20", "K", "\u{212a}"];
    for (at, name) in alike.iter().enumerate() {
        put(store, &id("", name), content(at, 10)).await;
    }
    for (at, name) in alike.iter().enumerate() {
        assert_eq!(get(store, &id("", name)).await, content(at, 10), "{name:?}");
    }
    assert_eq!(names(store, "").await.len(), alike.len());
}

#[test]
fn empty_names_and_those_over_the_limit_are_refused() {
    let invalid = |result: Result<(), Error>| matches!(result, Err(error) if error.kind() == Kind::Invalid);
    assert!(invalid(ObjectName::new("").map(drop)));
    assert!(ObjectName::new(&"x".repeat(NAME_LEN_MAX)).is_ok());
    assert!(invalid(ObjectName::new(&"x".repeat(NAME_LEN_MAX + 1)).map(drop)));
    // Bytes count, not letters.
    assert!(invalid(ObjectName::new(&"ä".repeat(NAME_LEN_MAX / 2 + 1)).map(drop)));
    assert!(invalid(ContainerName::new("").map(drop)));
    assert!(invalid(ContainerName::new(&"x".repeat(256)).map(drop)));
}

#[tokio::test]
async fn the_longest_names_are_kept_by_the_embedded_backends() {
    for fixture in [Fixture::memory(), Fixture::files()] {
        let store = &*fixture.store();
        let all = ["x".repeat(NAME_LEN_MAX), "\0".repeat(NAME_LEN_MAX), "ä".repeat(NAME_LEN_MAX / 2)];
        store.create(&container(&"/".repeat(255))).await.unwrap();
        for (at, name) in all.iter().enumerate() {
            put(store, &id(&"/".repeat(255), name), content(at, 10 + at)).await;
        }
        for (at, name) in all.iter().enumerate() {
            assert_eq!(get(store, &id(&"/".repeat(255), name)).await, content(at, 10 + at));
        }
        assert_eq!(names(store, &"/".repeat(255)).await, all.into());
    }
}

fn text() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        "\\PC{1,8}",
        "[./\\\\%2eEfF~\\x00]{1,12}",
        proptest::sample::select(HOSTILE).prop_map(str::to_owned),
        any::<String>(),
        "[a-z]{100,300}",
    ];
    proptest::collection::vec(part, 1..6)
        .prop_map(|parts| parts.concat())
        .prop_filter("a name", |name| ObjectName::new(name).is_ok())
}

proptest! {
    #[test]
    fn a_file_name_is_one_plain_component_and_says_its_name(name in text()) {
        let encoded = file_name::encode(&name);
        prop_assert!(encoded.len() <= 255 && encoded.is_ascii());
        let components: Vec<_> = Path::new(&encoded).components().collect();
        prop_assert!(matches!(components[..], [Component::Normal(only)] if only == encoded.as_str()));
        prop_assert!(!encoded.starts_with('.') && !encoded.contains(['\\', '\0', ':']));
        // Also where a file system does not tell cases apart.
        prop_assert_eq!(encoded.to_lowercase(), encoded.clone());
        match file_name::decode(&encoded) {
            Some(file_name::Decoded::Name(decoded)) => prop_assert_eq!(decoded, name),
            Some(file_name::Decoded::Hashed) => prop_assert!(name.len() > 80),
            other => prop_assert!(false, "{:?}", other),
        }
    }

    #[test]
    fn a_file_name_stands_for_one_name_or_none(file in text()) {
        if let Some(file_name::Decoded::Name(name)) = file_name::decode(&file) {
            prop_assert_eq!(file_name::encode(&name), file);
        }
    }

    #[test]
    fn a_key_has_no_part_that_leads_elsewhere_and_says_its_name(name in text()) {
        let encoded = key::encode(&name);
        prop_assert!(encoded.split('/').all(|part| !matches!(part, "" | "." | "..")), "{}", encoded);
        prop_assert!(!encoded.contains(|c: char| c.is_control() || "\\?#<>&\"".contains(c)), "{}", encoded);
        prop_assert_eq!(key::decode(&encoded), Some(name));
    }

    #[test]
    fn a_key_stands_for_one_name_or_none(key in text()) {
        if let Some(name) = key::decode(&key) {
            prop_assert_eq!(key::encode(&name), key);
        }
    }

    #[test]
    fn two_names_have_two_files_and_two_keys(one in text(), two in text()) {
        prop_assert_eq!(one == two, file_name::encode(&one) == file_name::encode(&two));
        prop_assert_eq!(one == two, key::encode(&one) == key::encode(&two));
    }
}

/// Returns the files below a folder.
fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_dir() { files(&entry.path(), found) } else { found.push(entry.path()) }
    }
}

/// Many operations with hostile names, against a model; whatever they do, there are no files elsewhere.
#[test]
fn nothing_that_guests_name_is_outside_of_their_folder() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let steps = proptest::collection::vec((text(), text(), 0..5_u8), 1..24);
    proptest!(ProptestConfig::with_cases(32), |(steps in steps)| {
        let fixture = Fixture::files();
        runtime.block_on(walk(&fixture, &steps));
        let mut found = Vec::new();
        files(fixture.folder(), &mut found);
        for file in found {
            let below = file.strip_prefix(fixture.folder().join("data/blobstore/shop/images"));
            let below = below.unwrap_or_else(|_| panic!("{}", file.display()));
            prop_assert!(below.starts_with("own") || below.starts_with("in"), "{}", below.display());
        }
    });
}

async fn walk(fixture: &Fixture, steps: &[(String, String, u8)]) {
    let store = &*fixture.store();
    let mut model: HashMap<ObjectId, usize> = HashMap::new();
    for (at, (one, two, step)) in steps.iter().enumerate() {
        let within = if one.len() <= 255 { container(one) } else { container("") };
        let object = ObjectId { container: within.clone(), name: ObjectName::new(two).unwrap() };
        let moved = ObjectId { container: container(""), name: ObjectName::new(one).unwrap() };
        store.create(&within).await.unwrap();
        match step {
            0 | 1 => {
                try_put(store, &object, &content(at, at)).await.unwrap();
                model.insert(object, at);
            }
            2 => {
                let copied = store.copy(&object, &moved).await.is_ok();
                assert_eq!(copied, model.contains_key(&object));
                model.get(&object).copied().map(|at| model.insert(moved, at));
            }
            3 => {
                let renamed = store.rename(&object, &moved).await.is_ok();
                assert_eq!(renamed, model.contains_key(&object));
                model.remove(&object).map(|at| model.insert(moved, at));
            }
            _ => {
                store.delete(&within, std::slice::from_ref(&object.name)).await.unwrap();
                model.remove(&object);
                assert!(is_absent(store, &object).await);
            }
        }
    }
    for (id, at) in &model {
        assert_eq!(get(store, id).await, content(*at, *at));
    }
}
