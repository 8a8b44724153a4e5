//! The JSON schema of the manifest, for editors.

use serde_json::{Map, Value, json};

use super::{Field, Kind, children};

/// Returns the schema, of the 2020-12 draft.
pub fn json_schema() -> Value {
    let mut schema = object("");
    schema.insert("$schema".to_owned(), json!("https://json-schema.org/draft/2020-12/schema"));
    schema.insert("title".to_owned(), json!("wharf.toml"));
    Value::Object(schema)
}

/// Returns the schema of a table with the keys at `path`.
fn object(path: &str) -> Map<String, Value> {
    let properties: Map<String, Value> =
        children(path).map(|field| (field.split().1.to_owned(), property(field))).collect();
    let required: Vec<&str> = children(path).filter(|field| field.required).map(|field| field.split().1).collect();
    closed_object(properties, &required)
}

/// Returns the schema of an object that has these properties and no others.
pub fn closed_object(properties: Map<String, Value>, required: &[&str]) -> Map<String, Value> {
    let mut schema = Map::new();
    schema.insert("type".to_owned(), json!("object"));
    schema.insert("additionalProperties".to_owned(), json!(false));
    schema.insert("properties".to_owned(), Value::Object(properties));
    if !required.is_empty() {
        schema.insert("required".to_owned(), json!(required));
    }
    schema
}

fn property(field: &Field) -> Value {
    let mut schema = value(field);
    if let Value::Object(schema) = &mut schema {
        let note = if field.later { " Not in this version." } else { "" };
        schema.insert("description".to_owned(), json!(format!("{}{note}", field.doc)));
        if let Some(default) = default(field) {
            schema.insert("default".to_owned(), default);
        }
    }
    schema
}

fn value(field: &Field) -> Value {
    let path = field.path;
    let table = || Value::Object(object(path));
    match field.kind {
        Kind::Text => json!({ "type": "string" }),
        Kind::BoolOrText => json!({ "anyOf": [{ "type": "boolean" }, { "type": "string" }] }),
        Kind::Bool => json!({ "type": "boolean" }),
        Kind::Integer => json!({ "type": "integer", "minimum": 0 }),
        Kind::Size => json!({ "anyOf": [
            { "type": "integer", "minimum": 0 },
            { "type": "string", "pattern": "^[0-9]+ *([KkMmGgTt][Ii]?[Bb]|[Bb])?$" },
        ] }),
        Kind::Duration => json!({ "type": "string", "pattern": "^[0-9]+ *(ns|us|ms|s|m|h)$" }),
        Kind::Texts => json!({ "type": "array", "items": { "type": "string" } }),
        Kind::TextMap => json!({ "type": "object", "additionalProperties": { "type": "string" } }),
        Kind::BoolOrTexts => {
            json!({ "anyOf": [{ "type": "boolean" }, { "type": "array", "items": { "type": "string" } }] })
        }
        Kind::Any => json!({}),
        _ if field.later => json!({}),
        Kind::Table => table(),
        Kind::TextOrTable => json!({ "anyOf": [{ "type": "string" }, table()] }),
        Kind::Tables => json!({ "type": "array", "items": table() }),
        Kind::TextsOrTables => json!({ "type": "array", "items": { "anyOf": [{ "type": "string" }, table()] } }),
        Kind::Labels => json!({ "anyOf": [
            { "type": "array", "items": { "type": "string" } },
            { "type": "object", "additionalProperties": object(&format!("{path}.*")) },
        ] }),
        Kind::Named => json!({ "type": "object", "additionalProperties": object(&format!("{path}.*")) }),
    }
}

/// Returns the default as JSON. Defaults are texts, numbers, `true`, `false` and `[]`, which TOML and JSON write alike.
fn default(field: &Field) -> Option<Value> {
    serde_json::from_str(field.default).ok()
}
