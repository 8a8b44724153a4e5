//! Streams and futures between a component and its dependency: `feeder` calls `mill`, fused or isolated.

use crate::support::{answers, linked};
use std::io::Write as _;
use wharf_testkit::{Http1, Server, eventually};

const LINKS: [&str; 2] = ["fused", "isolated"];

fn up(link: &str, feeder: &str, mill: &str) -> Server {
    linked(link, ["feeder", "mill"], [feeder, mill])
}

fn patient(link: &str) -> Server {
    up(link, "cpu = \"30s\"\nwall = \"60s\"", "cpu = \"30s\"\nwall = \"60s\"")
}

/// Returns the numbers of an answer.
#[track_caller]
fn numbers(server: &Server, path: &str) -> Vec<u64> {
    let text = server.get("t", path).text();
    text.split(' ').map(|word| word.parse().unwrap_or_else(|_| panic!("{path}: {text}\n{}", server.log()))).collect()
}

#[test]
fn streams_and_futures_cross_both_kinds_of_links_alike() {
    for link in LINKS {
        let server = patient(link);
        answers(&server, "/words", "[1, 0, 4, 7, 1048576]");
        answers(&server, "/lists", "[[3, -2, 1], [], [-32768]]");
        answers(&server, "/later", "6");
        answers(&server, "/promise", "Ok(7)");
        answers(&server, "/promise-hard", "7");
        answers(&server, "/told?count=100000", "100000 bytes, Ok(100000)");
        // One end goes away: the other one knows.
        answers(&server, "/left", "1000 bytes, then its writer knew");
        answers(&server, "/take?count=5000", "true, then the writer knew");
    }
}

/// Sends a body while the answer is read, as an answer that streams wants it.
fn post(server: &Server, path: &str, body: &[u8]) -> Http1 {
    let mut client = server.connect();
    client.send(format!("POST {path} HTTP/1.1\r\nhost: t\r\ncontent-length: {}\r\n\r\n", body.len()));
    let (mut writer, body) = (client.socket().try_clone().unwrap(), body.to_vec());
    std::thread::spawn(move || writer.write_all(&body));
    client
}

#[test]
fn a_large_body_goes_through_a_dependency_and_back() {
    let body: Vec<u8> = (b'a'..=b'z').cycle().take(10 << 20).collect();
    for link in LINKS {
        let server = patient(link);
        let answer = post(&server, "/count", &body).response().unwrap();
        assert_eq!(answer.text(), "10485760 bytes, 0 in lower case, Ok(10485760)", "{link}");
        let mut client = post(&server, "/upper", &body);
        assert_eq!(client.head().unwrap().status, 200, "{link}");
        let mut upper = Vec::with_capacity(body.len());
        loop {
            let chunk = client.chunk().unwrap();
            if chunk.is_empty() {
                break;
            }
            upper.extend(chunk);
        }
        assert!(upper == body.to_ascii_uppercase(), "{link}: {} bytes of {}", upper.len(), body.len());
    }
}

#[test]
fn who_is_not_read_waits() {
    for link in LINKS {
        let server = patient(link);
        let before = server.status("VmRSS");
        // What is on its way is a piece or two: the guests' are of 1 KiB and of 64 KiB.
        let held = numbers(&server, "/held?ms=300");
        assert!(held[0] <= 2 << 10, "{link}: {held:?}");
        let slow = numbers(&server, "/slow?ms=300");
        let [before_read, read, after_read] = slow[..] else { panic!("{link}: {slow:?}") };
        assert_eq!(read, 1000, "{link}");
        assert!(before_read <= 128 << 10 && after_read <= 192 << 10, "{link}: {slow:?}");
        assert!(server.status("VmRSS") < before + (32 << 10), "{link}");
    }
}

#[test]
fn a_request_whose_stream_is_never_read_ends_by_its_own_limit() {
    let server = up("isolated", "wall = \"1s\"", "wall = \"20s\"");
    assert_eq!(server.get("t", "/stuck").status(), 504, "{}", server.log());
    answers(&server, "/ticks", "5");
}

#[test]
fn the_budget_of_a_dependency_lasts_as_long_as_its_streams() {
    let server = up("isolated", "wall = \"20s\"", "wall = \"1s\"");
    assert_eq!(server.get("t", "/stuck").status(), 200, "{}", server.log());
    server.logged("WHARF-0032: the component took longer than its 1s");
}

#[test]
fn a_dependency_that_fails_in_the_middle_of_a_stream_is_told_of() {
    let server = up("isolated", "cpu = \"5s\"", "cpu = \"300ms\"");
    let failed =
        |name: &str, why: &str| format!("Err(\"the dependency mill failed in `{name}`: the component {why}\")");
    let told = format!("100000 bytes, {}", failed("grow-told", "trapped"));
    answers(&server, "/told?count=100000&end=panic", &told);
    let told = format!("5 bytes, {}", failed("grow-told", "used more than its 300ms of CPU time"));
    answers(&server, "/told?count=5&end=loop", &told);
    let told = format!("0 bytes, {}", failed("grow-told", "trapped"));
    answers(&server, "/told?count=0&end=panic", &told);
    answers(&server, "/promise?end=panic", &failed("promise", "trapped"));
    // Without a future that could say so, the answer is broken off: nobody takes a part for the whole.
    let broken = server.connect().get("t", "/grow?count=1000000&end=panic").unwrap_err();
    assert_eq!((broken.head.map(|head| head.status), broken.body.len() <= 1_000_000), (Some(200), true));
    server.logged("WHARF-0054: the dependency mill failed in `grow`: the component trapped");
    assert_eq!(server.get("t", "/promise-hard?end=panic").status(), 502);
    answers(&server, "/ticks", "5");
}

#[test]
fn a_client_that_leaves_ends_all_who_stream_to_it() {
    // One instance at a time: the next request is answered when the last one's are gone.
    let one = "cpu = \"20s\"\nwall = \"30s\"\nconcurrency = 1";
    let mut server = up("isolated", one, one);
    for _ in 0..3 {
        let mut client = server.connect();
        client.send("GET /grow?count=1000000000000 HTTP/1.1\r\nhost: t\r\n\r\n");
        assert_eq!(client.head().unwrap().status, 200);
        client.bytes(300_000).unwrap();
        drop(client);
        eventually("the next request is answered", || {
            let answer = server.get("t", "/ticks");
            (answer.status() == 200).then_some(())
        });
    }
    assert!(server.is_alive());
}
