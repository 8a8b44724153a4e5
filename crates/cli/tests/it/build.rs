//! `wharf build`: components, their checks, and `wharf.lock`.

use crate::support::wharf;
use std::path::Path;
use wharf_testkit::{App, Ended, guest};

/// An app of one component that copies a guest; `command` and `more` take part in its build.
fn app(command: &str, more: &str) -> App {
    let app = App::empty();
    write_manifest(&app, command, more);
    app
}

fn write_manifest(app: &App, command: &str, more: &str) {
    app.write(
        "wharf.toml",
        format!(
            "name = \"shop\"\n[component.web]\nsource = \"web.wasm\"\n\
             build = {{ command = '''{command}''', watch = [\"*.src\"]{more} }}\n\
             [[trigger.http]]\nroute = \"/...\"\ncomponent = \"web\"\n"
        ),
    );
}

fn copy(name: &str, to: &str) -> String {
    format!("cp {} {to}", guest(name).display())
}

fn build(app: &App, flags: &str) -> Ended {
    let folder = app.folder().display().to_string();
    let args = ["build", folder.as_str()].into_iter().chain(flags.split_whitespace());
    wharf().run(args)
}

fn lock(app: &App) -> String {
    std::fs::read_to_string(app.path("wharf.lock")).unwrap_or_default()
}

#[test]
fn what_is_built_is_written_down_and_held() {
    let app = app(&copy("hello", "web.wasm"), "");
    let first = build(&app, "").well();
    assert!(first.stderr.contains("building web: cp ") && first.stderr.contains("built web in "), "{first}");
    assert!(lock(&app).contains("[component.web]\ndigest = \"sha256:"), "{}", lock(&app));
    let written = lock(&app);
    let second = build(&app, "--locked").well();
    assert!(second.stderr.contains("shop is up to date") && !second.stderr.contains("building"), "{second}");
    assert!(build(&app, "--force").well().stderr.contains("built web in "));

    write_manifest(&app, &copy("hello-p3", "web.wasm"), "");
    build(&app, "--force --locked").badly(1, &["WHARF-0066", "wharf.lock is out of date", "web is sha256:"]);
    assert_eq!(lock(&app), written);
    build(&app, "").well();
    assert_ne!(lock(&app), written);
    build(&app, "--locked").well();
    app.write("wharf.lock", "<<<<<<< HEAD\n");
    build(&app, "").badly(1, &["WHARF-0065", "remove it"]);
}

#[test]
fn machines_get_one_object_on_stdout() {
    let app = app(&copy("hello", "web.wasm"), "");
    let ended = build(&app, "--json").well();
    let value: serde_json::Value = serde_json::from_str(&ended.stdout).unwrap();
    assert_eq!((&value["app"], &value["components"][0]["name"]), (&"shop".into(), &"web".into()));
    assert_eq!(value["components"][0]["built"], true);
    let size = std::fs::metadata(app.path("web.wasm")).unwrap().len();
    assert_eq!(value["components"][0]["size_bytes"], size);
    assert!(lock(&app).contains(value["components"][0]["digest"].as_str().unwrap()));
    let again: serde_json::Value = serde_json::from_str(&build(&app, "--json").well().stdout).unwrap();
    assert_eq!(again["components"][0]["built"], false);
}

#[test]
fn what_a_command_says_is_shown_when_it_fails_or_on_request() {
    let quiet = app(&format!("echo thinking; {}", copy("hello", "web.wasm")), "");
    assert!(!build(&quiet, "").well().stderr.contains("web: thinking"));
    assert!(build(&quiet, "--force -v").well().stderr.contains("web: thinking"));
    let app = app("echo line 3: a mistake; exit 4", "");
    build(&app, "").badly(1, &["line 3: a mistake", "[WHARF-0060] the build of web failed", "exit 4"]);
    assert_eq!(lock(&app), "");
}

