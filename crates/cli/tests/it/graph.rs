//! `wharf inspect --graph`: who calls whom in an app.

use crate::support::wharf;
use serde_json::Value;
use wharf_testkit::App;

fn app() -> App {
    App::new(
        "name = \"shop\"\n[component.web]\nsource = \"@hello\"\n[component.odd]\nsource = \"@unknown-import\"\n\
         [component.later]\nsource = \"not-built.wasm\"\ngrants = { keyvalue = [\"default\"] }\n\
         [[trigger.http]]\nroute = \"/...\"\ncomponent = \"web\"\n",
    )
}

#[test]
fn an_app_is_shown_as_text_and_as_json() {
    let app = app();
    let folder = app.folder().display().to_string();
    let ended = wharf().run(["inspect", "--graph", &folder]).well();
    for said in ["/... ─▶ web", "acme:missing/thing@1.0.0   (nothing satisfies it)", "└─ keyvalue default"] {
        assert!(ended.stdout.contains(said), "{said:?} is missing in:\n{}", ended.stdout);
    }
    assert!(ended.stderr.contains("later: not-built.wasm is not there"), "{}", ended.stderr);
    let value: Value =
        serde_json::from_str(&wharf().run(["inspect", "--graph", "--json", &folder]).well().stdout).unwrap();
    assert!(value["nodes"].as_array().unwrap().iter().any(|node| node["kind"] == "missing"), "{value}");
}

#[test]
fn an_app_is_drawn() {
    let app = app();
    let (folder, file) = (app.folder().display().to_string(), app.path("graph.svg").display().to_string());
    wharf().run(["inspect", "--graph", &folder, "--svg", &file]).well();
    let drawn = std::fs::read_to_string(&file).unwrap();
    assert!(drawn.starts_with("<svg ") && drawn.contains(">keyvalue default</text>"), "{drawn}");
    assert_eq!(wharf().run(["inspect", "--graph", &folder, "--svg", "-"]).well().stdout, drawn);
    wharf().run(["inspect", "--graph", &folder, "--svg", "/no/such/folder/x.svg"]).badly(1, &["cannot write"]);
    wharf().run(["inspect", &folder, "--svg", &file]).badly(2, &["--graph"]);
}
