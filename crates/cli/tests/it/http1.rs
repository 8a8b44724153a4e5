//! HTTP/1.1 as it is and as nobody should write it.

use crate::support::{curl, misbehaving, neighbour_answers, neighbourhood, wharf};
use std::io::Write;
use wharf_testkit::{App, Server, guest, service};

const WORLDS: [&str; 2] = ["misbehave", "misbehave-p3"];

fn echo() -> Server {
    wharf().up(guest("stream-echo")).start()
}

#[test]
fn a_connection_answers_one_request_after_the_other() {
    let server = wharf().up(guest("hello")).start();
    let mut client = server.connect();
    for _ in 0..50 {
        assert_eq!(client.get("x", "/").unwrap().text(), "hello\n");
    }
    client.send("GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
    assert_eq!(client.response().unwrap().header("connection"), Some("close"));
    assert!(client.is_closed());
    let mut client = server.connect();
    client.send("GET / HTTP/1.0\r\nhost: x\r\n\r\n");
    assert_eq!(client.response().unwrap().text(), "hello\n");
    assert!(client.is_closed());
}

#[test]
fn pipelined_requests_are_answered_in_their_order() {
    let app = misbehaving("misbehave", "");
    let server = wharf().up(app.folder()).start();
    let mut client = server.connect();
    let codes = [201, 404, 418, 200, 503, 299];
    let requests: String =
        codes.iter().map(|code| format!("GET /status?code={code} HTTP/1.1\r\nhost: bad\r\n\r\n")).collect();
    client.send(requests);
    for code in codes {
        assert_eq!(client.response().unwrap().status(), code);
    }
    // A body between two requests belongs to the first.
    client
        .send("POST /echo HTTP/1.1\r\nhost: bad\r\ncontent-length: 3\r\n\r\nabcGET /ok HTTP/1.1\r\nhost: bad\r\n\r\n");
    assert_eq!(client.response().unwrap().text(), "abc");
    assert_eq!(client.response().unwrap().text(), "ok\n");
}

/// Each is answered with an error of the 400s, or the connection closes: a request that is not clear is not guessed at.
#[test]
fn malformed_requests_are_refused() {
    let app = misbehaving("misbehave-p3", "");
    let mut server = wharf().up(app.folder()).start();
    let bad: &[&[u8]] = &[
        b"\0\0\0\0\r\n\r\n",
        b"GET\r\n\r\n",
        b"GET / HTTP/9.9\r\nhost: bad\r\n\r\n",
        b"GET /ok HTTP/1.1\r\n\r\n",
        b"GET /ok HTTP/1.1\r\nhost: a b\r\n\r\n",
        b"GET /ok HTTP/1.1\r\nhost bad\r\n\r\n",
        b"GET /ok HTTP/1.1\r\nhost: bad\r\nx : y\r\n\r\n",
        b"GET /ok HTTP/1.1\r\nhost: bad\r\nx: a\0b\r\n\r\n",
        b"GET /ok HTTP/1.1\r\nhost: bad\r\n folded: y\r\n\r\n",
        b"GET /o\xffk HTTP/1.1\r\nhost: bad\r\nx\xff: 1\r\n\r\n",
        b"POST /ok HTTP/1.1\r\nhost: bad\r\ncontent-length: -1\r\n\r\n",
        b"POST /ok HTTP/1.1\r\nhost: bad\r\ncontent-length: 1, 2\r\n\r\nab",
        b"POST /ok HTTP/1.1\r\nhost: bad\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab",
        b"POST /ok HTTP/1.1\r\nhost: bad\r\ncontent-length: 99999999999999999999999\r\n\r\n",
        b"POST /ok HTTP/1.1\r\nhost: bad\r\ntransfer-encoding: gzip\r\n\r\n",
        b"CONNECT bad:443 HTTP/1.1\r\nhost: bad\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 a TLS client that has the wrong port",
    ];
    for request in bad {
        let mut client = server.connect();
        client.send(request);
        client.finish_sending();
        let answer = client.rest();
        let shown = String::from_utf8_lossy(request);
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 4"), "{shown:?}: {answer:?}");
        neighbour_answers(&mut server);
    }
}

/// What one server takes for one request and another for two is how requests are smuggled.
#[test]
fn a_length_and_chunks_together_do_not_smuggle_a_request() {
    let app = misbehaving("misbehave", "");
    let server = wharf().up(app.folder()).start();
    let mut client = server.connect();
    client.send(
        "POST /echo HTTP/1.1\r\nhost: bad\r\ncontent-length: 4\r\ntransfer-encoding: chunked\r\n\r\n\
         0\r\n\r\nGET /status?code=299 HTTP/1.1\r\nhost: bad\r\n\r\n",
    );
    client.finish_sending();
    let answers = client.rest();
    assert!(!answers.contains(" 299 "), "{answers}");
}

#[test]
fn chunks_that_are_none_break_the_request_off() {
    for world in WORLDS {
        let app = misbehaving(world, "");
        let mut server = wharf().up(app.folder()).start();
        for chunks in ["zz\r\nabc\r\n", "5\r\nab", "ffffffffffffffffff\r\na", "3\r\nabcdef\r\n0\r\n\r\n"] {
            let mut client = server.connect();
            client.send(format!("POST /echo HTTP/1.1\r\nhost: bad\r\ntransfer-encoding: chunked\r\n\r\n{chunks}"));
            client.finish_sending();
            let answer = client.rest();
            // The guest of 0.2 takes any end for the end; that of 0.3 passes the error on.
            let is_whole = answer.starts_with("HTTP/1.1 200") && answer.ends_with("0\r\n\r\n");
            assert!(!is_whole || world == "misbehave", "{world} {chunks:?}: {answer}");
            neighbour_answers(&mut server);
        }
    }
}

#[test]
fn the_hosts_own_stream_is_a_body_to_its_end() {
    let grant = "[component.NAME.grants]\nfiles = [\".::/data:ro\"]";
    let part =
        |name: &str, reuse: &str| service(name, "misbehave-p3", &format!("{reuse}\n{}", grant.replace("NAME", name)));
    let parts = [
        part("fresh", ""),
        part("last", "reuse = { requests = 1 }"),
        part("reused", "reuse = { requests = 100, concurrent = 10 }"),
    ];
    let app = App::new(&neighbourhood(&parts.concat()));
    let bytes: Vec<u8> = (0..3_000_000u32).map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes()[3]).collect();
    app.write("big.bin", &bytes);
    app.write("empty.bin", "");
    let mut server = wharf().up(app.folder()).start();
    for host in ["fresh", "last", "reused"] {
        for _ in 0..3 {
            let response = server.get(host, "/pass-file?path=/big.bin");
            assert_eq!((response.status(), response.body.len()), (200, bytes.len()), "{host}");
            assert!(response.body == bytes, "{host}");
        }
        assert_eq!(server.get(host, "/pass-file?path=/empty.bin").text(), "");
        // A client that leaves in the middle takes the instance with it, or leaves it to the others.
        let mut client = server.connect();
        client.send(format!("GET /pass-file?path=/big.bin HTTP/1.1\r\nhost: {host}\r\n\r\n"));
        drop(client);
    }
    neighbour_answers(&mut server);
    assert_eq!(server.get("reused", "/pass-file?path=/big.bin").body.len(), bytes.len());
}

