use super::*;

/// A folder with this world in it.
fn wit(text: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("world.wit"), text).unwrap();
    folder
}

const GREETER: &str = "package local:app;\ninterface greeter { greet: func(name: string) -> string; }\n\
    world app { export greeter; }\nworld other { import greeter; }\n";

fn paths(bindings: &Bindings, world: &str) -> Vec<String> {
    let files = bindings.generate(wit(GREETER).path(), Some(world)).unwrap();
    files.into_iter().map(|file| file.path).collect()
}

#[test]
fn c_gets_a_header_a_source_and_an_object() {
    assert_eq!(paths(&Bindings::C, "app"), ["app.c", "app.h", "app_component_type.o"]);
}

#[test]
fn go_gets_packages_of_its_module_and_the_library_that_they_call() {
    let go = Bindings::go("// a comment\nmodule example.org/app // the module\n\ngo 1.25\n", "gen").unwrap();
    let files = go.generate(wit(GREETER).path(), Some("app")).unwrap();
    let exports = files.iter().find(|file| file.path == "wit_exports/wit_exports.go").unwrap();
    let text = std::str::from_utf8(&exports.bytes).unwrap();
    assert!(text.contains("\"example.org/app/export_local_app_greeter\""), "{text}");
    for path in ["runtime/go.mod", "runtime/LICENSE", "runtime/wit/runtime/runtime.go"] {
        assert!(files.iter().any(|file| file.path == path), "{path}");
    }
    for go_mod in ["", "go 1.25", "module ", "module a;b"] {
        assert!(Bindings::go(go_mod, "gen").is_err(), "{go_mod:?}");
    }
}

#[test]
fn what_is_wrong_with_the_wit_is_told() {
    let error = |text: &str, world: Option<&str>| {
        Bindings::C.generate(wit(text).path(), world).map(|_| ()).unwrap_err().to_string()
    };
    assert!(error(GREETER, Some("none")).contains("none"));
    assert!(error(GREETER, None).contains("world"), "there are two of them");
    assert!(error("package local:app;\nworld app { import wasi:http/types; }", None).contains("wasi:http"));
    let broken = error("world {", None);
    assert!(broken.contains("expected an identifier"), "{broken}");
    assert!(Bindings::C.generate(Path::new("nowhere"), None).is_err());
}

#[test]
fn what_the_generator_does_not_know_is_an_error() {
    let text = "package local:app;\nworld app { export f: func(e: error-context); }";
    for bindings in [Bindings::C, Bindings::go("module a", "gen").unwrap()] {
        let made = bindings.generate(wit(text).path(), Some("app"));
        assert!(matches!(made, Err(Error::Bindings { .. })), "{:?}", made.map(|files| files.len()));
    }
}
