//! What clients and guests may take, and what they are told when it is more.

use crate::support::{neighbour_answers, neighbourhood, wharf};
use rustix::process::{Resource, getrlimit, setrlimit};
use std::time::Duration;
use wharf_testkit::{App, Http1, Server, guest, service, until};

fn app(guest: &str, limits: &str) -> App {
    App::new(&neighbourhood(&service("bad", guest, &format!("[component.bad.limits]\n{limits}"))))
}

fn post(
    server: &Server,
    path: &str,
    bytes: usize,
    chunked: bool,
) -> Result<wharf_testkit::Response, wharf_testkit::Broken> {
    let mut client = server.connect();
    if chunked {
        client.send(format!("POST {path} HTTP/1.1\r\nhost: bad\r\ntransfer-encoding: chunked\r\n\r\n{bytes:x}\r\n"));
        let _ = client.try_send([vec![b'x'; bytes], b"\r\n0\r\n\r\n".to_vec()].concat());
    } else {
        client.send(format!("POST {path} HTTP/1.1\r\nhost: bad\r\ncontent-length: {bytes}\r\n\r\n"));
        let _ = client.try_send(vec![b'x'; bytes]);
    }
    client.response()
}

const WORLDS: [(&str, &str); 4] = [
    ("misbehave", ""),
    ("misbehave-p3", ""),
    ("misbehave", "reuse = { requests = 100 }"),
    ("misbehave-p3", "reuse = { requests = 100 }"),
];

fn small_requests(world: &str, reuse: &str) -> App {
    let limits = format!("{reuse}\n[component.bad.limits]\nrequest-body = \"10KiB\"\nwall = \"5s\"");
    App::new(&neighbourhood(&service("bad", world, &limits)))
}

#[test]
fn a_request_body_over_the_limit_is_refused() {
    for world in ["misbehave", "misbehave-p3"] {
        let app = small_requests(world, "");
        let mut server = wharf().up(app.folder()).start();
        assert_eq!(post(&server, "/echo", 10 << 10, false).unwrap().body.len(), 10 << 10);
        let refused = post(&server, "/echo", (10 << 10) + 1, false).unwrap();
        assert_eq!(refused.status(), 413, "{world}");
        assert!(refused.text().starts_with("413 "), "{}", refused.text());
        neighbour_answers(&mut server);
    }
}

#[test]
fn a_chunked_request_body_over_the_limit_is_refused_while_there_is_no_answer() {
    for (world, reuse) in WORLDS {
        let app = small_requests(world, reuse);
        let mut server = wharf().up(app.folder()).with("--dev").start();
        for _ in 0..5 {
            let refused = post(&server, "/read", 100 << 10, true).unwrap();
            assert_eq!(refused.status(), 413, "{world} {reuse}: {}", refused.text());
            let text = refused.text();
            assert!(text.contains("WHARF-0052") && text.contains("the limit of 10 KiB"), "{text}");
            assert_eq!(post(&server, "/read", 10 << 10, true).unwrap().text(), "read 10240 bytes\n");
            neighbour_answers(&mut server);
        }
    }
}

#[test]
fn a_chunked_request_body_over_the_limit_breaks_the_answer_that_has_begun_off() {
    for (world, reuse) in WORLDS {
        let app = small_requests(world, reuse);
        let mut server = wharf().up(app.folder()).with("--access-log on").start();
        for path in ["/early", "/echo"] {
            let mut client = server.connect();
            client
                .send(format!("POST {path} HTTP/1.1\r\nhost: bad\r\ntransfer-encoding: chunked\r\n\r\n4\r\nsome\r\n"));
            assert_eq!(client.head().unwrap().status, 200, "{world} {reuse}");
            assert_eq!(client.chunk().unwrap(), if path == "/early" { b"early\n".as_slice() } else { b"some" });
            let _ = client.try_send([b"5000\r\n".as_slice(), &[b'x'; 0x5000], b"\r\n0\r\n\r\n"].concat());
            let rest = client.rest();
            assert!(!rest.ends_with("0\r\n\r\n"), "{world} {reuse} {path}: {rest}");
            server.find_logged(&[path, "WHARF-0052"]).unwrap_or_else(|| panic!("{}", server.log()));
        }
        neighbour_answers(&mut server);
    }
}

#[test]
fn a_head_over_the_limit_is_refused() {
    let mut server = wharf().up(app("misbehave", "").folder()).start();
    let many: String = (0..200).map(|n| format!("x-{n}: y\r\n")).collect();
    let large = format!("x-large: {}\r\n", "y".repeat(300_000));
    for (target, headers, status) in [("/ok", many, "431"), ("/ok", large, "431")] {
        let mut client = server.connect();
        let _ = client.try_send(format!("GET {target} HTTP/1.1\r\nhost: bad\r\n{headers}\r\n"));
        assert_eq!(client.head().unwrap().status.to_string(), status);
    }
    let mut client = server.connect();
    let _ = client.try_send(format!("GET /{} HTTP/1.1\r\nhost: bad\r\n\r\n", "p".repeat(200_000)));
    let head = client.head().unwrap();
    assert!([414, 431].contains(&head.status), "{head:?}");
    neighbour_answers(&mut server);
    // What fits is passed on whole.
    let mut client = server.connect();
    let fits: String = (0..100).map(|n| format!("x-{n}: {}\r\n", "y".repeat(100))).collect();
    client.send(format!("GET /echo-headers HTTP/1.1\r\nhost: bad\r\n{fits}\r\n"));
    assert_eq!(client.response().unwrap().text().matches("header: x-").count(), 100 + 3);
}

