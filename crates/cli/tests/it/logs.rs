//! What operators see: traps with source lines, what guests print, requests; and what clients do not see.

use crate::support::{misbehaving, neighbourhood, wharf};
use serde_json::Value;
use tempfile::TempDir;
use wharf_testkit::{App, Server, guest, service, until};

fn json_lines(text: &str) -> Vec<Value> {
    text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
}

fn with_accept(server: &Server, path: &str, accept: &str) -> wharf_testkit::Response {
    let mut client = server.connect();
    client.send(format!("GET {path} HTTP/1.1\r\nhost: bad\r\naccept: {accept}\r\nx-request-id: r-1\r\n\r\n"));
    client.response().unwrap()
}

#[test]
fn a_trap_is_logged_with_the_lines_of_its_source() {
    let server = wharf().up(guest("trap-lines")).start();
    for (path, reason) in
        [("/panic", "index out of bounds"), ("/overflow", "attempt to add"), ("/unreachable", "unreachable")]
    {
        let answer = server.get("x", path);
        assert_eq!(answer.status(), 500, "{path}");
        assert!(!answer.text().contains("lib.rs"), "{}", answer.text());
        let id = answer.header("x-request-id").unwrap().to_owned();
        server.find_logged(&[&format!("request=\"{id}\"")]).unwrap();
        let log = server.log();
        assert!(log.contains("WHARF-0030") && log.contains(reason), "{path}: {log}");
        for function in ["lookup", "discount", "checkout"] {
            assert!(log.contains(function), "{path}: {function} is missing in {log}");
        }
        assert!(log.contains("trap-lines/src/lib.rs:"), "{path}: {log}");
    }
}

#[test]
fn what_a_guest_prints_is_logged_with_its_names() {
    for world in ["misbehave", "misbehave-p3"] {
        let app = misbehaving(world, "");
        let server = wharf().up(app.folder()).start();
        let id = server.get("bad", "/stdout?lines=3").header("x-request-id").unwrap().to_owned();
        for text in ["out 1", "err 1", "out 3", "err 3"] {
            assert_eq!(server.logged(text), format!("town/bad {id} {text}"), "{world}");
        }
        let server = wharf().up(app.folder()).with("--log-format json").start();
        let id = server.get("bad", "/stdout?lines=2").header("x-request-id").unwrap().to_owned();
        server.logged("err 2");
        let lines = json_lines(&server.log());
        let line = lines.iter().find(|line| line["text"] == "err 2").unwrap();
        assert_eq!(line["kind"], "guest");
        assert_eq!((&line["app"], &line["component"]), (&Value::from("town"), &Value::from("bad")));
        assert_eq!((&line["request"], &line["stream"]), (&Value::from(id), &Value::from("stderr")));
    }
}

#[test]
fn what_a_guest_prints_is_bounded() {
    let limits = "[component.bad.limits]\ncpu = \"20s\"";
    for world in ["misbehave", "misbehave-p3"] {
        let app = App::new(&neighbourhood(&service("bad", world, limits)));
        let mut server = wharf().up(app.folder()).start();
        assert_eq!(server.get("bad", "/stdout?lines=100000").status(), 200);
        server.logged("the rest is left out");
        // Of each stream, the end says how much that was.
        server.logged("lines were left out]");
        crate::support::neighbour_answers(&mut server);
        assert!(server.log().len() < 1 << 20, "{world}: {} bytes", server.log().len());
    }
}

#[test]
fn every_request_has_an_access_line() {
    let app = misbehaving("misbehave-p3", "");
    let server = wharf().up(app.folder()).with("--access-log on").start();
    server.get("bad", "/status?code=418&secret=1");
    let line = server.logged(" 418 ");
    assert!(line.contains("GET bad/status 418 9B ") && line.contains("town/bad"), "{line}");
    assert!(!line.contains("secret"), "{line}");
    let server = wharf().up(app.folder()).with("--access-log on --log-format json").start();
    server.get("bad", "/ok");
    let _ = server.connect().get("bad", "/trap-mid");
    server.get("nobody", "/missing");
    server.logged("/missing");
    let lines = json_lines(&server.log());
    let find = |path: &str| lines.iter().find(|line| line["kind"] == "access" && line["path"] == path).unwrap().clone();
    let ok = find("/ok");
    assert_eq!(
        (&ok["status"], &ok["response_bytes"], &ok["component"]),
        (&200.into(), &3.into(), &"bad".into()),
        "{ok}"
    );
    assert_eq!((&ok["method"], &ok["host"], &ok["error"]), (&"GET".into(), &"bad".into(), &Value::Null), "{ok}");
    assert!(ok["client"].as_str().unwrap().starts_with("127.0.0.1:"), "{ok}");
    assert_eq!(find("/trap-mid")["error"], "WHARF-0030");
    let missing = find("/missing");
    assert_eq!((&missing["status"], &missing["component"]), (&404.into(), &Value::Null), "{missing}");
    let server = wharf().up(app.folder()).with("--access-log off").start();
    server.get("bad", "/stdout?lines=1");
    server.logged("out 1");
    assert!(!server.log().contains("GET"), "{}", server.log());
}

