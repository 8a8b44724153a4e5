//! HTTP/2, by a decent client and frame by frame.

use crate::support::{curl, misbehaving, neighbour_answers, neighbourhood, wharf};
use bytes::Bytes;
use http::{HeaderMap, Request};
use http_body_util::BodyExt;
use hyper::body::Frame;
use wharf_testkit::{App, Connection, empty, eventually, frames, full, guest, piecewise, service};

#[tokio::test]
async fn prior_knowledge_is_enough_on_a_plain_connection() {
    let server = wharf().up(guest("hello-p3")).start();
    let mut connection = Connection::http2(server.address).await;
    for _ in 0..20 {
        let answer = connection.get(&format!("{}/x", server.url)).await.unwrap();
        assert_eq!((answer.status().as_u16(), &answer.body()[..]), (200, &b"hello\n"[..]));
        assert_eq!(answer.version(), http::Version::HTTP_2);
    }
}

#[tokio::test]
async fn bodies_and_trailers_stream_both_ways() {
    let server = wharf().up(guest("stream-echo")).start();
    let mut connection = Connection::http2(server.address).await;
    let (mut sender, body) = piecewise();
    let request = Request::post(format!("{}/", server.url)).header("content-type", "text/x-test").body(body).unwrap();
    let answer = connection.send(request).await.unwrap();
    assert_eq!(answer.headers()["content-type"], "text/x-test");
    let mut body = answer.into_body();
    for round in 0..20 {
        let piece = Bytes::from(format!("piece {round}"));
        sender.send_data(piece.clone()).await.unwrap();
        assert_eq!(body.frame().await.unwrap().unwrap().into_data().unwrap(), piece);
    }
    let mut trailers = HeaderMap::new();
    trailers.insert("x-sum", "6".parse().unwrap());
    sender.send(Frame::trailers(trailers.clone())).await.unwrap();
    drop(sender);
    assert_eq!(body.frame().await.unwrap().unwrap().into_trailers().unwrap(), trailers);
    assert!(body.frame().await.is_none());
}

#[tokio::test]
async fn requests_of_one_connection_do_not_wait_for_each_other() {
    let app = misbehaving("misbehave-p3", "");
    let mut server = wharf().up(app.folder()).start();
    let mut connection = Connection::http2(server.address).await;
    let url = |path: &str| format!("http://bad{path}");
    // None of these ends by itself within its wall time.
    let stalled = connection.send(Request::get(url("/stall")).body(empty()).unwrap()).await.unwrap();
    let (_kept, never) = piecewise();
    let waiting = connection.send(Request::post(url("/echo")).body(never).unwrap()).await.unwrap();
    assert_eq!(&connection.get(&url("/ok")).await.unwrap().body()[..], b"ok\n");
    // What breaks is the one request, and visibly.
    assert!(stalled.into_body().collect().await.is_err());
    assert!(waiting.into_body().collect().await.is_err());
    for path in ["/trap-mid", "/loop-mid", "/error-mid", "/endless", "/short-length"] {
        assert!(connection.get(&url(path)).await.is_err(), "{path}");
        assert_eq!(&connection.get(&url("/ok")).await.unwrap().body()[..], b"ok\n", "after {path}");
    }
    assert_eq!(connection.get(&url("/trap-before")).await.unwrap().status(), 500);
    neighbour_answers(&mut server);
}

#[tokio::test]
async fn what_came_before_a_failure_is_seen_and_then_the_failure() {
    for world in ["misbehave", "misbehave-p3"] {
        let app = misbehaving(world, "");
        let server = wharf().up(app.folder()).start();
        let mut connection = Connection::http2(server.address).await;
        let answer = connection.send(Request::get("http://bad/trap-mid").body(empty()).unwrap()).await.unwrap();
        assert_eq!(answer.status(), 200);
        let mut body = answer.into_body();
        assert_eq!(body.frame().await.unwrap().unwrap().into_data().unwrap(), "part of the body\n", "{world}");
        assert!(body.frame().await.unwrap().is_err(), "{world}");
    }
}

#[tokio::test]
async fn a_request_that_is_given_up_ends_its_guest() {
    for world in ["misbehave", "misbehave-p3"] {
        let limits = "[component.bad.limits]\nconcurrency = 1\nqueue = 0\nwall = \"10m\"";
        let app = App::new(&neighbourhood(&service("bad", world, limits)));
        let server = wharf().up(app.folder()).start();
        let mut connection = Connection::http2(server.address).await;
        for path in ["/stall", "/endless"] {
            let request = Request::get(format!("http://bad{path}")).body(empty()).unwrap();
            let answer = connection.send(request).await.unwrap();
            assert_eq!(answer.status(), 200);
            assert_eq!(server.get("bad", "/ok").status(), 503, "{world} {path}");
            drop(answer);
            // The reset travels by the connection, which this thread drives.
            let mut freed = false;
            for _ in 0..2000 {
                if connection.get("http://bad/ok").await.unwrap().status() == 200 {
                    freed = true;
                    break;
                }
                tokio::time::sleep(std::time::Duration::from_millis(5)).await;
            }
            assert!(freed, "{world} {path}");
        }
    }
}

