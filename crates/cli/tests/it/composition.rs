//! Dependencies: fused, and in instances of their own.

use crate::support::wharf;
use wharf_testkit::{App, Server, guest};

/// `front` serves everything and calls `shapes`, which it depends on as `dependency` says; `more` goes into the table of `shapes`.
fn manifest(dependency: &str, more: &str) -> String {
    format!(
        "name = \"shapes\"\n\
         [component.front]\nsource = \"@front\"\nlimits = {{ cpu = \"5s\", wall = \"20s\" }}\n\
         [component.front.grants]\nenvironment = {{ NAME = \"front\" }}\nkeyvalue = [\"default\"]\n\
         [component.front.dependencies]\n{dependency}\n\
         [component.shapes]\nsource = \"@shapes\"\nlimits = {{ cpu = \"200ms\", wall = \"10s\", memory = \"16MiB\" }}\n{more}\n\
         [[trigger.http]]\nroute = \"/...\"\ncomponent = \"front\"\n"
    )
}

fn up(dependency: &str, more: &str) -> Server {
    wharf().up(App::new(&manifest(dependency, more)).folder()).start()
}

#[track_caller]
fn check(server: &Server, path: &str, status: u16, expected: &str) {
    let answer = server.get("t", path);
    assert_eq!((answer.status(), answer.text().as_str()), (status, expected), "{path}\n{}", server.log());
}

const MIRRORED: &str = "([Shape::Nothing, Shape::At(Point { x: -1, y: 2 }), Shape::Circle(7)], \
                        Some((\"cba\", Colour::Green, Marks(A | C))))";

fn values_and_resources_cross(server: &Server) {
    check(server, "/add?a=2&b=40", 200, "42");
    check(server, "/mirror", 200, MIRRORED);
    check(server, "/checked?n=5", 200, "Ok(5)");
    check(server, "/checked?n=-5", 200, "Err(\"out of range integral type conversion attempted\")");
    check(server, "/counter", 200, "[2, 3, 15] 18");
    // One instance for all calls of a request, and a fresh one for the next.
    check(server, "/calls", 200, "1 2");
    check(server, "/calls", 200, "1 2");
}

#[test]
fn a_fused_dependency_shares_its_dependants_fate() {
    let server = up("\"test:shapes\" = { component = \"shapes\" }", "");
    values_and_resources_cross(&server);
    for path in ["/fail?how=panic", "/hard"] {
        assert_eq!(server.get("t", path).status(), 500, "{path}");
    }
    check(&server, "/add?a=1&b=1", 200, "2");
}

#[test]
fn an_isolated_dependency_fails_alone() {
    let server = up("\"test:shapes\" = { component = \"shapes\", link = \"isolated\" }", "");
    values_and_resources_cross(&server);
    let failed = |why: &str| format!("Err(\"the dependency shapes failed in `fail`: {why}\"), then Ok(\"fine\")");
    check(&server, "/fail?how=panic", 200, &failed("the component trapped"));
    check(&server, "/fail?how=loop", 200, &failed("the component used more than its 200ms of CPU time"));
    let answer = server.get("t", "/fail?how=memory").text();
    assert!(answer.contains("of memory, its limit is 16 MiB\"), then Ok(\"fine\")"), "{answer}");
    // An interface without an error has no way to tell it: the caller's invocation ends, and says whose fault it was.
    assert_eq!(server.get("t", "/hard").status(), 502);
    check(&server, "/add?a=1&b=1", 200, "2");
    server.logged("WHARF-0054: the dependency shapes failed in `fail-hard`: the component trapped");
    server.logged("WHARF-0030: the component trapped");
}

/// What `front` and `shapes` see of what is granted.
fn powers(dependency: &str, more: &str) -> (String, String) {
    let server = up(dependency, more);
    let get = |path: &str| server.get("t", path).text();
    (get("/env?name=NAME"), get("/count?key=k"))
}

#[test]
fn grants_are_per_component() {
    const OWN: &str = "[component.shapes.grants]\nenvironment = { NAME = \"shapes\" }\nkeyvalue = [\"default\"]";
    let pair = |env: &str, count: &str| (env.to_owned(), count.to_owned());
    for link in ["fused", "isolated"] {
        let with = |inherit: &str| {
            format!("\"test:shapes\" = {{ component = \"shapes\", link = \"{link}\", inherit = {inherit} }}")
        };
        let (alone, own) = (with("false"), pair("Some(\"front\") Some(\"shapes\")", "1"));
        assert_eq!(powers(&alone, ""), pair("Some(\"front\") None", "Error::AccessDenied"), "{link}");
        assert_eq!(powers(&alone, OWN), own, "{link}");
        assert_eq!(powers(&with("[\"keyvalue\"]"), ""), pair("Some(\"front\") None", "1"), "{link}");
        assert_eq!(powers(&with("true"), ""), pair("Some(\"front\") Some(\"front\")", "1"), "{link}");
    }
}