#[test]
fn bodies_stream_both_ways_at_once() {
    let server = echo();
    let mut client = server.connect();
    client.send("POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\ncontent-type: text/x-test\r\n\r\n");
    for round in 0..20 {
        let piece = format!("piece {round}");
        client.send(format!("{:x}\r\n{piece}\r\n", piece.len()));
        if round == 0 {
            let head = client.head().unwrap();
            assert_eq!((head.status, head.header("content-type")), (200, Some("text/x-test")));
        }
        // Each piece is back before the next one is sent.
        assert_eq!(String::from_utf8(client.chunk().unwrap()).unwrap(), piece);
    }
    client.send("0\r\n\r\n");
    assert_eq!(client.chunk().unwrap(), b"");
}

#[test]
fn trailers_go_both_ways() {
    let app = App::new(&format!(
        "name = \"x\"\n{}{}{}",
        service("example", "stream-echo", ""),
        service("p2", "misbehave", ""),
        service("p3", "misbehave-p3", "")
    ));
    let server = wharf().up(app.folder()).start();
    for (host, path) in [("example", "/"), ("p2", "/echo"), ("p3", "/echo")] {
        let mut client = server.connect();
        client.send(format!(
            "POST {path} HTTP/1.1\r\nhost: {host}\r\nte: trailers\r\ntrailer: x-sum\r\ntransfer-encoding: chunked\r\n\r\n\
             3\r\nabc\r\n0\r\nx-sum: 6\r\n\r\n"
        ));
        let answer = client.response().unwrap();
        assert_eq!(answer.text(), "abc", "{host}");
        assert_eq!(answer.trailers, [("x-sum".to_owned(), "6".to_owned())], "{host}");
    }
}

