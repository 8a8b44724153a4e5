//! `wharf new` and `wharf add`: what they write, and what they refuse. That scaffolds build and answer is in `quickstart_*`.

use crate::support::wharf;
use std::path::Path;
use std::process::Command;
use wharf_testkit::{App, Ended};

/// Runs the program in the folder of an app.
fn wharf_in(app: &App, args: &[&str]) -> Ended {
    wharf().run_in(app.folder(), args)
}

fn read(app: &App, file: &str) -> String {
    std::fs::read_to_string(app.path(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
}

#[test]
fn a_new_app_has_its_name_everywhere_and_says_what_to_do_next() {
    let app = App::empty();
    let ended = wharf_in(&app, &["new", "my-shop", "--lang", "rust"]).well();
    assert_eq!(ended.stdout, "");
    assert!(ended.stderr.contains("my-shop is in my-shop"), "{ended}");
    assert!(ended.stderr.contains("cd my-shop\n  wharf "), "{ended}");
    assert!(read(&app, "my-shop/Cargo.toml").contains("name = \"my-shop\""));
    assert!(read(&app, "my-shop/wharf.toml").contains("release/my_shop.wasm"));
    assert!(read(&app, "my-shop/.gitignore").contains("/target"));
    wharf_in(&app, &["new", "my-shop", "--lang", "rust"]).badly(2, &["my-shop already has", "--force"]);
    wharf_in(&app, &["new", "my-shop", "--lang", "rust", "--force"]).well();
}

#[test]
fn a_new_app_may_be_put_into_a_folder_that_is_there() {
    let app = App::empty();
    app.write("LICENSE", "mine");
    wharf_in(&app, &["new", "shop", "--template", "js-http", "--path", "."]).well();
    assert!(app.path("package.json").is_file());
    assert_eq!(read(&app, "LICENSE"), "mine");
}

#[test]
fn where_nobody_can_be_asked_the_templates_are_listed() {
    let app = App::empty();
    wharf_in(&app, &["new", "shop"]).badly(2, &["which template?", "rust-http", "python-http", "--template"]);
    assert!(!app.path("shop").exists());
}

#[test]
fn the_list_is_for_people_and_programs() {
    let text = wharf().run(["new", "--list"]).well().stdout;
    let json = wharf().run(["new", "--list", "--json"]).well().stdout;
    let list: serde_json::Value = serde_json::from_str(&json).unwrap();
    let names: Vec<&str> = list.as_array().unwrap().iter().map(|entry| entry["name"].as_str().unwrap()).collect();
    assert!(names.contains(&"rust-http") && names.contains(&"python-http-p3"), "{names:?}");
    for name in names {
        assert!(text.contains(name), "{name} is not in {text}");
    }
}

#[test]
fn wrong_names_get_the_right_ones() {
    let app = App::empty();
    wharf_in(&app, &["new", "shop", "--template", "rust-htpp"]).badly(2, &["no template `rust-htpp`", "`rust-http`"]);
    wharf_in(&app, &["new", "shop", "--template", "cobol"]).badly(2, &["no template `cobol`", "js-http"]);
    wharf_in(&app, &["new", "My Shop", "--lang", "rust"]).badly(2, &["`My Shop`", "`my-shop` would do"]);
    wharf_in(&app, &["new", "shop", "--lang", "rust", "--wasi", "0.4"]).badly(2, &["WASI 0.4", "rust-http-p3"]);
    wharf_in(&app, &["new", "shop", "--template", "./none"]).badly(2, &["none/template.toml"]);
    wharf_in(&app, &["new", "shop", "--lang", "rust", "--set", "a=b"]).badly(2, &["no variable `a`"]);
    assert!(!app.path("shop").exists());
}

const MANIFEST: &str = "name = \"town\" # ours\n\n[component.front]\nsource = \"front.wasm\"\n\n\
    [[trigger.http]]\nroute = \"/...\"\ncomponent = \"front\" # everything else\n";

#[test]
fn a_component_is_added_and_the_manifest_keeps_its_comments() {
    let app = App::empty();
    app.write("wharf.toml", MANIFEST);
    wharf_in(&app, &["add", "api", "--lang", "python"]).well();
    let manifest = read(&app, "wharf.toml");
    for kept in ["name = \"town\" # ours", "component = \"front\" # everything else"] {
        assert!(manifest.contains(kept), "{manifest}");
    }
    for new in ["[component.api]", "source = \"api/api.wasm\"", "dir = \"api\"", "route = \"/api/...\""] {
        assert!(manifest.contains(new), "{new} is not in {manifest}");
    }
    assert!(app.path("api/app.py").is_file());
    assert!(!app.path("api/wharf.toml").exists());
    assert!(read(&app, "tests/api-hello.toml").contains("path = \"/api/\""));
    wharf_in(&app, &["add", "api", "--lang", "rust"]).badly(2, &["there is a component `api` already"]);
    wharf_in(&app, &["add", "v2", "--lang", "rust", "--path", "services/v2", "--route", "/v2/:id"]).well();
    assert!(read(&app, "wharf.toml").contains("source = \"services/v2/target/wasm32-wasip2/release/v2.wasm\""));
    assert!(read(&app, "wharf.toml").contains("route = \"/v2/:id\""));
}

#[test]
fn what_cannot_be_added_leaves_the_app_as_it_is() {
    let app = App::empty();
    wharf_in(&app, &["add", "api", "--lang", "python"]).badly(2, &["wharf.toml", "`wharf new` begins one"]);
    app.write("wharf.toml", MANIFEST);
    wharf_in(&app, &["add", "api", "--lang", "rust", "--route", "/..."]).badly(2, &["it would be wrong"]);
    wharf_in(&app, &["add", "api", "--lang", "rust", "--path", "../api"]).badly(2, &["out of the folder"]);
    app.write("tests", "a file where the folder of tests should be");
    let ended = wharf_in(&app, &["add", "api", "--lang", "rust"]);
    assert_eq!(ended.code, Some(2), "{ended}");
    assert_eq!(read(&app, "wharf.toml"), MANIFEST);
}

fn template(folder: &Path, files: &[(&str, &str)]) {
    let head = "description = \"Ours\"\nlanguage = \"lua\"\nkind = \"http\"\nwasi = \"0.2\"\nnext = [\"make {{ name }}\"]\n\
        [variables.port]\ndescription = \"The port\"\ndefault = \"80\"\n";
    let manifest = "name = \"{{ name }}\"\n[component.{{ name }}]\nsource = \"{{ name }}-{{ port }}.wasm\"\n";
    for (path, text) in [("template.toml", head), ("wharf.toml", manifest)].iter().chain(files) {
        std::fs::create_dir_all(folder.join(path).parent().unwrap()).unwrap();
        std::fs::write(folder.join(path), text).unwrap();
    }
}

#[test]
fn templates_of_others_come_from_folders_and_git() {
    let app = App::empty();
    let repository = app.path("repository");
    template(&repository.join("inner"), &[("src/{{ name }}.lua", "-- {{ name }}")]);
    let ended = wharf_in(&app, &["new", "one", "--template", "./repository/inner", "--set", "port=81"]).well();
    assert!(ended.stderr.contains("make one"), "{ended}");
    assert!(read(&app, "one/wharf.toml").contains("one-81.wasm"));
    assert_eq!(read(&app, "one/src/one.lua"), "-- one");

    let git = |args: &[&str]| {
        let identity = ["-c", "user.name=t", "-c", "user.email=t@localhost", "-c", "init.defaultBranch=main"];
        let status = Command::new("git").args(identity).args(args).current_dir(&repository).status();
        assert!(status.unwrap().success(), "git {args:?}");
    };
    git(&["init", "--quiet"]);
    git(&["add", "."]);
    git(&["commit", "--quiet", "--message", "one"]);
    git(&["tag", "v1"]);
    let url = format!("git+file://{}@v1#inner", repository.display());
    wharf_in(&app, &["new", "two", "--template", &url]).well();
    assert!(read(&app, "two/wharf.toml").contains("two-80.wasm"));
    assert!(!app.path("two/.git").exists());
    let url = format!("git+file://{}@v2#inner", repository.display());
    wharf_in(&app, &["new", "three", "--template", &url]).badly(2, &["cannot clone"]);
    wharf_in(&app, &["new", "three", "--template", "https://a.example/b"]).badly(2, &["git+"]);
}

#[test]
fn a_hostile_template_writes_nothing_outside_of_its_folder() {
    let app = App::empty();
    template(&app.path("evil"), &[("{{ port }}", "x")]);
    for place in ["../escaped", "/tmp/escaped", "a/../../escaped", ".git/hooks/post-checkout"] {
        let set = format!("port={place}");
        wharf_in(&app, &["new", "shop", "--template", "./evil", "--set", &set]).badly(2, &["the template's file"]);
    }
    assert!(!app.path("shop").exists() && !app.path("escaped").exists());
    std::os::unix::fs::symlink(app.folder(), app.path("evil/link")).unwrap();
    wharf_in(&app, &["new", "shop", "--template", "./evil"]).badly(2, &["is a link or a device"]);
}

#[test]
fn bindings_are_written_where_the_sources_are() {
    let app = App::empty();
    wharf_in(&app, &["new", "shop", "--lang", "c"]).well();
    wharf_in(&app, &["wit", "bindings", "c", "--wit", "shop/wit", "--out", "shop/gen"]).well();
    assert!(read(&app, "shop/gen/http.h").contains("exports_wasi_http_incoming_handler_handle"));
    let go = ["wit", "bindings", "go", "--wit", "shop/wit", "--out", "shop/gen"];
    wharf_in(&app, &go).badly(2, &["there is no go.mod above shop/gen", "go mod init"]);
    app.write("go.mod", "module town\n");
    wharf_in(&app, &go).well();
    assert!(read(&app, "shop/gen/wit_exports/wit_exports.go").contains("\"town/shop/gen/wasi_http_types\""));
    wharf_in(&app, &["wit", "bindings", "c", "--wit", "none"]).badly(2, &["cannot read the WIT in none"]);
}