#[tokio::test]
async fn a_body_that_is_not_read_is_not_written() {
    let limits = "[component.bad.limits]\nresponse-body = \"1GiB\"\nwall = \"10m\"\ncpu = \"1m\"";
    let app = App::new(&neighbourhood(&service("bad", "misbehave-p3", limits)));
    let mut server = wharf().up(app.folder()).start();
    let mut connection = Connection::http2(server.address).await;
    let before = server.status("VmRSS");
    let mut kept = Vec::new();
    for _ in 0..10 {
        let request = Request::get("http://bad/endless").body(empty()).unwrap();
        kept.push(connection.send(request).await.unwrap());
    }
    neighbour_answers(&mut server);
    let after = server.status("VmRSS");
    assert!(after < before + (64 << 10), "{before} KiB grew to {after} KiB");
}

#[tokio::test]
async fn a_large_upload_is_echoed() {
    let server = wharf().up(guest("stream-echo")).start();
    let mut connection = Connection::http2(server.address).await;
    let bytes: Bytes = (0..=255).cycle().take(8 << 20).collect();
    let request = Request::post(format!("{}/", server.url)).body(full(bytes.clone())).unwrap();
    let answer = connection.send(request).await.unwrap();
    assert_eq!(answer.into_body().collect().await.unwrap().to_bytes(), bytes);
}

/// CVE-2023-44487: requests that are given up at once cost the server more than the client, until the connection is closed.
#[test]
fn a_flood_of_requests_that_are_given_up_closes_the_connection() {
    let app = misbehaving("misbehave-p3", "");
    let mut server = wharf().up(app.folder()).start();
    let before = server.status("VmRSS");
    for _ in 0..5 {
        let mut client = server.connect();
        client.send(frames::start());
        let flood: Vec<u8> = (0..2000)
            .flat_map(|n| [frames::get(2 * n + 1, "bad", "/stall"), frames::reset(2 * n + 1)].concat())
            .collect();
        // Closed before it has taken all.
        let _ = client.try_send(flood);
        let _ = client.try_send(frames::ping());
        client.rest();
        neighbour_answers(&mut server);
    }
    let after = server.status("VmRSS");
    assert!(after < before + (64 << 10), "{before} KiB grew to {after} KiB");
}

/// CVE-2025-8671: the client makes the server give the requests up.
#[test]
fn a_flood_of_requests_that_have_to_be_refused_closes_the_connection() {
    let app = misbehaving("misbehave-p3", "");
    let mut server = wharf().up(app.folder()).start();
    let mut client = server.connect();
    client.send(frames::start());
    // A window of zero more bytes is an error of the stream.
    let flood: Vec<u8> = (0..2000)
        .flat_map(|n| [frames::post(2 * n + 1, "bad", "/echo"), frames::window(2 * n + 1, 0)].concat())
        .collect();
    let _ = client.try_send(flood);
    client.rest();
    neighbour_answers(&mut server);
}

#[test]
fn frames_that_make_no_sense_close_the_connection() {
    let app = misbehaving("misbehave", "");
    let mut server = wharf().up(app.folder()).start();
    let data_of_nobody = frames::frame(0x0, 0, 99, b"data");
    let huge = frames::frame(0x0, 0, 1, &vec![0; 1 << 20]);
    let even = frames::get(2, "bad", "/ok");
    let no_hpack = frames::frame(0x1, frames::END_HEADERS | frames::END_STREAM, 1, &[0xff; 40]);
    let flood_of_settings: Vec<u8> = (0..100_000).flat_map(|_| frames::frame(0x4, 0, 0, &[])).collect();
    let endless_head: Vec<u8> = std::iter::once(frames::frame(0x1, 0, 1, &[0x82, 0x86, 0x84]))
        .chain((0..200).map(|n| frames::frame(0x9, 0, 1, &header_of_size(n, 4000))))
        .flatten()
        .collect();
    for bytes in [data_of_nobody, huge, even, no_hpack, flood_of_settings, endless_head] {
        let mut client = server.connect();
        client.send(frames::start());
        let _ = client.try_send(bytes);
        client.finish_sending();
        client.rest();
        neighbour_answers(&mut server);
    }
}

/// A literal header field that is not to be remembered.
fn header_of_size(number: u32, bytes: usize) -> Vec<u8> {
    let name = format!("x-{number:05}");
    let mut field = vec![0x00, 7];
    field.extend(name.as_bytes());
    // The length as HPACK writes it: 127 in the first byte, the rest in groups of 7 bits.
    let rest = bytes - 127;
    field.extend([0x7f, u8::try_from(rest % 128).unwrap() | 0x80, u8::try_from(rest / 128).unwrap()]);
    field.extend(vec![b'v'; bytes]);
    field
}

#[test]
fn the_preface_may_come_byte_by_byte() {
    let server = wharf().up(guest("hello")).start();
    let mut client = server.connect();
    for byte in frames::start() {
        client.send([byte]);
    }
    client.send(frames::get(1, "x", "/"));
    let mut seen = Vec::new();
    let answer = eventually("the answer", || {
        seen.extend(client.bytes(1).ok()?);
        frames::split(&seen)
            .into_iter()
            .find(|frame| frame.kind == frames::DATA && frame.stream == 1 && !frame.payload.is_empty())
    });
    assert_eq!(answer.payload, b"hello\n");
}

#[test]
fn curl_is_served() {
    let app = misbehaving("misbehave", "");
    let server = wharf().up(app.folder()).start();
    let url = format!("{}/echo", server.url);
    let args = ["--http2-prior-knowledge", "--header", "host: bad", "--data", "some text", &url];
    assert_eq!(curl(&args), ("some text".to_owned(), 0));
}
