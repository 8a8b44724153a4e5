//! Guests that loop, hoard, trap and lie: each costs its own request, and nobody else anything.

use crate::support::{misbehaving, neighbour_answers, neighbourhood, wharf};
use std::net::Shutdown;
use wharf_testkit::{App, Broken, Response, Server, service, until};

/// What a client must see.
#[derive(Clone, Copy, Debug)]
enum Seen {
    /// A complete answer of this status, with this in it.
    Whole(u16, &'static str),
    /// An error page of this status; the log has the code.
    Failed(u16, &'static str),
    /// A complete answer of this status, with this in it; what the guest did after it is in the log.
    WholeThen(u16, &'static str, &'static str),
    /// A head of status 200 and a part of the body, then the connection breaks; the log has the code.
    Cut(&'static str),
    /// A complete answer or a broken one, by who was faster; the log has the code.
    Either(&'static str),
    /// An error of the guest or of the host, or a broken answer; never a complete one that the guest did not give.
    NotWhole,
}

/// Every case that both worlds have.
const CASES: &[(&str, Seen)] = &[
    ("/loop-before", Seen::Failed(504, "WHARF-0031")),
    ("/loop-mid", Seen::Cut("WHARF-0031")),
    ("/trap-before", Seen::Failed(500, "WHARF-0030")),
    ("/trap-mid", Seen::Cut("WHARF-0030")),
    ("/trap-after", Seen::Either("WHARF-0030")),
    ("/loop-after", Seen::WholeThen(200, "part of the body\n", "WHARF-0031")),
    ("/stall", Seen::Cut("WHARF-0032")),
    ("/late?ms=3600000", Seen::Failed(504, "WHARF-0032")),
    ("/endless", Seen::Cut("WHARF-0039")),
    ("/memory?then=trap", Seen::Failed(500, "WHARF-0033")),
    ("/memory?then=retry", Seen::Failed(504, "WHARF-0031")),
    ("/recursion", Seen::Failed(500, "WHARF-0030")),
    ("/recursion?depth=100", Seen::Whole(200, "came back from 100")),
    ("/handles", Seen::Failed(500, "WHARF-0030")),
    ("/handles?n=100", Seen::Whole(200, "kept 100")),
    ("/headers", Seen::NotWhole),
    ("/headers?n=100&size=500", Seen::Whole(200, "many headers")),
    ("/headers?n=1&size=100000", Seen::NotWhole),
    ("/short-length", Seen::NotWhole),
    ("/long-length", Seen::NotWhole),
    ("/empty-writes?n=5000", Seen::Whole(200, "done\n")),
    ("/ok", Seen::Whole(200, "ok\n")),
];

impl Seen {
    fn code(self) -> Option<&'static str> {
        match self {
            Self::Failed(_, code) | Self::WholeThen(_, _, code) | Self::Cut(code) | Self::Either(code) => Some(code),
            Self::Whole(..) | Self::NotWhole => None,
        }
    }

    fn fits(self, answer: &Result<Response, Broken>) -> bool {
        let is_whole = |status, text| {
            answer.as_ref().is_ok_and(|answer| answer.status() == status && answer.text().contains(text))
        };
        match self {
            Self::Whole(status, text) | Self::WholeThen(status, text, _) => is_whole(status, text),
            Self::Failed(status, _) => answer.as_ref().is_ok_and(|answer| is_an_error_page(answer, status)),
            Self::Cut(_) => {
                let is_part =
                    |broken: &Broken| !broken.body.is_empty() && "part of the body".starts_with(&first(broken));
                is_cut(answer) && answer.as_ref().is_err_and(|broken| broken.head.is_some() && is_part(broken))
            }
            Self::Either(_) => is_whole(200, "") || is_cut(answer),
            Self::NotWhole => answer.as_ref().map_or(true, |answer| answer.status() >= 500),
        }
    }
}

/// Asks for `path` and returns what is wrong with what came, if something is.
fn complaint(server: &Server, host: &str, path: &str, expected: Seen) -> Option<String> {
    let count = |code| server.log().matches(code).count();
    let before = expected.code().map(count);
    let answer = server.connect().get(host, path);
    if !expected.fits(&answer) {
        return Some(format!("{host}{path}: expected {expected:?}, saw {}", short(&answer)));
    }
    if let Some(code) = expected.code() {
        until(&format!("{code} after {path}"), || Some(count(code)) > before);
    }
    None
}

/// The first bytes of a body: of the one that says so, or of the endless one.
fn first(broken: &Broken) -> String {
    let text: String = broken.body.iter().take(4).map(|byte| char::from(*byte)).collect();
    text.replace("xxxx", "part")
}

fn is_cut(answer: &Result<Response, Broken>) -> bool {
    answer.as_ref().is_err_and(|broken| broken.head.as_ref().is_none_or(|head| head.status == 200))
}

/// What a client may know: the status, and the name of the request to ask about.
fn is_an_error_page(answer: &Response, status: u16) -> bool {
    let text = answer.text();
    let id = answer.header("x-request-id").unwrap_or("?");
    answer.status() == status
        && text.starts_with(&status.to_string())
        && text.contains(id)
        && !text.contains("wasm")
        && text.len() < 100
}

fn short(answer: &Result<Response, Broken>) -> String {
    let mut text = format!("{answer:?}");
    text.truncate(300);
    text
}

/// Runs every case against one component, each followed by the neighbour's answer.
fn survives_all(guest: &str, more: &str, extra: &[(&str, Seen)]) {
    let app = misbehaving(guest, more);
    let mut server = wharf().up(app.folder()).start();
    let mut complaints = Vec::new();
    // The last one leaves an instance that has all the memory it may have.
    let last = ("/memory?then=answer", Seen::Whole(200, "grew by "));
    for (path, expected) in CASES.iter().chain(extra).chain([&last]) {
        complaints.extend(complaint(&server, "bad", path, *expected));
        neighbour_answers(&mut server);
    }
    assert!(complaints.is_empty(), "{}\n{}", complaints.join("\n"), server.log());
}

const ONLY_P2: &[(&str, Seen)] =
    &[("/no-response", Seen::Failed(500, "WHARF-0035")), ("/handles?kind=pollables", Seen::Failed(500, "WHARF-0030"))];

const ONLY_P3: &[(&str, Seen)] = &[
    ("/no-response", Seen::Failed(502, "WHARF-0036")),
    ("/error-mid", Seen::Cut("WHARF-0040")),
    ("/handles?kind=streams", Seen::Failed(500, "WHARF-0030")),
];

const REUSE: &str = "reuse = { requests = 100, concurrent = 4, idle = \"10s\" }";

#[test]
fn wasi_0_2_on_fresh_instances() {
    survives_all("misbehave", "", ONLY_P2);
}

#[test]
fn wasi_0_3_on_fresh_instances() {
    survives_all("misbehave-p3", "", ONLY_P3);
}

#[test]
fn wasi_0_2_on_reused_instances() {
    survives_all("misbehave", REUSE, ONLY_P2);
}

#[test]
fn wasi_0_3_on_reused_instances() {
    survives_all("misbehave-p3", REUSE, ONLY_P3);
}

#[test]
fn what_a_reused_instance_does_after_its_answer_is_logged_once_with_the_request() {
    let app = misbehaving("misbehave", REUSE);
    let server = wharf().up(app.folder()).start();
    for (path, code) in [("/loop-after", "WHARF-0031"), ("/trap-mid", "WHARF-0030")] {
        let mut client = server.connect();
        client.send(format!("GET {path} HTTP/1.1\r\nhost: bad\r\n\r\n"));
        let id = client.head().unwrap().header("x-request-id").unwrap().to_owned();
        server.logged(&format!("request=\"{id}\""));
        assert_eq!(server.log().matches(code).count(), 1, "{path}: {}", server.log());
    }
}

#[test]
fn bombs_and_starts_that_do_not_end_are_defused() {
    let small = "[component.NAME.limits]\nmemory = \"16MiB\"\ncpu = \"200ms\"\nwall = \"5s\"";
    let cases: [(&str, Seen); 4] = [
        ("memory-bomb-many", Seen::Failed(500, "WHARF-0033")),
        ("table-bomb", Seen::Failed(500, "WHARF-003")),
        ("start-loop", Seen::Failed(504, "WHARF-0031")),
        ("start-trap", Seen::Failed(500, "WHARF-0030")),
    ];
    let parts: String = cases.iter().map(|(name, _)| service(name, name, &small.replace("NAME", name))).collect();
    let app = App::new(&neighbourhood(&parts));
    let mut server = wharf().up(app.folder()).start();
    for (name, expected) in cases {
        for _ in 0..3 {
            assert_eq!(complaint(&server, name, "/", expected), None, "{}", server.log());
            neighbour_answers(&mut server);
        }
    }
}

#[test]
fn an_instance_that_failed_is_not_used_again() {
    for guest in ["misbehave", "misbehave-p3"] {
        let app = misbehaving(guest, REUSE);
        let server = wharf().up(app.folder()).with("--cores 1").start();
        let count = || server.get("bad", "/count").text();
        assert_eq!((count(), count()), ("1\n".to_owned(), "2\n".to_owned()), "{guest}");
        for harm in ["/trap-before", "/loop-before", "/memory?then=trap", "/trap-mid", "/stall"] {
            assert!(count() != "1\n", "{guest}");
            let _ = server.connect().get("bad", harm);
            assert_eq!(count(), "1\n", "{guest} after {harm}");
        }
    }
}

#[test]
fn a_fresh_instance_remembers_nothing() {
    for guest in ["misbehave", "misbehave-p3"] {
        let app = misbehaving(guest, "");
        let server = wharf().up(app.folder()).with("--cores 1").start();
        for _ in 0..3 {
            assert_eq!(server.get("bad", "/count").text(), "1\n", "{guest}");
        }
    }
}

#[test]
fn a_large_request_that_is_never_read_does_not_hold_up_its_answer() {
    for guest in ["misbehave", "misbehave-p3"] {
        let app = misbehaving(guest, "");
        let mut server = wharf().up(app.folder()).start();
        for _ in 0..3 {
            let mut client = server.connect();
            client.send("POST /never-read HTTP/1.1\r\nhost: bad\r\ncontent-length: 67108864\r\n\r\n");
            let mut writer = client.socket().try_clone().unwrap();
            let sending = std::thread::spawn(move || {
                use std::io::Write;
                // Ends when the server closes, or has taken all of it.
                (0..1024).take_while(|_| writer.write_all(&[b'x'; 65536]).is_ok()).count()
            });
            let answer = client.response().unwrap();
            assert_eq!((answer.status(), answer.text().as_str()), (200, "ok\n"), "{guest}");
            let _ = client.socket().shutdown(Shutdown::Both);
            sending.join().unwrap();
            neighbour_answers(&mut server);
        }
    }
}

#[test]
fn a_request_body_that_stalls_ends_with_the_wall_time() {
    for guest in ["misbehave", "misbehave-p3"] {
        let app = misbehaving(guest, "");
        let mut server = wharf().up(app.folder()).start();
        let mut client = server.connect();
        client.send("POST /echo HTTP/1.1\r\nhost: bad\r\ncontent-length: 1000\r\n\r\nthe first part");
        let head = client.head().unwrap();
        assert_eq!(head.status, 200);
        let rest = client.rest();
        assert!(!rest.ends_with("0\r\n\r\n"), "{guest}: {rest}");
        server.logged("WHARF-0032");
        neighbour_answers(&mut server);
    }
}

/// The component has one place and no queue: while somebody is answered, everybody else is turned away.
fn ends_with_its_client(guest: &str, more: &str) {
    let limits = "[component.bad.limits]\nconcurrency = 1\nqueue = 0\nwall = \"10m\"";
    let app = App::new(&neighbourhood(&service("bad", guest, &format!("{more}\n{limits}"))));
    let mut server = wharf().up(app.folder()).start();
    let status = || server.get("bad", "/ok").status();
    for path in ["/late?ms=3600000", "/stall", "/endless"] {
        let mut clients = Vec::new();
        // A request that meets one of these looks is turned away itself, and sent again.
        until("the guest to run", || {
            let mut client = server.connect();
            client.send(format!("GET {path} HTTP/1.1\r\nhost: bad\r\n\r\n"));
            clients.push(client);
            status() == 503
        });
        drop(clients);
        until(&format!("the guest to be ended: {path}"), || status() == 200);
    }
    neighbour_answers(&mut server);
}

#[test]
fn a_fresh_guest_is_ended_when_its_client_leaves() {
    for guest in ["misbehave", "misbehave-p3"] {
        ends_with_its_client(guest, "");
    }
}

#[test]
fn a_reused_guest_gives_its_place_back_when_its_client_leaves() {
    for guest in ["misbehave", "misbehave-p3"] {
        ends_with_its_client(guest, REUSE);
    }
}

#[test]
fn a_guest_that_returns_after_its_client_left_harms_nobody() {
    for guest in ["misbehave", "misbehave-p3"] {
        let app = misbehaving(guest, "");
        let mut server = wharf().up(app.folder()).start();
        for _ in 0..20 {
            let mut client = server.connect();
            client.send("GET /late?ms=1 HTTP/1.1\r\nhost: bad\r\n\r\n");
        }
        for _ in 0..20 {
            let mut client = server.connect();
            client.send("POST /early HTTP/1.1\r\nhost: bad\r\ncontent-length: 10\r\n\r\nhalf");
        }
        neighbour_answers(&mut server);
        assert_eq!(server.get("bad", "/ok").text(), "ok\n");
    }
}

/// All of them run on one core, and none would end by itself within the test.
#[test]
fn guests_that_spin_do_not_hold_up_their_neighbour() {
    for guest in ["misbehave", "misbehave-p3"] {
        let limits = "[component.bad.limits]\ncpu = \"10m\"\nwall = \"10m\"\nconcurrency = 8\nqueue = 0";
        let app = App::new(&neighbourhood(&service("bad", guest, limits)));
        let mut server = wharf().up(app.folder()).with("--cores 1").start();
        let mut spinning = Vec::new();
        until("all places to be taken", || {
            let mut client = server.connect();
            client.send("GET /loop-before HTTP/1.1\r\nhost: bad\r\n\r\n");
            spinning.push(client);
            server.get("bad", "/ok").status() == 503
        });
        for _ in 0..20 {
            neighbour_answers(&mut server);
        }
        drop(spinning);
        until("the guests to be ended", || server.get("bad", "/ok").status() == 200);
    }
}

/// The first rounds fill caches of the allocator and of the pool; what comes after must not add up.
#[test]
fn memory_is_where_it_was_after_many_rounds() {
    let harms =
        ["/memory?then=trap", "/recursion", "/handles", "/trap-mid", "/endless", "/headers", "/empty-writes?n=20000"];
    let parts = service("p2", "misbehave", "[component.p2.limits]\nmemory = \"16MiB\"\nresponse-body = \"1MiB\"")
        + &service("p3", "misbehave-p3", "[component.p3.limits]\nmemory = \"16MiB\"\nresponse-body = \"1MiB\"")
        + &service(
            "p3r",
            "misbehave-p3",
            &format!("{REUSE}\n[component.p3r.limits]\nmemory = \"16MiB\"\nresponse-body = \"1MiB\""),
        );
    let app = App::new(&neighbourhood(&parts));
    let mut server = wharf().up(app.folder()).with("--quiet").start();
    let round = || {
        for host in ["p2", "p3", "p3r"] {
            for path in harms {
                let _ = server.connect().get(host, path);
            }
        }
    };
    (0..3).for_each(|_| round());
    let before = server.status("VmRSS");
    (0..8).for_each(|_| round());
    let after = server.status("VmRSS");
    assert!(after < before + 24 * 1024, "{before} KiB grew to {after} KiB");
    neighbour_answers(&mut server);
}
