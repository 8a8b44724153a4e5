//! What a server answers, as values. Pure.

use crate::Value;
use serde::Deserialize;
use serde::de::{Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;
use zeroize::Zeroizing;

/// How long a token lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Lease {
    /// What is left; zero for ever.
    pub(super) left: Duration,
    /// What it was in the beginning.
    pub(super) whole: Duration,
    pub(super) is_renewable: bool,
}

/// Returns the value of a field of an entry. The outer is absent if this is no entry, the inner if it has no such field.
pub(super) fn value(body: &[u8], field: &str) -> Option<Option<Value>> {
    #[derive(Deserialize)]
    struct Answer {
        data: Entry,
    }
    #[derive(Deserialize)]
    struct Entry {
        data: Option<BTreeMap<String, Field>>,
    }
    let answer: Answer = serde_json::from_slice(body).ok()?;
    let field = answer.data.data.and_then(|mut fields| fields.remove(field));
    Some(field.and_then(|Field(text)| text).map(Value::text))
}

/// Tells whether an answer has errors: that something is not there is none.
pub(super) fn has_errors(body: &[u8]) -> bool {
    #[derive(Deserialize)]
    struct Answer {
        #[serde(default)]
        errors: Vec<String>,
        warnings: Option<Vec<String>>,
    }
    let answer = serde_json::from_slice::<Answer>(body);
    answer.map_or(true, |answer| !answer.errors.is_empty() || answer.warnings.is_some_and(|list| !list.is_empty()))
}

/// Returns what `lookup-self` tells of a token.
pub(super) fn looked_up(body: &[u8]) -> Option<Lease> {
    #[derive(Deserialize)]
    struct Answer {
        data: Token,
    }
    #[derive(Deserialize)]
    struct Token {
        ttl: u64,
        #[serde(default)]
        creation_ttl: u64,
        #[serde(default)]
        renewable: bool,
    }
    let Answer { data } = serde_json::from_slice(body).ok()?;
    let left = Duration::from_secs(data.ttl);
    Some(Lease { left, whole: left.max(Duration::from_secs(data.creation_ttl)), is_renewable: data.renewable })
}

/// Returns what `renew-self` tells of a token.
pub(super) fn renewed(body: &[u8]) -> Option<Lease> {
    #[derive(Deserialize)]
    struct Answer {
        auth: Auth,
    }
    #[derive(Deserialize)]
    struct Auth {
        lease_duration: u64,
        #[serde(default)]
        renewable: bool,
    }
    let Answer { auth } = serde_json::from_slice(body).ok()?;
    let whole = Duration::from_secs(auth.lease_duration);
    Some(Lease { left: whole, whole, is_renewable: auth.renewable })
}

/// A field of an entry: a text, or a number or a truth as a text; nothing for lists and tables.
struct Field(Option<Zeroizing<String>>);

impl<'de> Deserialize<'de> for Field {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(FieldVisitor)
    }
}

struct FieldVisitor;

impl<'de> Visitor<'de> for FieldVisitor {
    type Value = Field;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a field")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Field, E> {
        Ok(Field(Some(text.to_owned().into())))
    }

    fn visit_string<E: Error>(self, text: String) -> Result<Field, E> {
        Ok(Field(Some(text.into())))
    }

    fn visit_bool<E: Error>(self, truth: bool) -> Result<Field, E> {
        self.visit_string(truth.to_string())
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Field, E> {
        self.visit_string(number.to_string())
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Field, E> {
        self.visit_string(number.to_string())
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Field, E> {
        self.visit_string(number.to_string())
    }

    fn visit_unit<E: Error>(self) -> Result<Field, E> {
        Ok(Field(None))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Field, A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Field(None))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut table: A) -> Result<Field, A::Error> {
        while table.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Field(None))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::Revealed;

    fn found(body: &str) -> Option<Option<String>> {
        let text = |value: Value| match value.reveal() {
            Revealed::Text(text) => text.to_string(),
            Revealed::Bytes(_) => String::new(),
        };
        value(body.as_bytes(), "value").map(|found| found.map(text))
    }

    #[test]
    fn an_entry_has_the_field_or_not() {
        let entry = |fields: &str| format!(r#"{{"data":{{"data":{fields},"metadata":{{"version":1}}}},"auth":null}}"#);
        let some = |text: &str| Some(Some(text.to_owned()));
        assert_eq!(found(&entry(r#"{"other":[1,{"a":2}],"value":"a\u0041\n"}"#)), some("aA\n"));
        assert_eq!(found(&entry(r#"{"value":-5}"#)), some("-5"));
        assert_eq!(found(&entry(r#"{"value":true}"#)), some("true"));
        for nothing in [r#"{"value":{"a":1}}"#, r#"{"value":["a"]}"#, r#"{"value":null}"#, "{}", "null"] {
            assert_eq!(found(&entry(nothing)), Some(None), "{nothing}");
        }
        for bad in ["", "[]", "{}", r#"{"data":null}"#, r#"{"data":{"data":"x"}}"#, &entry(r#"{"value":"#)] {
            assert_eq!(found(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_lease_is_read_from_both_answers() {
        let seconds = Duration::from_secs;
        let body = br#"{"data":{"ttl":600,"creation_ttl":3600,"renewable":true}}"#;
        assert_eq!(looked_up(body), Some(Lease { left: seconds(600), whole: seconds(3600), is_renewable: true }));
        let body = br#"{"auth":{"lease_duration":60,"renewable":true}}"#;
        assert_eq!(renewed(body), Some(Lease { left: seconds(60), whole: seconds(60), is_renewable: true }));
        assert_eq!((looked_up(b"{}"), renewed(br#"{"auth":null}"#)), (None, None));
    }

    #[test]
    fn a_missing_entry_is_told_from_a_missing_mount() {
        assert!(!has_errors(br#"{"errors":[]}"#));
        assert!(!has_errors(br#"{"data":{"data":null},"warnings":null}"#));
        assert!(has_errors(br#"{"errors":["no handler for route"]}"#));
        assert!(has_errors(br#"{"data":null,"warnings":["Invalid path"]}"#));
        assert!(has_errors(b"<html>"));
    }
}