/// An app of two that may do the same to `shapes`, by way of `relay`, with grants of their own. `relay` stands after those that lend
/// it theirs, and is called by HTTP too.
fn lent(link: &str) -> Server {
    let mut manifest = "name = \"lent\"\n".to_owned();
    for name in ["one", "two"] {
        manifest.push_str(&format!(
            "[component.{name}]\nsource = \"@front\"\n\
             [component.{name}.grants]\nenvironment = {{ NAME = \"{name}\" }}\n\
             [component.{name}.dependencies]\n\
             \"test:shapes/api\" = {{ component = \"shapes\", link = \"{link}\" }}\n\
             \"test:shapes/powers\" = {{ component = \"relay\", link = \"{link}\", inherit = true }}\n\
             [[trigger.http]]\nhost = \"{name}.test\"\nroute = \"/...\"\ncomponent = \"{name}\"\n"
        ));
    }
    manifest.push_str(&format!(
        "[component.relay]\nsource = \"@relay\"\ngrants = {{ environment = {{ NAME = \"relay\" }} }}\n\
         [component.relay.dependencies]\n\"test:shapes\" = {{ component = \"shapes\", link = \"{link}\", inherit = true }}\n\
         [component.shapes]\nsource = \"@shapes\"\n\
         [[trigger.http]]\nhost = \"relay.test\"\nroute = \"/...\"\ncomponent = \"relay\"\n"
    ));
    wharf().up(App::new(&manifest).folder()).start()
}

#[test]
fn inherited_grants_are_those_of_the_one_that_calls() {
    for link in ["fused", "isolated"] {
        let server = lent(link);
        let env = |host: &str| server.get(host, "/env?name=NAME").text();
        assert_eq!(env("one.test"), "Some(\"one\") Some(\"one\")", "{link}");
        assert_eq!(env("two.test"), "Some(\"two\") Some(\"two\")", "{link}");
        assert_eq!(env("relay.test"), "Some(\"relay\")", "{link}");
    }
}

