//! Dependencies and middleware.

use super::{check, sound};
use crate::{GrantKind, Inherit, Link, Source, Supplier};

/// Three components, the first with `lines` as its dependencies.
fn app(lines: &str) -> String {
    let components = "[component.b]\nsource = \"b\"\n[component.c]\nsource = \"c\"\n";
    format!("name = \"n\"\n[component.a]\nsource = \"a\"\n[component.a.dependencies]\n{lines}\n{components}")
}

#[test]
fn a_dependency_has_a_supplier_and_a_way_to_be_joined() {
    let app = sound(&app("\"x:y/z@1.0.0\" = { component = \"b\" }\n\"x:w\" = { path = \"w.wasm\", inherit = true }\n\
         plain = { component = \"c\", link = \"isolated\", inherit = [\"http\", \"sql\"] }"));
    let found: Vec<_> = app.components[0].dependencies.iter().collect();
    assert_eq!(found.iter().map(|one| one.import.as_str()).collect::<Vec<_>>(), ["x:y/z@1.0.0", "x:w", "plain"]);
    assert_eq!(found[0].supplier, Supplier::Component("b".to_owned()));
    assert_eq!(found[1].supplier, Supplier::Source(Source::File("w.wasm".to_owned())));
    assert_eq!([found[0].link, found[1].link, found[2].link], [Link::Fused, Link::Isolated, Link::Isolated]);
    assert_eq!([&found[0].inherit, &found[1].inherit], [&Inherit::Nothing, &Inherit::Everything]);
    assert_eq!(found[2].inherit, Inherit::Only(vec![GrantKind::Http, GrantKind::Sql]));
}

#[test]
fn mistakes_in_dependencies_have_places() {
    check(
        &app("\"x:y/\" = { component = \"b\" }\n\"x:y\" = \"b\"\n\"x:z\" = {}\n\"x:v\" = { component = \"bb\", link = \"loose\" }\n\
             \"x:u\" = { component = \"b\", path = \"b.wasm\" }\n\"x:t\" = { component = \"b\", inherit = [\"htp\", \"nonsense\"] }"),
        "
5:1 0131 `x:y/` is no name of a package or an interface; write what the component imports, as in `\"acme:auth/check@1.0.0\"`
6:9 0102 `dependencies.\"x:y\"` has the wrong type; expected table, found a text; write `{ component = \"NAME\" }` or `{ path = \"FILE.wasm\" }`
7:9 0101 `dependencies.\"x:z\"` has no `component`; write `component = \"NAME\"`, `path = \"FILE.wasm\"`, or a `url` with its `digest`
8:23 0108 the app has no component `bb`; did you mean `b`?
8:36 0102 `link` is `\"fused\"` or `\"isolated\"`
9:28 0119 a dependency comes from one place; 9:23 the component of the app
10:39 0131 there are no grants `htp`; did you mean `http`?
10:46 0131 there are no grants `nonsense`; `inherit` names keys of `grants`: environment, files, http, net, keyvalue, sql, blobstore, messaging, config, secrets",
    );
}

#[test]
fn a_circle_is_reported_where_it_closes() {
    check(
        "name = \"n\"\n[component.a]\nsource = \"a\"\ndependencies.\"x:b\" = { component = \"b\" }\n[component.b]\nsource = \"b\"\n\
         dependencies.\"x:c\" = { component = \"c\" }\n[component.c]\nsource = \"c\"\ndependencies.\"x:b\" = { component = \"b\" }\n",
        "10:36 0132 components depend on each other in a circle: `b` → `c` → `b`; this closes it; \
         move what both need into a component that depends on neither",
    );
    check(
        &app("\"x:a\" = { component = \"a\" }"),
        "5:23 0132 components depend on each other in a circle: `a` → `a`; this closes it; \
         move what both need into a component that depends on neither",
    );
}

#[test]
fn a_long_chain_of_dependencies_is_no_circle() {
    let component = |at: usize| {
        format!("[component.c{at}]\nsource = \"a\"\ndependencies.\"x:y\" = {{ component = \"c{}\" }}\n", at + 1)
    };
    let chain: String = (0..5000).map(component).collect();
    sound(&format!("name = \"n\"\n{chain}[component.c5000]\nsource = \"a\"\n"));
}

#[test]
fn middleware_is_a_list_of_other_components() {
    let trigger = "[[trigger.http]]\nroute = \"/...\"\ncomponent = \"a\"\n";
    let app_with = |middleware: &str| format!("{}{trigger}middleware = {middleware}\n", app(""));
    let names = |app: &crate::App| app.http[0].middleware.iter().map(|one| one.component.clone()).collect::<Vec<_>>();
    assert_eq!(names(&sound(&app_with("[\"b\", \"c\"]"))), ["b", "c"]);
    check(
        &app_with("[\"b\", \"b\", \"d\", \"a\"]"),
        "
13:20 0123 a request would pass `b` twice; the second time; 13:15 here too
13:25 0108 the app has no component `d`; did you mean `a`?
13:30 0123 a request would pass `a` twice; the second time; 12:13 here too",
    );
}
