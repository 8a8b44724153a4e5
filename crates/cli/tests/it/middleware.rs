//! Middleware: components before a component, of WASI 0.2 and 0.3 mixed.

use crate::support::{send, wharf};
use wharf_testkit::{App, Response, Server};

/// One component for each name: `echo2` and `echo3` answer with what they get.
const COMPONENTS: &str = "name = \"chain\"\n\
    [component.gate]\nsource = \"@gate\"\n[component.stamp]\nsource = \"@stamp\"\n\
    [component.echo2]\nsource = \"@misbehave\"\n[component.echo3]\nsource = \"@misbehave-p3\"\n";

/// A trigger for each way to put them together, by host.
fn up() -> Server {
    let trigger = |host: &str, middleware: &str, component: &str| {
        format!(
            "[[trigger.http]]\nhost = \"{host}\"\nroute = \"/...\"\ncomponent = \"{component}\"\nmiddleware = [{middleware}]\n"
        )
    };
    let (gate, stamp, both, back) = ("\"gate\"", "\"stamp\"", "\"gate\", \"stamp\"", "\"stamp\", \"gate\"");
    let triggers: String = [
        trigger("gate2", gate, "echo2"),
        trigger("gate3", gate, "echo3"),
        trigger("stamp2", stamp, "echo2"),
        trigger("stamp3", stamp, "echo3"),
        trigger("both2", both, "echo2"),
        trigger("both3", both, "echo3"),
        trigger("back2", back, "echo2"),
        trigger("back3", back, "echo3"),
    ]
    .concat();
    wharf().up(App::new(&format!("{COMPONENTS}{triggers}")).folder()).start()
}

#[track_caller]
fn ask(server: &Server, host: &str, head: &str, body: &str) -> Response {
    let mut connection = server.connect();
    let length = body.len();
    connection.send(format!("POST /echo HTTP/1.1\r\nhost: {host}\r\ncontent-length: {length}\r\n{head}\r\n{body}"));
    connection.response().unwrap_or_else(|broken| panic!("{host}: {broken:?}\n{}", server.log()))
}

#[test]
fn a_request_passes_all_before_it_is_answered() {
    let server = up();
    let body = "x".repeat(100_000);
    for host in ["gate2", "gate3", "stamp2", "stamp3", "both2", "both3", "back2", "back3"] {
        let answer = ask(&server, host, "authorization: me\r\n", &body);
        assert_eq!((answer.status(), answer.text().len()), (200, body.len()), "{host}\n{}", server.log());
        assert_eq!(answer.header("x-stamp").is_some(), !host.starts_with("gate"), "{host}");
    }
}

#[test]
fn middleware_answers_instead_of_what_comes_after_it() {
    let server = up();
    for host in ["gate2", "gate3", "both2", "both3", "back2", "back3"] {
        let answer = ask(&server, host, "", "x");
        assert_eq!((answer.status(), answer.text().as_str()), (401, "who are you?\n"), "{host}");
        assert_eq!(answer.header("x-stamp").is_some(), host.starts_with("back"), "{host}");
    }
    assert_eq!(server.get("stamp2", "/stamp-only").status(), 204);
}

#[test]
fn what_fails_after_middleware_is_its_business() {
    let server = up();
    // `stamp` hands the error on; a component that answers with an error of the interface is a bad gateway.
    for host in ["stamp2", "stamp3", "both2", "both3"] {
        let mut connection = server.connect();
        connection.send(format!("GET /trap-before HTTP/1.1\r\nhost: {host}\r\nauthorization: me\r\n\r\n"));
        assert_eq!(connection.response().unwrap().status(), 502, "{host}");
    }
    server.logged("component=echo2");
    server.logged("component=echo3");
    // A body that was read already is not there for the next.
    let answer = ask(&server, "gate2", "authorization: me\r\nx-read: yes\r\n", "abc");
    assert_eq!((answer.status(), answer.text().as_str()), (200, ""), "{}", server.log());
}

#[test]
fn a_component_that_is_no_middleware_has_nothing_after_it() {
    let app = App::new(&format!("{COMPONENTS}[[trigger.http]]\nroute = \"/...\"\ncomponent = \"stamp\"\n"));
    let server = wharf().up(app.folder()).start();
    assert_eq!(send(&server, "GET", "/", b"").status(), 502);
    server.logged("nothing comes after it");
}

#[test]
fn the_banner_shows_the_chain() {
    let app = App::new(&format!(
        "{COMPONENTS}[[trigger.http]]\nroute = \"/...\"\ncomponent = \"echo3\"\nmiddleware = [\"gate\", \"echo2\"]\n"
    ));
    let banner = wharf().up(app.folder()).banner("state in");
    assert!(banner.contains("gate → echo2 → echo3"), "{banner}");
    assert!(banner.contains("echo2 is middleware and imports no handler: it answers every request itself"), "{banner}");
}
