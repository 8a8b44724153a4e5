//! Which component answers: hosts, paths, parameters, methods, answers of the manifest, and calls in process.

use crate::support::{neighbourhood, wharf};
use wharf_testkit::{App, Server, service};

const ROUTES: &str = r#"
name = "routes"
[component.echo]
source = "@misbehave"
[component.hello]
source = "@hello"
[[trigger.http]]
route = "/echo-headers"
component = "echo"
[[trigger.http]]
route = "/users/:id/..."
component = "echo"
[[trigger.http]]
route = "/users/me/name"
component = "hello"
[[trigger.http]]
route = "/only"
methods = ["GET", "PUT"]
component = "hello"
[[trigger.http]]
route = "/only"
methods = ["DELETE"]
static = { status = 202 }
[[trigger.http]]
host = "shop.example"
route = "/..."
component = "hello"
[[trigger.http]]
host = "*.example"
route = "/..."
static = { status = 203, body = "any shop", headers = { x-kind = "wild" } }
[[trigger.http]]
route = "/gone"
static = { status = 410, body = "no more\n" }
[[trigger.http]]
route = "/moved"
static = { status = 301, headers = { location = "/only" } }
[[trigger.http]]
component = "echo"
private = true
"#;

fn ask(server: &Server, method: &str, host: &str, path: &str) -> wharf_testkit::Response {
    let mut client = server.connect();
    client.send(format!("{method} {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n"));
    client.response().unwrap()
}

#[test]
fn the_most_specific_route_answers() {
    let app = App::new(ROUTES);
    let server = wharf().up(app.folder()).start();
    let what = |host: &str, path: &str| {
        let answer = server.get(host, path);
        (answer.status(), answer.text().lines().next().unwrap_or_default().to_owned())
    };
    let hello = (200, "hello".to_owned());
    assert_eq!(what("x", "/users/me/name"), hello);
    assert_eq!(what("x", "/users/7/name"), (404, "no case /users/7/name".to_owned()));
    assert_eq!(what("x", "/echo-headers"), (200, "method: Method::Get".to_owned()));
    assert_eq!(what("shop.example", "/anything"), hello);
    assert_eq!(what("SHOP.example:8080", "/echo-headers"), hello);
    assert_eq!(what("other.example", "/users/me/name"), (203, "any shop".to_owned()));
    assert_eq!(what("a.b.example", "/"), (203, "any shop".to_owned()));
    assert_eq!(what("x", "/gone"), (410, "no more".to_owned()));
    assert_eq!(what("x", "/").0, 404);
    assert_eq!(what("x", "/users").0, 404);
    assert_eq!(what("x", "/only/").0, 404);
}

#[test]
fn a_guest_learns_what_its_route_matched() {
    let app = App::new(
        &ROUTES
            .replace("/users/:id/...", "/:case/...")
            .replace("[[trigger.http]]\nroute = \"/echo-headers\"\ncomponent = \"echo\"\n", ""),
    );
    let server = wharf().up(app.folder()).start();
    let text = server.get("x", "/echo-headers").text();
    assert!(
        text.contains("header: wharf-route: /:case/...") && text.contains("header: wharf-param-case: echo-headers"),
        "{text}"
    );
}

#[test]
fn a_path_that_is_there_for_other_methods_says_for_which() {
    let app = App::new(ROUTES);
    let server = wharf().up(app.folder()).start();
    assert_eq!(ask(&server, "GET", "x", "/only").text(), "hello\n");
    assert_eq!(ask(&server, "DELETE", "x", "/only").status(), 202);
    let refused = ask(&server, "POST", "x", "/only");
    assert_eq!(refused.status(), 405);
    let mut allow: Vec<_> = refused.header("allow").unwrap().split(", ").collect();
    allow.sort_unstable();
    assert!(allow.contains(&"DELETE") && allow.contains(&"GET") && allow.contains(&"PUT"), "{allow:?}");
    assert!(!allow.contains(&"POST"), "{allow:?}");
}

#[test]
fn answers_of_the_manifest_have_their_headers() {
    let app = App::new(ROUTES);
    let server = wharf().up(app.folder()).start();
    let wild = server.get("a.example", "/");
    assert_eq!((wild.header("x-kind"), wild.header("content-length")), (Some("wild"), Some("8")));
    let moved = server.get("x", "/moved");
    assert_eq!((moved.status(), moved.header("location"), moved.text().as_str()), (301, Some("/only"), ""));
    assert!(moved.header("x-request-id").is_some());
}