#[test]
fn a_head_that_comes_slowly_is_not_waited_for() {
    let mut server = wharf().up(app("misbehave", "").folder()).with("--head-timeout 1").start();
    let mut half = server.connect();
    half.send("GET /ok HTTP/1.1\r\nhost: bad\r\nx-sl");
    let idle = server.connect();
    let mut used = server.connect();
    assert_eq!(used.get("bad", "/ok").unwrap().status(), 200);
    // All of them are closed by the server, with or without a word.
    let text = half.rest();
    assert!(text.is_empty() || text.starts_with("HTTP/1.1 408"), "{text}");
    assert_eq!(idle.rest(), "");
    assert!(used.is_closed());
    // A byte now and then is still too slow.
    let mut slow = server.connect();
    let request = "GET /ok HTTP/1.1\r\nhost: bad\r\nx-slow: ".bytes().chain(std::iter::repeat(b'y'));
    slow.socket().set_read_timeout(Some(Duration::from_millis(50))).unwrap();
    let mut request = request.take(10_000);
    until("the slow client to be closed", || {
        let sent = request.next().is_some_and(|byte| slow.try_send([byte]).is_ok());
        !sent || slow.bytes(1).is_err_and(|error| error.kind() != std::io::ErrorKind::WouldBlock)
    });
    neighbour_answers(&mut server);
}

#[test]
fn a_slow_http2_client_is_closed_as_well() {
    let server = wharf().up(guest("hello")).with("--head-timeout 1").start();
    let mut client = server.connect();
    client.send(&wharf_testkit::frames::start()[..30]);
    client.rest();
    let mut client = server.connect();
    client.send(wharf_testkit::frames::start());
    client.rest();
    let mut client = server.connect();
    client.send("PRI * HT");
    client.rest();
}

#[test]
fn connections_over_the_limit_wait_for_their_turn() {
    let server = wharf().up(guest("hello")).with("--connections 2 --cores 1").start();
    let mut first = server.connect();
    let mut second = server.connect();
    assert_eq!(first.get("x", "/").unwrap().status(), 200);
    assert_eq!(second.get("x", "/").unwrap().status(), 200);
    let mut third = server.connect();
    third.send("GET / HTTP/1.1\r\nhost: x\r\n\r\n");
    third.socket().set_read_timeout(Some(Duration::from_millis(300))).unwrap();
    assert!(third.head().is_err(), "a third connection was served beside two");
    drop(first);
    third.socket().set_read_timeout(Some(wharf_testkit::BOUND)).unwrap();
    assert_eq!(third.response().unwrap().text(), "hello\n");
}

#[test]
fn requests_over_the_limit_of_a_component_are_turned_away() {
    for world in ["misbehave", "misbehave-p3"] {
        let app = app(world, "concurrency = 2\nqueue = 0\nwall = \"10m\"");
        let mut server = wharf().up(app.folder()).start();
        let mut holders: Vec<Http1> = (0..2).map(|_| server.connect()).collect();
        for holder in &mut holders {
            holder.send("GET /stall HTTP/1.1\r\nhost: bad\r\n\r\n");
            assert_eq!(holder.head().unwrap().status, 200);
        }
        let refused = server.get("bad", "/ok");
        assert_eq!((refused.status(), refused.header("retry-after")), (503, Some("1")), "{world}");
        assert!(refused.text().starts_with("503 Service Unavailable\n"), "{}", refused.text());
        neighbour_answers(&mut server);
        holders.pop();
        until("a place to be free", || server.get("bad", "/ok").status() == 200);
    }
}

#[test]
fn requests_in_the_queue_are_answered_when_there_is_room() {
    let app = app("misbehave-p3", "concurrency = 1\nqueue = 1\nwall = \"10m\"");
    let server = wharf().up(app.folder()).start();
    let mut holder = server.connect();
    holder.send("GET /stall HTTP/1.1\r\nhost: bad\r\n\r\n");
    assert_eq!(holder.head().unwrap().status, 200);
    let mut waiting = server.connect();
    waiting.send("GET /ok HTTP/1.1\r\nhost: bad\r\n\r\n");
    // The queue has one place: whoever finds it taken is refused, and until it is, takes it and gives up.
    until("the queue to be full", || {
        let mut client = server.connect();
        client.send("GET /ok HTTP/1.1\r\nhost: bad\r\n\r\n");
        client.socket().set_read_timeout(Some(Duration::from_millis(100))).unwrap();
        client.response().is_ok_and(|answer| answer.status() == 503)
    });
    drop(holder);
    let answer = waiting.response().unwrap();
    assert!([200, 503].contains(&answer.status()), "{answer:?}");
    until("the next request to be answered", || server.get("bad", "/ok").status() == 200);
}