#[test]
fn the_programs_own_lines_are_json_as_well() {
    let app = misbehaving("misbehave", "");
    let server = wharf().up(app.folder()).with("--log-format json").start();
    server.get("bad", "/trap-before");
    server.logged("WHARF-0030");
    let log = server.log();
    assert!(log.lines().all(|line| serde_json::from_str::<Value>(line).is_ok()), "{log}");
}

#[test]
fn a_client_sees_nothing_internal() {
    let app = misbehaving("misbehave", "");
    let server = wharf().up(app.folder()).start();
    for accept in ["text/html", "application/json", "*/*"] {
        let answer = with_accept(&server, "/trap-before", accept);
        assert_eq!(answer.text(), "500 Internal Server Error\nrequest r-1\n");
        assert_eq!(answer.header("content-type"), Some("text/plain; charset=utf-8"));
        assert_eq!(answer.header("cache-control"), Some("no-store"));
    }
    for (host, path, text) in [("nobody", "/", "404 Not Found\n"), ("bad", "/loop-before", "504 Gateway Timeout\n")] {
        assert!(server.get(host, path).text().starts_with(text), "{path}");
    }
}

#[test]
fn a_developer_sees_the_cause() {
    let app = misbehaving("misbehave", "");
    let server = wharf().up(app.folder()).with("--dev").start();
    let page = with_accept(&server, "/trap-before", "text/html,application/xhtml+xml");
    assert_eq!((page.status(), page.header("content-type")), (500, Some("text/html; charset=utf-8")));
    for text in ["<!doctype html>", "the component trapped", "unreachable", "WHARF-0030", "r-1"] {
        assert!(page.text().contains(text), "{text} is missing in {}", page.text());
    }
    let answer = with_accept(&server, "/memory?then=trap", "*/*");
    let value: Value = serde_json::from_str(&answer.text()).unwrap();
    assert_eq!(
        (&value["status"], &value["code"], &value["request"]),
        (&500.into(), &"WHARF-0033".into(), &"r-1".into())
    );
    assert!(value["message"].as_str().unwrap().ends_with(" MiB of memory, its limit is 16 MiB"), "{value}");
    let value: Value = serde_json::from_str(&server.get("nobody", "/x").text()).unwrap();
    assert_eq!(value["code"], "WHARF-0050");
}

/// Starts `wharf up` on an app, with stderr as given.
fn up_with_stderr(
    app: &App,
    flags: &[&str],
    stderr: std::process::Stdio,
) -> (std::process::Child, wharf_testkit::Http1, TempDir) {
    let state = TempDir::new().unwrap();
    let mut command = wharf().command();
    command.arg("up").arg(app.folder()).args(["--listen=127.0.0.1:0", "--state"]).arg(state.path()).args(flags);
    let mut child = command.stdout(std::process::Stdio::piped()).stderr(stderr).spawn().unwrap();
    let mut first = String::new();
    std::io::BufRead::read_line(&mut std::io::BufReader::new(child.stdout.take().unwrap()), &mut first).unwrap();
    let address = first.split_whitespace().next().unwrap().trim_start_matches("http://").parse().unwrap();
    (child, wharf_testkit::Http1::connect(address), state)
}

#[test]
fn a_log_that_nobody_reads_holds_nobody_up() {
    let app = misbehaving("misbehave", "");
    // The other end of stderr is kept and never read.
    let (mut child, mut client, _state) = up_with_stderr(&app, &["--access-log=on"], std::process::Stdio::piped());
    let answers: Vec<u16> =
        (0..60).map(|_| client.get("bad", "/stdout?lines=100").map_or(0, |answer| answer.status())).collect();
    let _ = child.kill();
    let _ = child.wait();
    assert!(answers.iter().all(|status| *status == 200), "{answers:?}");
}

#[test]
fn a_server_outlives_the_reader_of_its_log() {
    let manifest =
        |version| format!("name = \"x\"\n[[trigger.http]]\nroute = \"/\"\nstatic = {{ body = \"{version}\" }}\n");
    let app = App::new(&manifest("1"));
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let (mut child, mut client, _state) = up_with_stderr(&app, &["--watch"], writer.into());
    for version in ["2", "3"] {
        // Something is said about each.
        app.change(&manifest(version));
        until("the next version", || client.get("x", "/").unwrap().text() == version);
    }
    let _ = child.kill();
    let _ = child.wait();
}
