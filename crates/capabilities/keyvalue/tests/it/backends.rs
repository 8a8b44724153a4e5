//! The list of backends, as operators and documentation read it.

use tempfile::TempDir;
use wharf_keyvalue::backend::BACKENDS;
use wharf_kit::Embedded;

#[test]
fn what_labels_get_without_an_operators_word_is_durable_and_needs_no_setting() {
    assert_eq!(BACKENDS[0].name, "redb");
    let folder = TempDir::new().unwrap();
    assert!((BACKENDS[0].open)(toml::Table::new(), &Embedded::new(folder.path(), "keyvalue")).is_ok());
}

#[test]
fn every_example_is_a_binding() {
    for backend in BACKENDS {
        let mut example: toml::Table = backend.example.parse().unwrap();
        let name = example.remove("backend");
        assert_eq!(name.as_ref().and_then(toml::Value::as_str), Some(backend.name));
        let folder = TempDir::new().unwrap();
        let opened = (backend.open)(example, &Embedded::new(folder.path(), "keyvalue"));
        assert!(opened.is_ok(), "{}: {:?}", backend.name, opened.err());
        assert!(folder.path().read_dir().unwrap().next().is_none(), "{}: opening makes no file", backend.name);
    }
}

#[test]
fn names_are_unique_and_all_is_said() {
    for (number, backend) in BACKENDS.iter().enumerate() {
        assert!(BACKENDS[..number].iter().all(|other| other.name != backend.name));
        for text in [backend.summary, backend.durability] {
            assert!(text.ends_with('.') && !text.contains("  "), "{}: {text}", backend.name);
        }
    }
}

#[test]
fn the_documentation_names_every_backend() {
    let page = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../docs/capabilities/keyvalue.md"));
    for backend in BACKENDS {
        assert!(page.contains(&format!("| `{}` |", backend.name)), "{}", backend.name);
    }
}