#[test]
fn two_routes_for_the_same_requests_are_reported_with_both_places() {
    let app = App::new(&ROUTES.replace("route = \"/gone\"", "route = \"/users/:other/...\""));
    let ended = wharf().up(app.folder()).fail();
    let text =
        ended.clone().badly(2, &["WHARF-0112", "/users/:id/...", "/users/:other/...", "the first", "the second"]);
    let places: Vec<_> = text.stderr.lines().filter(|line| line.contains("route = ")).collect();
    assert_eq!(places.len(), 2, "{ended}");
}

#[test]
fn a_component_calls_another_one_that_nobody_else_reaches() {
    let manifest = r#"
        name = "two"
        [component.front]
        source = "@two-languages-front"
        [component.front.grants]
        http = ["http://backend.wharf.internal"]
        [component.backend]
        source = "@two-languages-backend"
        [[trigger.http]]
        route = "/..."
        component = "front"
        [[trigger.http]]
        component = "backend"
        private = true
    "#;
    let app = App::new(manifest);
    let server = wharf().up(app.folder()).start();
    assert_eq!(server.get("x", "/some/path").text(), "the back end says: you asked for /some/path\n");
    let grants = server.start["components"][0]["grants"].to_string();
    assert!(grants.contains("http://backend.wharf.internal"), "{grants}");
    // From outside the name leads to whatever the routes say, never to the component.
    assert_eq!(server.get("backend.wharf.internal", "/p").text(), "the back end says: you asked for /p\n");

    let app = App::new(&manifest.replace("[component.front.grants]", "").replace("http = [", "#"));
    let server = wharf().up(app.folder()).start();
    let refused = server.get("x", "/p");
    assert_eq!(refused.status(), 502);
    assert!(refused.text().contains("HttpRequestDenied"), "{}", refused.text());
    server.logged("WHARF-0020");
    server.logged("[component.front.grants]");
    server.logged("http = [\"http://backend.wharf.internal\"]");
}

#[test]
fn in_process_calls_fail_as_their_callee_does() {
    let callee = |name: &str| format!("\"http://{name}.wharf.internal\"");
    let limits = |name: &str| format!("[component.{name}.limits]\nwall = \"2s\"\ncpu = \"200ms\"");
    let grants = format!("[component.caller.grants]\nhttp = [{}, {}]", callee("callee"), callee("caller"));
    let parts = service("caller", "misbehave", &grants) + &service("callee", "misbehave-p3", &limits("callee"));
    let app = App::new(&neighbourhood(&parts));
    let mut server = wharf().up(app.folder()).start();
    let fetch = |path: &str| {
        let url = format!("http://callee.wharf.internal{path}");
        server.connect().get("caller", &format!("/fetch?url={}", url.replace('?', "%3F").replace('=', "%3D")))
    };
    assert_eq!(fetch("/ok").unwrap().text(), "ok\n");
    let seen = fetch("/echo-headers").unwrap().text();
    assert!(seen.contains("authority: Some(\"callee.wharf.internal\")"), "{seen}");
    for (path, code) in
        [("/trap-before", "WHARF-0030"), ("/loop-before", "WHARF-0031"), ("/late?ms=3600000", "WHARF-0032")]
    {
        let answer = fetch(path).unwrap();
        assert_eq!(answer.status(), 502, "{path}: {}", answer.text());
        server.logged(code);
    }
    crate::support::neighbour_answers(&mut server);
}

#[test]
fn components_that_call_each_other_in_circles_end() {
    // The path of the inner request is the outer one's: each call leads to the next.
    let grants = "[component.front.grants]\nhttp = [\"http://backend.wharf.internal\"]";
    let app = App::new(&neighbourhood(&format!(
        "{}[component.backend]\nsource = \"@two-languages-front\"\n\
         [component.backend.grants]\nhttp = [\"http://backend.wharf.internal\"]\n\
         [[trigger.http]]\ncomponent = \"backend\"\nprivate = true\n",
        service("front", "two-languages-front", grants)
    )));
    let mut server = wharf().up(app.folder()).start();
    let answer = server.get("front", "/");
    assert!(answer.text().contains("LoopDetected"), "{}", answer.text());
    crate::support::neighbour_answers(&mut server);
}
