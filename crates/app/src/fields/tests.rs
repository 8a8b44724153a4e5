use super::{FIELDS, Kind, children, json_schema, reference_markdown};
use crate::{Limits, parse};

#[test]
fn each_table_comes_before_its_keys_and_each_key_once() {
    for (at, field) in FIELDS.iter().enumerate() {
        let (table, key) = field.split();
        let table = table.strip_suffix(".*").unwrap_or(table);
        assert!(table.is_empty() || FIELDS[..at].iter().any(|before| before.path == table), "{}", field.path);
        assert_eq!(children(field.split().0).filter(|other| other.split().1 == key).count(), 1, "{}", field.path);
        assert!(field.doc.ends_with('.'), "{}", field.path);
    }
}

/// Returns a manifest in which the key has a value, and that is otherwise sound where the key allows it.
fn manifest_with(path: &str, value: &str) -> (String, std::ops::Range<usize>) {
    let mut text = String::from("name = \"n\"\n");
    let (table, key) = path.rsplit_once('.').unwrap_or(("", path));
    let table = table.replace('*', "a");
    let (start, end) = match table.as_str() {
        "" if key == "name" => {
            text.clear();
            (String::new(), "")
        }
        "" => (String::new(), ""),
        "trigger.http" => ("[[trigger.http]]\n".to_owned(), ""),
        "component.a.grants.files" => ("[component.a.grants]\nfiles = [{ ".to_owned(), " }]"),
        "trigger.http.route" => ("[[trigger.http]]\nroute = { ".to_owned(), " }"),
        "trigger.http.static" => ("[[trigger.http]]\nstatic = { ".to_owned(), " }"),
        table => (format!("[{table}]\n"), ""),
    };
    text.push_str(&format!("{start}{key} = "));
    let span = text.len()..text.len() + value.len();
    text.push_str(&format!("{value}{end}\n"));
    (text, span)
}

#[test]
fn the_parser_reads_every_field() {
    for field in FIELDS {
        let (text, span) = manifest_with(field.path, "1979-05-27");
        let (app, problems) = parse(&text);
        let near = |problem: &&crate::Problem| {
            problem.span == span || (problem.span.end < span.start && text[problem.span.end..span.start].trim() == "=")
        };
        assert!(problems.iter().any(|problem| near(&problem)), "{}:\n{text}{problems:#?}", field.path);
        assert!(app.is_none());
        assert!(!problems.iter().any(|problem| problem.code == crate::codes::UNKNOWN_KEY), "{}", field.path);
    }
}

#[test]
fn the_defaults_are_those_of_the_code() {
    let mut text = String::from("name = \"n\"\n[component.a]\nsource = \"a.wasm\"\nreuse = \"never\"\n");
    for (table, keys) in [("limits", children("component.*.limits"))] {
        text.push_str(&format!("[component.a.{table}]\n"));
        // What is absent without a word has no default to write.
        for field in keys.into_iter().filter(|field| !field.default.is_empty()) {
            text.push_str(&format!("{} = {}\n", field.split().1, field.default));
        }
    }
    let (app, problems) = parse(&text);
    assert_eq!(problems, []);
    assert_eq!(app.unwrap().components[0].limits, Limits::default());
}

#[test]
fn the_reference_names_every_field() {
    let page = reference_markdown();
    for field in FIELDS {
        assert!(page.contains(&format!("`{}`", field.split().1)) || page.contains(&field.path.replace('*', "NAME")));
    }
    assert!(page.contains("## `[component.NAME.limits]`\n") && page.contains("## `[[trigger.http]]`\n"), "{page}");
    assert!(page.contains("| `memory` | size, as in `\"64MiB\"` | `\"128MiB\"` | Memories"), "{page}");
}

#[test]
fn the_schema_has_every_field() {
    let schema = json_schema();
    for field in FIELDS {
        let mut at = &schema;
        for part in field.path.split('.') {
            let table = ["/anyOf/1", "/items/anyOf/1", "/items"].iter().find_map(|p| at.pointer(p)).unwrap_or(at);
            at = if part == "*" { &table["additionalProperties"] } else { &table["properties"][part] };
        }
        assert!(at["description"].is_string(), "{}", field.path);
        assert_eq!(at.get("default").is_some(), !field.default.is_empty(), "{}", field.path);
    }
    assert_eq!(schema["required"], serde_json::json!(["name"]));
    assert!(FIELDS.iter().all(|field| field.kind != Kind::Any || field.later));
}
