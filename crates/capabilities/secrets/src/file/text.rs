//! What is encrypted in a file of secrets, as text. Pure.

use crate::Value;
use crate::value::Revealed;
use std::collections::BTreeMap;
use toml::de::{DeTable, DeValue};
use wharf_kit::{Namespace, check_label};
use zeroize::Zeroizing;

type Secrets = BTreeMap<Namespace, BTreeMap<String, Value>>;

/// The table of the namespaces that are nobody's own. No app can have this name.
const SHARED: &str = "_shared";

/// What is wrong in which line.
type Wrong = (usize, &'static str);

/// Reads the text. What is wrong is told without any of it.
pub(super) fn read(plain: &[u8]) -> Result<Secrets, Wrong> {
    let text = str::from_utf8(plain).map_err(|error| (line(plain, error.valid_up_to()), "is not UTF-8"))?;
    let table = DeTable::parse(text)
        .map_err(|error| (line(plain, error.span().map_or(0, |span| span.start)), "is not valid TOML"))?;
    let mut secrets = Secrets::new();
    for (app, value) in table.get_ref() {
        let at = |start| line(plain, start);
        let labels = value.get_ref().as_table().ok_or((at(app.span().start), "is no table of an app"))?;
        for (label, value) in labels {
            let names = value.get_ref().as_table().ok_or((at(label.span().start), "is no table of a label"))?;
            check_label(label.get_ref()).map_err(|_| (at(label.span().start), "has a name that is no label"))?;
            let namespace = match app.get_ref().as_ref() {
                SHARED => Namespace::shared(label.get_ref()),
                app => Namespace::own(app, label.get_ref()),
            };
            let entries = secrets.entry(namespace).or_default();
            for (name, value) in names {
                check_label(name.get_ref())
                    .map_err(|_| (at(name.span().start), "has a name that is none of a secret"))?;
                let value = read_value(value.get_ref())
                    .ok_or((at(name.span().start), "has a value that is neither a text nor `{ hex = \"…\" }`"))?;
                entries.insert(name.get_ref().clone().into_owned(), value);
            }
        }
    }
    Ok(secrets)
}

fn read_value(value: &DeValue<'_>) -> Option<Value> {
    match value {
        DeValue::String(text) => Some(Value::bytes(text.as_bytes().to_vec().into())),
        DeValue::Table(table) if table.len() == 1 => {
            let hex = table.get("hex")?.get_ref().as_str()?;
            Some(Value::bytes(unhex(hex)?))
        }
        _ => None,
    }
}

/// Writes the text; [`read`] reads the same.
pub(super) fn write(secrets: &Secrets) -> Zeroizing<Vec<u8>> {
    let entries = || secrets.values().flatten();
    // As long as it can get, because a text that grew would leave copies behind.
    let len: usize = entries().map(|(name, value)| name.len() + 6 * value.reveal().as_bytes().len() + 16).sum();
    let mut text = Zeroizing::new(String::with_capacity(len + 256 * secrets.len()));
    for (namespace, entries) in secrets.iter().filter(|(_, entries)| !entries.is_empty()) {
        text.push_str(&format!("[{}.{}]\n", namespace.app().unwrap_or(SHARED), namespace.name()));
        for (name, value) in entries {
            text.push_str(name);
            text.push_str(" = ");
            write_value(value, &mut text);
            text.push('\n');
        }
    }
    Zeroizing::new(std::mem::take(&mut *text).into_bytes())
}

fn write_value(value: &Value, out: &mut String) {
    match value.reveal() {
        Revealed::Text(text) => {
            out.push('"');
            for c in text.chars() {
                match c {
                    '"' | '\\' => out.extend(['\\', c]),
                    c if c.is_control() => {
                        out.push_str("\\u");
                        (0..4).rev().for_each(|digit| out.push(hex_digit(c as u32 >> (4 * digit))));
                    }
                    c => out.push(c),
                }
            }
            out.push('"');
        }
        Revealed::Bytes(bytes) => {
            out.push_str("{ hex = \"");
            bytes.iter().for_each(|byte| out.extend([hex_digit(u32::from(byte >> 4)), hex_digit(u32::from(*byte))]));
            out.push_str("\" }");
        }
    }
}

fn hex_digit(number: u32) -> char {
    char::from_digit(number & 0xf, 16).expect("four bits are one digit")
}

fn unhex(text: &str) -> Option<Zeroizing<Vec<u8>>> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    let byte = |[high, low]: &[u8; 2]| u8::try_from(digit(*high)? << 4 | digit(*low)?).ok();
    let bytes = Zeroizing::new(pairs.iter().map(byte).collect::<Option<Vec<u8>>>()?);
    rest.is_empty().then_some(bytes)
}

fn line(text: &[u8], at: usize) -> usize {
    1 + text[..at.min(text.len())].iter().filter(|byte| **byte == b'\n').count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(bytes: &[u8]) -> Value {
        Value::bytes(bytes.to_vec().into())
    }

    #[test]
    fn every_value_is_read_as_it_was_written() {
        let mut secrets = Secrets::new();
        let all: String = (0..0x800).filter_map(char::from_u32).chain(['\u{2028}', '😀']).collect();
        let own = secrets.entry(Namespace::own("shop", "default")).or_default();
        own.insert("empty".into(), value(b""));
        own.insert("every-character".into(), value(all.as_bytes()));
        own.insert("bytes".into(), value(&(0..=255).collect::<Vec<u8>>()));
        secrets.entry(Namespace::shared("default")).or_default().insert("a_b".into(), value(b"x"));
        let text = write(&secrets);
        let again = read(&text).unwrap();
        for (namespace, entries) in &secrets {
            for (name, value) in entries {
                assert!(again[namespace][name].reveal() == value.reveal(), "{namespace} {name}");
            }
        }
        assert_eq!(again.len(), secrets.len());
    }

    #[test]
    fn what_is_wrong_is_told_without_the_text() {
        for (text, expected) in [
            ("[a.b]\nx = \"\u{7f}hunter2\"", (2, "is not valid TOML")),
            ("[a.b]\nx = hunter2", (2, "is not valid TOML")),
            ("a = \"hunter2\"", (1, "is no table of an app")),
            ("[a]\nb = \"hunter2\"", (2, "is no table of a label")),
            ("[a.hunter.b]\n\nc = 1", (1, "has a value that is neither a text nor `{ hex = \"…\" }`")),
            ("[a.b]\nc = { hex = \"f\" }", (2, "has a value that is neither a text nor `{ hex = \"…\" }`")),
            ("[a.b]\nC = \"hunter2\"", (2, "has a name that is none of a secret")),
        ] {
            assert_eq!(read(text.as_bytes()).unwrap_err(), expected, "{text}");
        }
        assert_eq!(read(b"[a.b]\n\xff").unwrap_err(), (2, "is not UTF-8"));
    }
}