/// More is sent than anybody may keep, and nothing of the answer is taken: somewhere the client has to wait.
#[test]
fn a_client_that_does_not_read_is_not_read_from() {
    let app = App::new(&format!(
        "name = \"x\"\n{}{}",
        service("example", "stream-echo", "[component.example.limits]\nrequest-body = \"1GiB\""),
        service("p2", "misbehave", "[component.p2.limits]\nrequest-body = \"1GiB\"")
    ));
    let server = wharf().up(app.folder()).with("--cores 1").start();
    for (host, path) in [("example", "/"), ("p2", "/echo")] {
        let mut client = server.connect();
        client.send(format!("POST {path} HTTP/1.1\r\nhost: {host}\r\ncontent-length: 1000000000\r\n\r\n"));
        client.socket().set_write_timeout(Some(std::time::Duration::from_millis(500))).unwrap();
        let before = server.status("VmRSS");
        let mut sent = 0;
        let piece = vec![b'x'; 64 * 1024];
        while let Ok(bytes) = client.socket().write(&piece) {
            sent += bytes;
            assert!(sent < 200 << 20, "{host}: {sent} bytes were taken, and none of the answer");
        }
        let grown = server.status("VmRSS").saturating_sub(before);
        assert!(grown < 48 << 10, "{host}: {grown} KiB for {sent} bytes");
    }
}

#[test]
fn a_large_body_passes_through_without_growth() {
    const BYTES: usize = 96 << 20;
    let app = App::new(&format!(
        "name = \"x\"\n{}{}",
        service(
            "example",
            "stream-echo",
            "[component.example.limits]\nrequest-body = \"1GiB\"\ncpu = \"1m\"\nwall = \"2m\""
        ),
        service("p2", "misbehave", "[component.p2.limits]\nrequest-body = \"1GiB\"\ncpu = \"1m\"\nwall = \"2m\"")
    ));
    let server = wharf().up(app.folder()).start();
    for (host, path) in [("example", "/"), ("p2", "/echo")] {
        let mut client = server.connect();
        client.send(format!("POST {path} HTTP/1.1\r\nhost: {host}\r\ncontent-length: {BYTES}\r\n\r\n"));
        let before = server.status("VmRSS");
        let mut writer = client.socket().try_clone().unwrap();
        let sending = std::thread::spawn(move || {
            let piece: Vec<u8> = (0..=255).cycle().take(1 << 16).collect();
            (0..BYTES / piece.len()).for_each(|_| writer.write_all(&piece).unwrap());
        });
        assert_eq!(client.head().unwrap().status, 200, "{host}");
        let (mut bytes, mut most) = (0, before);
        loop {
            let chunk = client.chunk().unwrap();
            if chunk.is_empty() {
                break;
            }
            assert!(
                chunk.iter().enumerate().all(|(at, byte)| usize::from(*byte) == (bytes + at) % 256),
                "{host} at {bytes}"
            );
            bytes += chunk.len();
            most = most.max(server.status("VmRSS"));
        }
        sending.join().unwrap();
        assert_eq!(bytes, BYTES);
        assert!(most < before + (48 << 10), "{host}: {before} KiB grew to {most} KiB");
    }
}

#[test]
fn a_client_that_expects_a_go_ahead_gets_it_when_the_guest_reads() {
    for (world, path) in [("misbehave", "/echo"), ("misbehave-p3", "/echo")] {
        let app = misbehaving(world, "");
        let server = wharf().up(app.folder()).start();
        let mut client = server.connect();
        client.send(format!("POST {path} HTTP/1.1\r\nhost: bad\r\ncontent-length: 2\r\nexpect: 100-continue\r\n\r\n"));
        let mut head = client.head().unwrap();
        if head.status == 100 {
            client.send("hi");
            head = client.head().unwrap();
        } else {
            client.send("hi");
        }
        assert_eq!(head.status, 200, "{world}");
        assert_eq!(client.chunk().unwrap(), b"hi", "{world}");
        // A guest that does not read gives no go-ahead: the client keeps its body.
        let mut client = server.connect();
        client
            .send("POST /never-read HTTP/1.1\r\nhost: bad\r\ncontent-length: 9999999\r\nexpect: 100-continue\r\n\r\n");
        assert_eq!(client.response().unwrap().text(), "ok\n", "{world}");
    }
}

#[test]
fn an_early_answer_does_not_end_the_request() {
    for world in WORLDS {
        let app = misbehaving(world, "");
        let server = wharf().up(app.folder()).start();
        let mut client = server.connect();
        client.send("POST /early HTTP/1.1\r\nhost: bad\r\ncontent-length: 10\r\n\r\n");
        assert_eq!(client.head().unwrap().status, 200, "{world}");
        assert_eq!(client.chunk().unwrap(), b"early\n", "{world}");
        client.send("0123456789");
        assert_eq!(client.chunk().unwrap(), b"then read 10 bytes\n", "{world}");
        assert_eq!(client.chunk().unwrap(), b"", "{world}");
    }
}

