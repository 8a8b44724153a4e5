//! Differences between JSON values, by path; and values at a path.

use serde_json::Value;

/// Differences that are told; nobody reads more.
const DIFFERENCES_MAX: usize = 20;

/// Returns a line for each difference, such as `$.items[2].name: expected "a", got "b"`.
pub(crate) fn differences(expected: &Value, got: &Value) -> Vec<String> {
    let mut lines = Vec::new();
    compare("$", expected, got, &mut lines);
    if lines.len() > DIFFERENCES_MAX {
        let more = lines.len() - DIFFERENCES_MAX;
        lines.truncate(DIFFERENCES_MAX);
        lines.push(format!("… and {more} more differences"));
    }
    lines
}

/// Both are as deep as their parsers allow, which is little.
fn compare(path: &str, expected: &Value, got: &Value, lines: &mut Vec<String>) {
    match (expected, got) {
        (Value::Object(expected), Value::Object(got)) => {
            for (key, value) in expected {
                let path = member(path, key);
                match got.get(key) {
                    Some(got) => compare(&path, value, got, lines),
                    None => lines.push(format!("{path}: expected {}, and it is not there", brief(value))),
                }
            }
            let unexpected = got.iter().filter(|(key, _)| !expected.contains_key(*key));
            lines.extend(
                unexpected.map(|(key, value)| format!("{}: not expected, got {}", member(path, key), brief(value))),
            );
        }
        (Value::Array(expected), Value::Array(got)) => {
            for (index, (expected, got)) in expected.iter().zip(got).enumerate() {
                compare(&format!("{path}[{index}]"), expected, got, lines);
            }
            if expected.len() != got.len() {
                lines.push(format!("{path}: expected {} items, got {}", expected.len(), got.len()));
            }
        }
        (expected, got) if same(expected, got) => {}
        (expected, got) => lines.push(format!("{path}: expected {}, got {}", brief(expected), brief(got))),
    }
}

/// Numbers are the same if their values are: `1` and `1.0` are one number in JSON.
fn same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => one == other || one.as_f64() == other.as_f64(),
        _ => one == other,
    }
}

fn member(path: &str, key: &str) -> String {
    let is_plain = !key.is_empty() && key.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-');
    if is_plain { format!("{path}.{key}") } else { format!("{path}[{key:?}]") }
}

/// Returns a value as JSON, cut where it gets long.
pub(crate) fn brief(value: &Value) -> String {
    const CHARS_MAX: usize = 200;
    let text = value.to_string();
    match text.char_indices().nth(CHARS_MAX) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text,
    }
}

/// One part of a path.
#[derive(Debug, PartialEq, Eq)]
enum Part {
    Key(String),
    Index(usize),
}

/// Tells why a text is no path such as `items[0].name`, with or without `$.` before it.
pub(crate) fn check_path(path: &str) -> Result<(), &'static str> {
    parts(path).map(drop)
}

/// Returns what is at a path.
pub(crate) fn at<'a>(value: &'a Value, path: &str) -> Option<&'a Value> {
    parts(path).ok()?.iter().try_fold(value, |value, part| match part {
        Part::Key(key) => value.get(key),
        Part::Index(index) => value.get(index),
    })
}

fn parts(path: &str) -> Result<Vec<Part>, &'static str> {
    let mut rest = path.strip_prefix('$').unwrap_or(path);
    let mut parts = Vec::new();
    while !rest.is_empty() {
        if let Some(bracketed) = rest.strip_prefix('[') {
            let (inside, after) = match bracketed.strip_prefix('"') {
                Some(quoted) => {
                    let (key, after) = quoted.split_once("\"]").ok_or("`[\"` has no `\"]`")?;
                    (Part::Key(key.to_owned()), after)
                }
                None => {
                    let (index, after) = bracketed.split_once(']').ok_or("`[` has no `]`")?;
                    (Part::Index(index.parse().map_err(|_| "what is in `[…]` is a number or a quoted key")?), after)
                }
            };
            parts.push(inside);
            rest = after;
            continue;
        }
        rest = rest.strip_prefix('.').unwrap_or(rest);
        let end = rest.find(['.', '[']).unwrap_or(rest.len());
        if end == 0 {
            return Err("a key is missing");
        }
        parts.push(Part::Key(rest[..end].to_owned()));
        rest = &rest[end..];
    }
    Ok(parts)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn differences_are_told_by_path() {
        let expected = json!({ "id": 1, "items": [{ "a": "x" }, { "a": "y" }], "gone": null, "a b": 1 });
        let got = json!({ "id": 1.0, "items": [{ "a": "x" }, { "a": "z" }, 3], "new": [1], "a b": "1" });
        assert_eq!(
            differences(&expected, &got),
            [
                "$[\"a b\"]: expected 1, got \"1\"",
                "$.gone: expected null, and it is not there",
                "$.items[1].a: expected \"y\", got \"z\"",
                "$.items: expected 2 items, got 3",
                "$.new: not expected, got [1]",
            ]
        );
        assert_eq!(differences(&got, &got), [""; 0]);
    }

    #[test]
    fn many_differences_are_counted() {
        let (one, two): (Vec<i32>, Vec<i32>) = ((0..100).collect(), (1..101).collect());
        let lines = differences(&json!(one), &json!(two));
        assert_eq!((lines.len(), lines.last().unwrap().as_str()), (21, "… and 80 more differences"));
    }

    #[test]
    fn a_path_leads_to_a_value_or_nowhere() {
        let value = json!({ "items": [{ "name": "a" }], "a.b": { "c": 2 } });
        for (path, found) in [
            ("items[0].name", Some(json!("a"))),
            ("$.items[0].name", Some(json!("a"))),
            ("$", Some(value.clone())),
            ("[\"a.b\"].c", Some(json!(2))),
            ("items[1]", None),
            ("items.name", None),
            ("a..b", None),
            ("items[x]", None),
        ] {
            assert_eq!(at(&value, path), found.as_ref(), "{path}");
        }
        assert!(check_path("items[0").is_err() && check_path("a..b").is_err() && check_path("a.b[3][\"x\"]").is_ok());
    }
}
