//! The example `shortener`: a Python component that keeps what it is given, wherever the operator says.

use crate::support::{send, wharf};
use std::collections::BTreeSet;
use wharf_testkit::services::Redis;
use wharf_testkit::{App, Server};

const LONG: &str = "https://example.com/a/long/path?with=a%20query&more#part";

/// The example's folder, with its component where the build would put it.
fn example() -> App {
    let app = App::empty();
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/shortener/wharf.toml");
    app.write("wharf.toml", std::fs::read(manifest).unwrap());
    app.copy_guest("shortener", "shortener.wasm");
    app
}

fn post(server: &Server, path: &str) -> (u16, String) {
    let answer = send(server, "POST", path, b"");
    (answer.status(), answer.text().trim().to_owned())
}

#[track_caller]
fn shortened(server: &Server, url: &str) -> String {
    let escaped: String = url.bytes().map(|byte| format!("%{byte:02X}")).collect();
    let (status, code) = post(server, &format!("/?url={escaped}"));
    assert_eq!(status, 201, "{code}\n{}", server.log());
    code
}

#[track_caller]
fn leads_to(server: &Server, code: &str, url: &str) {
    let answer = server.get("s", &format!("/{code}"));
    assert_eq!((answer.status(), answer.header("location")), (302, Some(url)), "{}", server.log());
}

/// What holds wherever URLs are kept, over two lives of the server.
fn shortens(start: impl Fn() -> Server) {
    let server = start();
    let code = shortened(&server, LONG);
    assert!(code.len() == 6 && code.bytes().all(|byte| byte.is_ascii_alphanumeric()), "{code}");
    leads_to(&server, &code, LONG);
    let more: BTreeSet<String> =
        (0..10).map(|number| shortened(&server, &format!("http://a.example:8080/{number}"))).collect();
    assert_eq!(more.len(), 10, "each has a code of its own: {more:?}");
    for path in ["/nobody", "/000000", "/a/b", "/%2e%2e", "/count", "/code.x"] {
        assert_eq!(server.get("s", path).status(), 404, "{path}");
    }
    drop(server);
    let server = start();
    leads_to(&server, &code, LONG);
    assert!(!more.contains(&shortened(&server, LONG)), "counting goes on");
}

/// One test, so that the component is compiled once before anything waits for it: an interpreter takes its time.
#[test]
fn urls_are_shortened_wherever_they_are_kept() {
    let app = example();
    only_urls_of_the_web_are_kept(&wharf().up(app.folder()).with("--no-build").start());
    let state = app.path("state");
    shortens(|| wharf().up(app.folder()).with("--no-build").keep(&state).start());
    let Some(redis) = Redis::start() else { return };
    app.write("node.toml", format!("[keyvalue.urls]\nbackend = \"redis\"\nurl = \"{}\"\n", redis.url()));
    let start = || wharf().up(app.folder()).with("--no-build").start();
    shortens(start);
    let server = start();
    let code = shortened(&server, LONG);
    redis.kill();
    assert_eq!(server.get("s", &format!("/{code}")).status(), 503, "{}", server.log());
    redis.restart();
    wharf_testkit::until("the redirect", || server.get("s", &format!("/{code}")).status() == 302);
}

fn only_urls_of_the_web_are_kept(server: &Server) {
    let long = format!("/?url=https://a.example/{}", "x".repeat(2048));
    for (path, said) in [
        ("/", "give a URL"),
        ("/?url=", "give a URL"),
        ("/?url=javascript:alert(1)", "begins with http:// or https://"),
        ("/?url=data:text/html,x", "begins with http:// or https://"),
        ("/?url=//a.example/", "begins with http:// or https://"),
        ("/?url=https:///x", "begins with http:// or https://"),
        ("/?url=https://a.example/%0d%0aset-cookie:x", "no spaces"),
        ("/?url=https://a.example/%20", "no spaces"),
        ("/?url=https://%C3%A4.example/", "outside of ASCII"),
        ("/?url=https://a.example:port/", "this is no URL"),
        ("/?url=https://[::1/", "this is no URL"),
        ("/?url=https://bank.example@evil.example/", "user name"),
        (&long, "at most 2048 characters"),
    ] {
        let (status, text) = post(server, path);
        assert!(status == 400 && text.contains(said), "{path}: {status} {text}\n{}", server.log());
    }
    assert_eq!(post(server, "/elsewhere?url=https://a.example/").0, 405);
    assert_eq!(server.get("s", "/").status(), 200);
}