#[test]
fn a_half_closed_client_gets_its_answer() {
    for world in WORLDS {
        let app = misbehaving(world, "");
        let server = wharf().up(app.folder()).start();
        for path in ["/ok", "/late?ms=700", "/echo-headers"] {
            let mut client = server.connect();
            client.send(format!("GET {path} HTTP/1.1\r\nhost: bad\r\n\r\n"));
            client.finish_sending();
            assert_eq!(client.response().unwrap().status(), 200, "{world} {path}");
        }
    }
}

#[test]
fn an_answer_to_head_has_no_body() {
    let app = App::new(&neighbourhood(&service("p3", "misbehave-p3", "")));
    let server = wharf().up(app.folder()).start();
    let mut client = server.connect();
    for host in ["hello", "p3"] {
        client.send(format!("HEAD /ok HTTP/1.1\r\nhost: {host}\r\n\r\n"));
        assert_eq!(client.head().unwrap().status, 200, "{host}");
        // The next thing on the wire is the next answer.
        client.send(format!("GET /ok HTTP/1.1\r\nhost: {host}\r\n\r\n"));
        assert_eq!(client.response().unwrap().status(), 200, "{host}");
    }
    let (text, code) = curl(&["--head", &format!("{}/ok", server.url), "--header", "host: p3"]);
    assert!(text.starts_with("HTTP/1.1 200 OK") && code == 0, "{text}");
}

#[test]
fn curl_sees_that_a_broken_answer_is_broken() {
    for world in WORLDS {
        let app = misbehaving(world, "");
        let server = wharf().up(app.folder()).start();
        for path in ["/trap-mid", "/loop-mid", "/short-length"] {
            for version in ["--http1.1", "--http2-prior-knowledge"] {
                let url = format!("{}{path}", server.url);
                let (_, code) = curl(&[version, "--header", "host: bad", "--output", "/dev/null", &url]);
                assert_ne!(code, 0, "{world} {path} {version}");
            }
        }
    }
}

#[test]
fn every_request_has_a_name_that_guest_client_and_log_agree_on() {
    let app = misbehaving("misbehave", "");
    let server = wharf().up(app.folder()).with("--access-log on").start();
    let mut client = server.connect();
    client.send("GET /echo-headers HTTP/1.1\r\nhost: bad\r\nx-request-id: mine-42\r\n\r\n");
    let answer = client.response().unwrap();
    assert_eq!(answer.header("x-request-id"), Some("mine-42"));
    assert!(answer.text().contains("header: x-request-id: mine-42"), "{}", answer.text());
    server.logged("mine-42");
    client.send("GET /echo-headers HTTP/1.1\r\nhost: bad\r\nx-request-id: not \"mine\"\r\n\r\n");
    let answer = client.response().unwrap();
    let id = answer.header("x-request-id").unwrap().to_owned();
    assert!(!id.contains("mine") && answer.text().contains(&format!("header: x-request-id: {id}")), "{id}");
    server.logged(&id);
}

#[test]
fn where_a_request_comes_from_cannot_be_made_up() {
    const CLAIMS: &str = "forwarded: for=1.1.1.1;proto=https\r\nx-forwarded-for: 1.1.1.1\r\nx-forwarded-proto: https\r\n\
                          x-forwarded-host: bank.example\r\nx-real-ip: 1.1.1.1\r\nwharf-param-id: 7\r\n";
    let seen = |flags: &str| {
        let server = wharf().up(guest("misbehave-p3")).with(flags).start();
        let mut client = server.connect();
        client.send(format!("GET /echo-headers HTTP/1.1\r\nhost: shop\r\n{CLAIMS}\r\n"));
        let text = client.response().unwrap().text();
        text.lines().filter(|line| !line.contains("x-request-id")).map(|line| format!("{line}\n")).collect::<String>()
    };
    let text = seen("");
    for line in ["forwarded: for=127.0.0.1;proto=http\n", "x-forwarded-for: 127.0.0.1\n", "x-forwarded-proto: http\n"] {
        assert!(text.contains(line), "{line} is missing in {text}");
    }
    assert!(!text.contains("1.1.1.1") && !text.contains("bank.example") && !text.contains("wharf-param"), "{text}");
    assert_eq!(text, seen("--trust-proxy 10.0.0.0/8"));
    let text = seen("--trust-proxy 127.0.0.0/8");
    for line in [
        "forwarded: for=1.1.1.1;proto=https, for=127.0.0.1;proto=http\n",
        "x-forwarded-for: 1.1.1.1, 127.0.0.1\n",
        "x-forwarded-proto: https\n",
        "x-forwarded-host: bank.example\n",
    ] {
        assert!(text.contains(line), "{line} is missing in {text}");
    }
    assert!(!text.contains("wharf-param"), "{text}");
}
