//! `wharf wit`: interfaces that are printed, checked and compared.

use crate::support::wharf;
use serde_json::Value;
use wharf_testkit::{App, guest};

fn package(files: &[(&str, &str)]) -> App {
    let app = App::empty();
    for (name, text) in files {
        let path = app.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    app
}

#[test]
fn prints_what_a_component_and_what_a_folder_says() {
    let component = guest("calculator").display().to_string();
    let text = wharf().run(["wit", "print", &component]).well().stdout;
    assert!(text.contains("export docs:calculator/ops@0.1.0;"), "{text}");
    let app = package(&[
        ("wit/a.wit", "package a:b;\nworld w { import c:d/i; }\ninterface mine {}\n"),
        ("wit/deps/c.wit", "package c:d;\ninterface i { f: func(); }\n"),
    ]);
    let folder = app.path("wit").display().to_string();
    let text = wharf().run(["wit", "print", &folder, "--world", "w"]).well().stdout;
    assert!(text.contains("f: func();") && !text.contains("mine"), "{text}");
    let value: Value = serde_json::from_str(&wharf().run(["wit", "print", &folder, "--json"]).well().stdout).unwrap();
    assert_eq!(value["worlds"][0]["name"], "w");
    wharf()
        .run(["wit", "print", &folder, "--interface", "nothing"])
        .badly(2, &["has no interface nothing", "a:b/mine"]);
    wharf().run(["wit", "print", "/no/such"]).badly(2, &["there is no /no/such"]);
}

#[test]
fn checks_a_package_and_tells_every_mistake() {
    let app = package(&[
        ("wit/a.wit", "package a:b;\ninterface i { f: func(a: nothing); }\nworld w { import c:d/i@1.0.0; }\n"),
        ("wit/deps/c/c.wit", "package c:d@1.1.0;\ninterface i {}\n"),
    ]);
    let folder = app.path("wit").display().to_string();
    wharf()
        .run(["wit", "check", &folder])
        .badly(2, &["WHARF-0201", "a.wit:2:", "WHARF-0202", "a.wit:3:", "`c:d@1.1.0` is there", "2 errors"]);
    app.write("wit/a.wit", "package a:b;\ninterface i {}\n");
    let said = wharf().run(["wit", "check", &folder]).well();
    assert!(said.stderr.contains("warning[WHARF-0204]"), "{}", said.stderr);
    app.write("wit/a.wit", "package a:b;\nworld w { import c:d/i@1.1.0; }\n");
    assert!(wharf().run(["wit", "check", &folder]).well().stderr.contains("nothing is wrong"));
    wharf()
        .run(["wit", "check", &app.folder().display().to_string()])
        .badly(2, &["there is no .wit file", "did you mean"]);
}

#[test]
fn compares_packages_and_components() {
    let app = package(&[
        ("old.wit", "package a:b@1.0.0;\ninterface i { f: func(); }\n"),
        ("new.wit", "package a:b@1.1.0;\ninterface i { g: func(); }\n"),
    ]);
    let (old, new) = (app.path("old.wit").display().to_string(), app.path("new.wit").display().to_string());
    let ended = wharf().run(["wit", "diff", &old, &new]);
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    assert!(
        ended.stdout.contains("- f: func()   breaks callers") && ended.stdout.contains("at least 2.0.0"),
        "{}",
        ended.stdout
    );
    let value: Value = serde_json::from_str(&wharf().run(["wit", "diff", &new, &new, "--json"]).well().stdout).unwrap();
    assert_eq!((value["groups"].as_array().unwrap().len(), &value["verdict"]["is_enough"]), (0, &Value::Bool(true)));
    let (hello, calculator) = (guest("hello").display().to_string(), guest("calculator").display().to_string());
    let text = wharf().run(["wit", "diff", &hello, &calculator]).well().stdout;
    assert!(text.contains("+ export docs:calculator/ops@0.1.0") && text.contains("breaks hosts"), "{text}");
    assert_eq!(wharf().run(["wit", "diff", &hello, &hello]).well().stdout, "nothing changed\n");
    wharf().run(["wit", "diff", &hello, &old]).badly(2, &["compare two components, or two packages"]);
}