#[test]
fn two_versions_of_an_interface_come_from_two_files() {
    const BOTH: &str = "(component
        (import \"test:v/api@1.0.0\" (instance (export \"f\" (func (result u32)))))
        (import \"test:v/api@2.0.0\" (instance (export \"g\" (func (result u32)))))
        (core module $m (func (export \"h\") (result i32) i32.const 0))
        (core instance $i (instantiate $m))
        (func $h (result u32) (canon lift (core func $i \"h\")))
        (export \"h\" (func $h)))";
    let one = |version: &str, name: &str| {
        let text = format!(
            "(component
                (core module $m (func (export \"x\") (result i32) i32.const 0))
                (core instance $i (instantiate $m))
                (func $x (result u32) (canon lift (core func $i \"x\")))
                (instance $api (export \"{name}\" (func $x)))
                (export \"test:v/api@{version}\" (instance $api)))"
        );
        wat::parse_str(text).unwrap()
    };
    let both = "[component.both]\nsource = \"both.wasm\"\n[component.both.dependencies]\n\
                \"test:v/api@1.0.0\" = { path = \"one.wasm\" }\n\"test:v/api@2.0.0\" = { path = \"two.wasm\" }";
    let app = App::new(&manifest("\"test:shapes\" = { component = \"shapes\" }", both));
    app.write("both.wasm", wat::parse_str(BOTH).unwrap());
    app.write("one.wasm", one("1.0.0", "f"));
    app.write("two.wasm", one("2.0.0", "g"));
    let server = wharf().up(app.folder()).start();
    check(&server, "/add?a=2&b=40", 200, "42");
}

#[test]
fn what_comes_from_a_file_is_isolated_and_has_nothing() {
    let file = guest("shapes");
    let dependency = format!("\"test:shapes@1.0.0\" = {{ path = {:?} }}", file.display().to_string());
    let server = up(&dependency, "");
    check(&server, "/env?name=NAME", 200, "Some(\"front\") None");
    check(&server, "/count?key=k", 500, "Error::AccessDenied");
    let answer = server.get("t", "/fail?how=panic").text();
    assert!(answer.starts_with("Err(\"the dependency front/test:shapes failed in `fail`"), "{answer}");
    server.logged("WHARF-0023: keyvalue `default` was refused");
}

/// Starts the app and asserts that it is refused with these texts.
#[track_caller]
fn refused(manifest: &str, texts: &[&str]) {
    wharf().up(App::new(manifest).folder()).fail().badly(2, texts);
}

#[test]
fn what_does_not_fit_is_refused_with_what_comes_nearest() {
    let with = |dependency: &str| manifest(dependency, "");
    refused(
        &with("\"test:shapes@2.0.0\" = { component = \"shapes\" }"),
        &["WHARF-0016", "it does not import test:shapes@2.0.0, but test:shapes/api@1.2.0, which is not compatible"],
    );
    refused(
        &with("\"test:shape\" = { component = \"shapes\" }"),
        &[
            "WHARF-0016",
            "it does not import test:shape; what it imports: test:shapes/api@1.2.0, test:shapes/powers@1.2.0",
        ],
    );
    refused(
        &with("\"test:shapes\" = { component = \"shapes\" }\n\"test:shapes/api\" = { component = \"shapes\" }"),
        &["WHARF-0016", "test:shapes/api@1.2.0 is satisfied by `test:shapes` already"],
    );
    refused(&with("\"test:shapes/api\" = { component = \"shapes\" }"), &["WHARF-0004", "test:shapes/powers@1.2.0"]);
    refused(&with("\"test:shapes\" = { path = \"absent.wasm\" }"), &["WHARF-0001", "absent.wasm"]);
    let cycle = manifest(
        "\"test:shapes\" = { component = \"shapes\" }",
        "[component.shapes.dependencies]\n\"x:y\" = { component = \"front\" }",
    );
    refused(&cycle, &["WHARF-0132", "`front` → `shapes` → `front`"]);
}

#[test]
fn types_that_differ_are_refused_for_both_links() {
    const OTHER: &str = "(component
        (core module $m (func (export \"add\") (param i32 i32) (result i32) i32.const 0))
        (core instance $i (instantiate $m))
        (func $add (param \"a\" u32) (param \"b\" s32) (result u32) (canon lift (core func $i \"add\")))
        (instance $api (export \"add\" (func $add)))
        (export \"test:shapes/api@1.2.0\" (instance $api))
        (export \"test:shapes/powers@1.2.0\" (instance $api)))";
    let app = App::empty();
    let file = app.write("other.wasm", wat::parse_str(OTHER).unwrap());
    for (link, code, text) in [
        ("fused", "WHARF-0017", "test:shapes/api@1.2.0"),
        ("isolated", "WHARF-0005", "cannot link test:shapes/api@1.2.0"),
    ] {
        let dependency = format!("\"test:shapes\" = {{ path = {:?}, link = \"{link}\" }}", file.display().to_string());
        refused(&manifest(&dependency, ""), &[code, text]);
    }
}

#[test]
fn a_composed_component_needs_nothing_of_its_app() {
    let app = App::new(&manifest("\"test:shapes\" = { component = \"shapes\" }", ""));
    let folder = app.folder();
    let ended = wharf().run_in(folder, ["compose", "--output", "whole.wasm"]).well();
    assert_eq!(ended.stdout, "whole.wasm\n");
    assert!(ended.stderr.contains("composed front + shapes"), "{}", ended.stderr);
    let by_hand = [guest("front").display().to_string(), guest("shapes").display().to_string()];
    wharf().run_in(folder, ["compose", &by_hand[0], "--plug", &by_hand[1], "--output", "by-hand.wasm"]).well();
    for file in ["whole.wasm", "by-hand.wasm"] {
        let server = wharf().up(app.path(file)).with("--env NAME=all").start();
        check(&server, "/mirror", 200, MIRRORED);
        // One component has one set of grants.
        check(&server, "/env?name=NAME", 200, "Some(\"all\") Some(\"all\")");
    }
}

#[test]
fn compose_says_what_cannot_be_plugged() {
    let (front, hello) = (guest("front").display().to_string(), guest("hello").display().to_string());
    let app = App::empty();
    let run = |args: &[&str]| wharf().run_in(app.folder(), [&["compose", "--output", "x.wasm"], args].concat());
    run(&[&front, "--plug", &hello]).badly(2, &["exports nothing that the others import"]);
    run(&[&front, "--plug", "absent.wasm"]).badly(2, &["cannot read absent.wasm"]);
    run(&["absent"]).badly(2, &["cannot open absent"]);
    assert!(!app.path("x.wasm").exists());
}
