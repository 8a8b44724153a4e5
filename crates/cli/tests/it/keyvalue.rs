//! Key-value stores from outside: a guest of both versions of the interface, wherever the operator keeps its data.

use crate::support::wharf;
use std::collections::BTreeMap;
use wharf_testkit::services::{Nats, Redis};
use wharf_testkit::{App, Response, Server, until};

const GRANTS: &str = "keyvalue = { default = {}, carts = { size = \"64KiB\" }, prices = { access = \"read\" } }";

fn app(node: &str) -> App {
    let app = App::new(&manifest("shop", GRANTS));
    if !node.is_empty() {
        app.write("node.toml", node);
    }
    app
}

fn manifest(name: &str, grants: &str) -> String {
    format!(
        "name = \"{name}\"\n[component.api]\nsource = \"@keyvalue\"\n[component.api.grants]\n{grants}\n\n\
         [[trigger.http]]\nroute = \"/...\"\ncomponent = \"api\"\n"
    )
}

fn ask(server: &Server, method: &str, path: &str, body: &str) -> Response {
    let mut connection = server.connect();
    let length = body.len();
    connection.send(format!("{method} {path} HTTP/1.1\r\nhost: kv\r\ncontent-length: {length}\r\n\r\n{body}"));
    connection.response().unwrap_or_else(|broken| panic!("{method} {path}: {broken:?}\n{}", server.log()))
}

#[track_caller]
fn answers(server: &Server, method: &str, path: &str, body: &str, status: u16) -> String {
    let answer = ask(server, method, path, body);
    assert_eq!(answer.status(), status, "{method} {path}: {}\n{}", answer.text(), server.log());
    answer.text()
}

/// What holds on every backend, over two lives of the server.
fn keeps(start: impl Fn() -> Server) {
    let server = start();
    assert_eq!(answers(&server, "GET", "/v1?key=a", "", 404), "");
    answers(&server, "PUT", "/v1?key=a", "from the first", 200);
    assert_eq!(answers(&server, "GET", "/v2?key=a", "", 200), "from the first");
    answers(&server, "PUT", "/v2?key=a", "from the second", 200);
    assert_eq!(answers(&server, "GET", "/v1?key=a", "", 200), "from the second");
    assert_eq!(answers(&server, "GET", "/v1?label=&key=a", "", 200), "from the second", "`` is the default");
    assert_eq!(answers(&server, "GET", "/v1?label=carts&key=a", "", 404), "", "labels do not meet");
    for key in ["%2e%2e%2f%2e%2e%2fetc", "*", "a%00b", "%E6%97%A5%0A", "shop:carts:a"] {
        answers(&server, "PUT", &format!("/v2?key={key}"), key, 200);
        assert_eq!(answers(&server, "GET", &format!("/v1?key={key}"), "", 200), key);
        answers(&server, "DELETE", &format!("/v1?key={key}"), "", 200);
    }
    assert_eq!(answers(&server, "POST", "/incr?key=n&by=41", "", 200), "41\n");
    assert_eq!(answers(&server, "POST", "/incr?key=n&by=-50", "", 200), "-9\n");
    assert_eq!(answers(&server, "GET", "/v1?key=n", "", 200), "-9");
    answers(&server, "DELETE", "/v2?key=n", "", 200);
    assert_eq!(answers(&server, "GET", "/keys", "", 200), "1 1\na\n");
    assert_eq!(answers(&server, "POST", "/batch?count=300", "", 200), "same true, right true, rest 0\n");
    together(&server);
    drop(server);
    let server = start();
    assert_eq!(answers(&server, "GET", "/v1?key=a", "", 200), "from the second");
    assert_eq!(answers(&server, "GET", "/v1?key=list", "", 200).len(), 32);
    assert_eq!(answers(&server, "POST", "/incr?key=hits", "", 200), "33\n");
}

/// Many requests at once, each an instance of its own, change one key.
fn together(server: &Server) {
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..4 {
                    answers(server, "POST", "/incr?key=hits", "", 200);
                    answers(server, "POST", "/append?key=list", "x", 200);
                }
            });
        }
    });
    assert_eq!(answers(server, "GET", "/v2?key=hits", "", 200), "32");
    assert_eq!(answers(server, "GET", "/v2?key=list", "", 200), "x".repeat(32));
}

#[test]
fn data_is_kept_in_the_state_folder_without_any_setting() {
    let app = app("");
    let state = app.path("state");
    keeps(|| wharf().up(app.folder()).state(&state).with("--cores 2").start());
    assert!(state.join("data/keyvalue/shop/default.redb").is_file());
}

#[test]
fn data_is_kept_in_redis_where_the_operator_says_so() {
    let Some(redis) = Redis::options().password("pass-word").start() else { return };
    let node = format!(
        "[keyvalue.default]\nbackend = \"redis\"\nurl = \"redis://127.0.0.1:{}\"\npassword = {{ env = \"REDIS_PASSWORD\" }}\n",
        redis.port()
    );
    let app = app(&node);
    keeps(|| wharf().env("REDIS_PASSWORD", "pass-word").up(app.folder()).with("--cores 2").start());
}

