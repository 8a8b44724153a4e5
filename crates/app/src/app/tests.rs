use super::{App, Source, Target, check_name, valid_name_from};

#[test]
fn makes_a_valid_name_of_any_file_stem() {
    for (text, name) in [
        ("hello", "hello"),
        ("Hello World", "hello-world"),
        ("my_app.debug", "my-app-debug"),
        ("9lives", "lives"),
        ("--x--", "x"),
        ("日本", "app"),
        ("", "app"),
    ] {
        assert_eq!(valid_name_from(text), name, "{text:?}");
        assert_eq!(check_name(name), Ok(()));
    }
    assert_eq!(valid_name_from(&"a".repeat(80)).len(), 63);
    assert_eq!(check_name(&valid_name_from(&"a-".repeat(80))), Ok(()));
}

#[test]
fn a_bare_component_answers_everything() {
    let app = App::implicit("Hello.World", "out/hello.wasm");
    assert_eq!(app.name, "hello-world");
    assert_eq!(app.component("hello-world").unwrap().source, Source::File("out/hello.wasm".into()));
    assert_eq!(app.http[0].target, Target::Component("hello-world".into()));
    assert_eq!(app.http[0].route.as_ref().unwrap().path.as_str(), "/...");
}
