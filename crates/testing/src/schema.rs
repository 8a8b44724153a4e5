//! The JSON schema of test files, for editors.
//!
//! In: [`keys`], every key as data. Out: the schema that `wharf schema --tests` prints.

mod keys;

use serde_json::{Map, Value, json};

/// One key.
struct Key {
    name: &'static str,
    kind: Kind,
    /// Whether it has to be there.
    required: bool,
    /// One sentence or two.
    doc: &'static str,
}

/// What a value is.
#[derive(Clone, Copy)]
enum Kind {
    /// A text.
    Text,
    /// A text, or a list of them.
    Texts,
    /// A list of texts.
    ListOfTexts,
    /// A whole number, zero or more.
    Integer,
    /// A status of HTTP.
    Status,
    /// A whole number.
    Code,
    /// Texts by names that the user chooses.
    TextByName,
    /// A text or a list of them, by names.
    TextsByName,
    /// What is there, or whether it is, by names.
    PresenceByName,
    /// The same in stores, by labels.
    PresenceByLabel,
    /// Anything, by names.
    AnyByName,
    /// Rows of a table.
    Rows,
    /// A table of that name.
    Table(&'static str),
    /// A list of tables of that name.
    Tables(&'static str),
    /// Anything.
    Any,
}

/// Returns the schema, of the 2020-12 draft.
pub fn json_schema() -> Value {
    let mut schema = table("file");
    schema.insert("$schema".to_owned(), json!("https://json-schema.org/draft/2020-12/schema"));
    schema.insert("title".to_owned(), json!("a test file of wharf"));
    Value::Object(schema)
}

fn keys_of(name: &str) -> &'static [Key] {
    keys::TABLES.iter().find(|(known, _)| *known == name).map_or(&[], |(_, keys)| keys)
}

fn table(name: &str) -> Map<String, Value> {
    let keys = keys_of(name);
    let properties: Map<String, Value> = keys.iter().map(|key| (key.name.to_owned(), property(key))).collect();
    let required: Vec<&str> = keys.iter().filter(|key| key.required).map(|key| key.name).collect();
    wharf_app::closed_object(properties, &required)
}

fn property(key: &Key) -> Value {
    let mut schema = value(key.kind);
    if let Value::Object(schema) = &mut schema {
        schema.insert("description".to_owned(), json!(key.doc));
    }
    schema
}

fn value(kind: Kind) -> Value {
    let by_name = |value: Value| json!({ "type": "object", "additionalProperties": value });
    let list = |value: Value| json!({ "type": "array", "items": value });
    let text = || json!({ "type": "string" });
    let texts = || json!({ "anyOf": [text(), list(text())] });
    let presence = || json!({ "anyOf": [{ "type": "boolean" }, text()] });
    match kind {
        Kind::Text => text(),
        Kind::Texts => texts(),
        Kind::ListOfTexts => list(text()),
        Kind::Integer => json!({ "type": "integer", "minimum": 0 }),
        Kind::Status => json!({ "type": "integer", "minimum": 100, "maximum": 999 }),
        Kind::Code => json!({ "type": "integer" }),
        Kind::TextByName => by_name(text()),
        Kind::TextsByName => by_name(texts()),
        Kind::PresenceByName => by_name(presence()),
        Kind::PresenceByLabel => by_name(by_name(presence())),
        Kind::AnyByName => by_name(json!({})),
        Kind::Rows => list(list(json!({}))),
        Kind::Table(name) => Value::Object(table(name)),
        Kind::Tables(name) => list(Value::Object(table(name))),
        Kind::Any => json!({}),
    }
}

#[cfg(test)]
mod tests;