#[test]
fn data_is_kept_in_nats_where_the_operator_says_so() {
    let Some(nats) = Nats::start() else { return };
    let app = app(&format!("[app.shop.keyvalue.default]\nbackend = \"nats\"\nurl = \"{}\"\n", nats.url()));
    keeps(|| wharf().up(app.folder()).with("--cores 2").start());
}

#[test]
fn what_is_not_granted_is_denied_and_the_log_says_what_would_grant_it() {
    let app = app("");
    let server = wharf().up(app.folder()).start();
    for (method, path) in [("GET", "/v1?label=orders&key=a"), ("PUT", "/v2?label=orders&key=a")] {
        assert_eq!(answers(&server, method, path, "x", 403), "denied");
    }
    assert_eq!(answers(&server, "GET", "/v2?label=..%2Fdefault&key=a", "", 403), "denied");
    assert_eq!(answers(&server, "GET", "/v2?label=prices&key=a", "", 404), "");
    for (method, path) in [("PUT", "/v1?label=prices&key=a"), ("POST", "/incr?label=prices&key=a")] {
        assert_eq!(answers(&server, method, path, "x", 403), "denied");
    }
    let log = server.stop().to_string();
    assert_eq!(log.matches("WHARF-0023: keyvalue `orders` was refused").count(), 1, "{log}");
    assert_eq!(log.matches("WHARF-0024: a change in keyvalue `prices` was refused").count(), 1, "{log}");
}

#[test]
fn what_is_over_a_limit_is_an_error_of_the_call() {
    let app = app("");
    let server = wharf().up(app.folder()).start();
    let text = answers(&server, "PUT", "/v1?label=carts&key=a", &"x".repeat((64 << 10) + 1), 500);
    assert_eq!(text, "65537 bytes, of which 65536 are allowed");
    answers(&server, "PUT", "/v1?label=carts&key=a", &"x".repeat(64 << 10), 200);
    let text = answers(&server, "PUT", &format!("/v2?key={}", "k".repeat(513)), "x", 500);
    assert_eq!(text, "a key has 1 to 512 bytes, this one has 513");
    assert!(answers(&server, "POST", "/batch?count=1001", "", 500).contains("a batch has at most 1000 keys"));
    answers(&server, "PUT", "/v2?key=text", "no number", 200);
    assert!(answers(&server, "POST", "/incr?key=text", "", 500).contains("is not a whole number"));
}

#[test]
fn a_server_that_comes_and_goes_costs_calls_and_not_the_node() {
    let Some(redis) = Redis::start() else { return };
    redis.kill();
    let app = app(&format!("[keyvalue.default]\nbackend = \"redis\"\nurl = \"{}\"\n", redis.url()));
    // Each core finds the server again by itself.
    let mut server = wharf().up(app.folder()).with("--cores 1").start();
    for _ in 0..2 {
        let text = answers(&server, "GET", "/v1?key=a", "", 500);
        assert_eq!(text, "the store is not available: the server is not there");
        // What is kept elsewhere is not touched.
        answers(&server, "PUT", "/v1?label=carts&key=a", "x", 200);
        redis.restart();
        until("the server to be found again", || ask(&server, "PUT", "/v1?key=a", "x").status() == 200);
        assert_eq!(answers(&server, "GET", "/v2?key=a", "", 200), "x");
        redis.kill();
        until("the loss to be noticed", || ask(&server, "GET", "/v1?key=a", "").text().ends_with("is not there"));
    }
    assert!(server.is_alive());
}

#[test]
fn apps_share_nothing_but_what_the_operator_makes_them_share() {
    let node = "[keyvalue.carts]\nbackend = \"redb\"\nnamespace = \"all\"\n";
    let shop = app(node);
    let state = shop.path("state");
    let blog = App::new(&manifest("blog", GRANTS));
    blog.write("node.toml", node);
    let server = wharf().up(shop.folder()).state(&state).start();
    answers(&server, "PUT", "/v1?key=a", "of the shop", 200);
    answers(&server, "PUT", "/v1?label=carts&key=a", "of all", 200);
    drop(server);
    let server = wharf().up(blog.folder()).state(&state).start();
    let found: BTreeMap<&str, u16> = ["default", "carts"]
        .map(|label| (label, ask(&server, "GET", &format!("/v1?label={label}&key=a"), "").status()))
        .into();
    assert_eq!(found, BTreeMap::from([("default", 404), ("carts", 200)]));
}

#[test]
fn a_binding_that_cannot_be_is_told_at_the_start() {
    for (node, expected) in [
        ("[keyvalue.default]\nbackend = \"oracle\"\n", "`oracle`"),
        ("[keyvalue.default]\nbackend = \"redis\"\n", "missing field `url`"),
        ("[keyvalue.default]\nbackend = \"redis\"\nurl = \"http://:hunter2@x\"\n", "not the URL of a Redis server"),
        ("[keyvalue.default]\nbackend = \"redb\"\ncash = 1\n", "unknown field `cash`"),
    ] {
        let ended = wharf().up(app(node).folder()).fail();
        assert_ne!(ended.code, Some(0));
        assert!(ended.stderr.contains(expected) && !ended.stderr.contains("hunter2"), "{node}{}", ended.stderr);
    }
}