#[test]
fn a_missing_tool_is_named_with_what_installs_it() {
    let tool = |text: &str| build(&app(&format!("echo 'sh: 1: {text}: not found' >&2; exit 127"), ""), "");
    tool("jco").badly(1, &["WHARF-0061", "needs jco", "npm install"]);
    tool("componentize-py").badly(1, &["needs componentize-py", "pip install"]);
    tool("frobnicate").badly(1, &["needs frobnicate", "search path"]);
}

#[test]
fn a_command_that_hangs_or_writes_nothing_is_an_error() {
    build(&app("echo waiting; sleep 600", ", timeout = \"1s\""), "").badly(1, &["WHARF-0062", "waiting", "timeout"]);
    build(&app("true", ""), "").badly(1, &["WHARF-0063", "wrote no", "web.wasm", "`source`"]);
    build(&app("true", ", module = \"core.wasm\""), "").badly(1, &["WHARF-0063", "core.wasm", "`module`"]);
    build(&app("echo text > web.wasm", ""), "").badly(1, &["WHARF-0063", "this is text"]);
}

#[test]
fn a_core_module_becomes_a_component() {
    let app = app(&copy("args-p1", "core.wasm"), ", module = \"core.wasm\"");
    // It is a command: a component, and none that serves.
    build(&app, "").badly(2, &["WHARF-0003", "wharf.toml:3", "is a command"]);
    let inspected = wharf().run([Path::new("inspect"), &app.path("web.wasm")]).well();
    assert!(inspected.stdout.contains("wasi:cli/run@0.2"), "{inspected}");
    assert!(inspected.stdout.starts_with("component") || inspected.stdout.contains("component"), "{inspected}");
    let ran = wharf().run([Path::new("run"), &app.path("web.wasm"), Path::new("one")]).well();
    assert!(ran.stdout.contains("one"), "{ran}");
}

#[test]
fn a_module_without_a_world_gets_that_of_the_manifest() {
    let app = App::empty();
    std::fs::create_dir(app.path("wit")).unwrap();
    app.write("wit/w.wit", "package t:t;\nworld w { export add: func(a: u32, b: u32) -> u32; }\n");
    // (module (func (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1))))
    let module = b"\0asm\x01\0\0\0\x01\x07\x01\x60\x02\x7f\x7f\x01\x7f\x03\x02\x01\0\x07\x07\x01\x03add\0\0\x0a\x09\x01\x07\0\x20\0\x20\x01\x6a\x0b";
    app.write("core.bin", module);
    let manifest = |more: &str| {
        let build = format!("{{ command = \"cp core.bin core.wasm\", module = \"core.wasm\"{more} }}");
        app.write("wharf.toml", format!("name = \"math\"\n[component.add]\nsource = \"add.wasm\"\nbuild = {build}\n"));
    };
    manifest("");
    build(&app, "").badly(1, &["WHARF-0064", "carries no world", "`wit` and `world`"]);
    manifest(", wit = \"wit\", world = \"other\"");
    build(&app, "").badly(1, &["WHARF-0064", "other"]);
    manifest(", wit = \"wit\", world = \"w\"");
    build(&app, "").well();
    let called = wharf().run(["call", app.path("add.wasm").to_str().unwrap(), "add(1, 2)"]).well();
    assert_eq!(called.stdout, "3\n");
}

#[test]
fn components_are_chosen_by_name() {
    let app = App::empty();
    let component =
        |name: &str, command: &str| format!("[component.{name}]\nsource = \"{name}.wasm\"\nbuild = '''{command}'''\n");
    let parts = component("a", &copy("hello", "a.wasm")) + &component("b", "exit 1");
    app.write("wharf.toml", format!("name = \"two\"\n{parts}"));
    build(&app, "--component a").well();
    assert!(app.path("a.wasm").is_file());
    build(&app, "--component c").badly(2, &["no component `c`", "a, b"]);
    build(&app, "").badly(1, &["the build of b failed"]);
    let bare = wharf().run([Path::new("build"), &guest("hello")]);
    bare.badly(2, &["nothing to build", "wharf.toml"]);
}
