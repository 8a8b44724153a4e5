use super::*;

const APP: &str = r#"# The shop.
name = "shop"

[component.front]   # what people see
source = "front.wasm"

[[trigger.http]]
route = "/..."
component = "front"
"#;

const TEMPLATE: &str = r#"name = "api"
version = "0.1.0"

[component.api]
source = "target/api.wasm"
# Nothing yet.
grants = { files = ["data::/data", "/srv::/srv"] }

[component.api.build]
command = "make"
wit = "wit"
module = "core.wasm"

[component.api.dependencies]
"acme:auth" = { path = "auth.wasm" }

[[trigger.http]]
route = "/..."
component = "api"
"#;

const TEST: &str =
    "[[test]]\nname = \"a\"\nrequest = { method = \"GET\", path = \"/x\" } # c\n\n[[test]]\ncall = 'add(1)'\n";

fn file(path: &str, text: &str) -> Rendered {
    Rendered { path: path.to_owned(), bytes: text.as_bytes().to_vec(), executable: false }
}

fn added(app: &str, template: &str, route: Option<&str>) -> Result<String, String> {
    let files = vec![file("wharf.toml", template), file("src/a.c", "")];
    let addition = Addition { name: "api", folder: "parts/api", route };
    add_component(app, files, &addition).map(|(text, _)| text).map_err(|error| error.to_string())
}

#[test]
fn the_manifest_keeps_what_it_has_and_gets_the_component_with_its_paths_moved() {
    let expected = r#"# The shop.
name = "shop"

[component.front]   # what people see
source = "front.wasm"

[component.api]
source = "parts/api/target/api.wasm"
# Nothing yet.
grants = { files = ["parts/api/data::/data", "/srv::/srv"] }

[component.api.build]
command = "make"
wit = "wit"
module = "core.wasm"
dir = "parts/api"

[component.api.dependencies]
"acme:auth" = { path = "parts/api/auth.wasm" }

[[trigger.http]]
route = "/..."
component = "front"

[[trigger.http]]
route = "/api/..."
component = "api"
"#;
    assert_eq!(added(APP, TEMPLATE, None).as_deref(), Ok(expected));
}

#[test]
fn a_manifest_of_inline_tables_gets_it_too() {
    let app = "name = \"shop\"\ncomponent = { front = { source = \"f.wasm\" } }\ntrigger.http = [{ route = \"/\", component = \"front\" }]\n";
    let template = TEMPLATE;
    let text = added(app, template, Some("/v1/...")).unwrap();
    let (app, problems) = wharf_app::parse(&text);
    let app = app.unwrap_or_else(|| panic!("{text}\n{problems:?}"));
    assert_eq!(app.components.len(), 2, "{text}");
    assert!(text.contains("/v1/..."), "{text}");
}

#[test]
fn what_would_be_wrong_is_not_written() {
    let template = TEMPLATE;
    let twice = added(&APP.replace("component.front", "component.api"), template, None).unwrap_err();
    assert!(twice.contains("there is a component `api` already"), "{twice}");
    let conflict = added(APP, template, Some("/...")).unwrap_err();
    assert!(conflict.contains("with the new component it would be wrong"), "{conflict}");
    let broken = added("name = ", template, None).unwrap_err();
    assert!(broken.starts_with("wharf.toml: "), "{broken}");
    let empty = added(APP, "name = \"x\"", None).unwrap_err();
    assert!(empty.contains("no component"), "{empty}");
}

#[test]
fn files_move_below_the_folder_and_tests_stay_with_the_manifest() {
    let template = TEMPLATE;
    let files = vec![file("wharf.toml", template), file("src/a.c", "x"), file("tests/hello.toml", TEST)];
    let addition = Addition { name: "api", folder: "api", route: None };
    let (_, files) = add_component(APP, files, &addition).unwrap();
    let paths: Vec<&str> = files.iter().map(|file| file.path.as_str()).collect();
    assert_eq!(paths, ["api/src/a.c", "tests/api-hello.toml"]);
    let test = std::str::from_utf8(&files[1].bytes).unwrap();
    assert!(test.contains("path = \"/api/x\" } # c"), "{test}");
    assert!(test.contains("component = \"api\""), "{test}");
}
