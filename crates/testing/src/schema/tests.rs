use super::keys::TABLES;
use super::{Kind, keys_of};
use crate::file;
use serde::de::DeserializeOwned;

/// What reads a table of that name.
fn read(table: &str, text: &str) -> Result<(), String> {
    fn with<T: DeserializeOwned>(text: &str) -> Result<(), String> {
        toml::from_str::<T>(text).map(drop).map_err(|error| error.message().to_owned())
    }
    match table {
        "file" => with::<file::File>(text),
        "settings" => with::<file::Settings>(text),
        "given" => with::<file::Given>(text),
        "key" => with::<file::Key>(text),
        "blob" => with::<file::Blob>(text),
        "sql" => with::<file::Sql>(text),
        "http" => with::<file::Http>(text),
        "http-request" => with::<file::HttpRequest>(text),
        "http-response" => with::<file::HttpResponse>(text),
        "fault" => with::<file::Fault>(text),
        "test" => with::<file::Test>(text),
        "step" => with::<file::Step>(text),
        "request" => with::<file::Request>(text),
        "expect" => with::<file::Expect>(text),
        "query" => with::<file::Query>(text),
        "sent" => with::<file::Sent>(text),
        "message" => with::<file::Message>(text),
        other => panic!("nothing reads {other}"),
    }
}

/// Values that a kind allows, and one that it does not.
fn values(kind: Kind) -> (Vec<String>, Option<&'static str>) {
    let texts = |values: &[&str]| values.iter().map(|value| (*value).to_owned()).collect();
    match kind {
        Kind::Text => (texts(&["'x'"]), Some("1")),
        Kind::Texts => (texts(&["'x'", "['x', 'y']", "[]"]), Some("1")),
        Kind::ListOfTexts => (texts(&["['x']"]), Some("'x'")),
        Kind::Integer => (texts(&["0", "9"]), Some("-1")),
        Kind::Status => (texts(&["100", "999"]), Some("'200'")),
        Kind::Code => (texts(&["-1", "3"]), Some("'x'")),
        Kind::TextByName => (texts(&["{ a = 'x' }"]), Some("{ a = 1 }")),
        Kind::TextsByName => (texts(&["{ a = 'x', b = ['x', 'y'] }"]), Some("{ a = 1 }")),
        Kind::PresenceByName => (texts(&["{ a = 'x', b = true, c = false }"]), Some("{ a = 1 }")),
        Kind::PresenceByLabel => (texts(&["{ a = { b = true, c = 'x' } }"]), Some("{ a = true }")),
        Kind::AnyByName => (texts(&["{ a = 1, b = 'x' }"]), Some("1")),
        Kind::Rows => (texts(&["[[1, 'x'], []]"]), Some("[1]")),
        Kind::Table(name) => (vec![whole(name)], Some("1")),
        Kind::Tables(name) => (vec![format!("[{}]", whole(name)), "[]".to_owned()], Some("{}")),
        Kind::Any => (texts(&["1", "'x'", "[1]", "{ a = 1 }"]), None),
    }
}

/// A table with the keys that it has to have.
fn whole(table: &str) -> String {
    format!("{{ {} }}", needed(table, "").replace('\n', ", ").trim_end_matches(", "))
}

/// The lines of the keys that a table has to have, without one of them.
fn needed(table: &str, without: &str) -> String {
    let needed = keys_of(table).iter().filter(|key| key.required && key.name != without);
    needed.map(|key| format!("{} = {}\n", key.name, values(key.kind).0[0])).collect()
}

#[test]
fn the_list_has_the_keys_that_are_read_and_no_others() {
    for (table, keys) in TABLES {
        let refused = read(table, "no-such-key = 1").unwrap_err();
        let mut read: Vec<&str> = refused.split('`').skip(3).step_by(2).collect();
        let mut listed: Vec<&str> = keys.iter().map(|key| key.name).collect();
        read.sort_unstable();
        listed.sort_unstable();
        assert_eq!(listed, read, "{table}: {refused}");
    }
}

#[test]
fn values_are_of_the_kind_that_the_list_says() {
    for (table, keys) in TABLES {
        for key in *keys {
            let rest = needed(table, key.name);
            let (fit, does_not_fit) = values(key.kind);
            for value in fit {
                let text = format!("{rest}{} = {value}\n", key.name);
                assert_eq!(read(table, &text), Ok(()), "{table}: {text}");
            }
            if let Some(value) = does_not_fit {
                let text = format!("{rest}{} = {value}\n", key.name);
                assert!(read(table, &text).is_err(), "{table}: {text}");
            }
            assert_eq!(read(table, &rest).is_err(), key.required, "{table}: {}", key.name);
            assert!(key.doc.ends_with('.') && key.doc.len() < 120, "{table}: {}", key.doc);
        }
    }
}