#[test]
fn the_instances_of_a_process_are_shared_by_its_components() {
    let parts = service("a", "misbehave", "[component.a.limits]\nqueue = 0\nwall = \"10m\"")
        + &service("b", "misbehave-p3", "[component.b.limits]\nqueue = 0\nwall = \"10m\"");
    let app = App::new(&neighbourhood(&parts));
    let server = wharf().up(app.folder()).with("--instances 3").start();
    let mut holders = Vec::new();
    for host in ["a", "b", "a"] {
        let mut holder = server.connect();
        holder.send(format!("GET /stall HTTP/1.1\r\nhost: {host}\r\n\r\n"));
        assert_eq!(holder.head().unwrap().status, 200);
        holders.push(holder);
    }
    assert_eq!(server.get("b", "/ok").status(), 503);
    drop(holders);
    until("the instances to be free", || server.get("b", "/ok").status() == 200);
}

#[test]
fn ten_thousand_idle_connections_harm_nobody() {
    const SPARE: u64 = 500;
    let limit = getrlimit(Resource::Nofile);
    let most = limit.maximum.unwrap_or(1 << 20);
    setrlimit(Resource::Nofile, rustix::process::Rlimit { current: Some(most), ..limit }).unwrap();
    // The server needs as many descriptors as this test, and inherits the limit.
    let count = most.saturating_sub(SPARE).min(10_000);
    if count < 10_000 {
        println!("scaled down to {count} connections: the limit of open files is {most}");
    }
    let mut server = wharf().up(app("misbehave-p3", "").folder()).start();
    let before = server.status("VmRSS");
    let mut idle = Vec::new();
    for number in 0..count {
        let mut client = server.connect();
        // A third never says a word, a third has begun to, a third was served once.
        match number % 3 {
            0 => {}
            1 => client.send("GET /ok HT"),
            _ => assert_eq!(client.get("bad", "/ok").unwrap().status(), 200),
        }
        idle.push(client);
    }
    let during = server.status("VmRSS");
    neighbour_answers(&mut server);
    // 30 KiB each: what hyper keeps of a connection that was used.
    assert!(during < before + count * 30, "{before} KiB grew to {during} KiB");
    for client in idle.iter_mut().skip(2).step_by(300) {
        assert_eq!(client.get("bad", "/ok").unwrap().status(), 200);
    }
    drop(idle);
    until("the connections to be forgotten", || open_files(&server) < 100);
    neighbour_answers(&mut server);
}

fn open_files(server: &Server) -> usize {
    std::fs::read_dir(format!("/proc/{}/fd", server.pid())).unwrap().count()
}

#[test]
fn a_component_reads_clocks_as_coarse_as_its_manifest_says() {
    let grants = "[component.laps.grants]\nkeyvalue = [\"default\"]\n";
    let coarse = "[component.laps.limits]\nclock-resolution = \"1m\"\n";
    let took = |more: &str| {
        let app = App::new(&neighbourhood(&service("laps", "laps", more)));
        let server = wharf().up(app.folder()).start();
        let answer = server.get("laps", "/set?count=20");
        assert_eq!(answer.status(), 200, "{}", answer.text());
        answer.text().parse::<u64>().unwrap()
    };
    // By chance a minute may begin meanwhile.
    let nanos = took(&format!("{grants}{coarse}"));
    assert_eq!(nanos % 60_000_000_000, 0);
    assert_ne!(took(grants) % 60_000_000_000, 0);
}

#[test]
fn each_component_has_the_stack_that_it_asks_for() {
    let stack = |name: &str, guest: &str, size: &str| {
        service(name, guest, &format!("[component.{name}.limits]\nstack = \"{size}\""))
    };
    let parts = [
        stack("small", "misbehave", "64KiB"),
        stack("large", "misbehave", "4MiB"),
        stack("small3", "misbehave-p3", "64KiB"),
        stack("large3", "misbehave-p3", "4MiB"),
    ];
    let server = wharf().up(App::new(&neighbourhood(&parts.concat())).folder()).start();
    for (small, large) in [("small", "large"), ("small3", "large3")] {
        assert_eq!(server.get(large, "/recursion?depth=5000").text(), "came back from 5000\n");
        assert_eq!(server.get(small, "/recursion?depth=5000").status(), 500);
        assert_eq!(server.get(small, "/recursion?depth=50").text(), "came back from 50\n");
    }
    server.logged("call stack exhausted");
    assert_eq!(server.get("hello", "/").text(), "hello\n");
}
