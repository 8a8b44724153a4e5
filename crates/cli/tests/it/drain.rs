//! The end of the process: open requests finish, new ones find the door closed, and there is a bound.

use crate::support::{misbehaving, neighbourhood, wharf};
use http::Request;
use http_body_util::BodyExt;
use wharf_testkit::frames::{self, Frame};
use wharf_testkit::{App, Connection, Http1, guest, piecewise, service, until};

fn closed(server: &wharf_testkit::Server) -> bool {
    Http1::try_connect(server.address).is_err()
}

#[test]
fn a_request_in_flight_finishes_and_new_connections_are_refused() {
    for (world, reuse) in [("misbehave", ""), ("misbehave-p3", ""), ("misbehave-p3", "reuse = { requests = 9 }")] {
        let app = misbehaving(world, reuse);
        let server = wharf().up(app.folder()).start();
        let mut client = server.connect();
        client.send("POST /early HTTP/1.1\r\nhost: bad\r\ncontent-length: 5\r\n\r\n");
        assert_eq!(client.head().unwrap().status, 200);
        assert_eq!(client.chunk().unwrap(), b"early\n");
        let mut idle = server.connect();
        server.terminate();
        until("the door to close", || closed(&server));
        assert!(idle.is_closed(), "an idle connection outlives the door");
        client.send("12345");
        assert_eq!(client.chunk().unwrap(), b"then read 5 bytes\n");
        assert_eq!(client.chunk().unwrap(), b"");
        assert!(client.is_closed());
        assert_eq!(server.wait().code, Some(0), "{world}");
    }
}

#[test]
fn what_takes_too_long_is_cut_off() {
    let limits = "[component.bad.limits]\nwall = \"10m\"";
    let app = App::new(&neighbourhood(&service("bad", "misbehave-p3", limits)));
    let server = wharf().up(app.folder()).with("--drain 1").start();
    let mut client = server.connect();
    client.send("GET /stall HTTP/1.1\r\nhost: bad\r\n\r\n");
    assert_eq!(client.head().unwrap().status, 200);
    let ended = server.stop();
    assert_eq!(ended.code, Some(0), "{ended}");
    assert!(ended.stderr.contains("1 connections were still open after 1 s"), "{ended}");
    let rest = client.rest();
    assert!(!rest.contains("\r\n0\r\n\r\n"), "{rest}");
}

#[test]
fn who_asks_twice_does_not_wait() {
    let limits = "[component.bad.limits]\nwall = \"10m\"";
    let app = App::new(&neighbourhood(&service("bad", "misbehave-p3", limits)));
    for server in [wharf().up(app.folder()), wharf().dev(app.folder())] {
        let server = server.with("--drain 3600").start();
        let mut client = server.connect();
        client.send("GET /stall HTTP/1.1\r\nhost: bad\r\n\r\n");
        assert_eq!(client.head().unwrap().status, 200);
        server.interrupt();
        server.logged("waiting for requests that are open, for 3600 s at most");
        server.interrupt();
        assert_eq!(server.wait().code, Some(130));
    }
}

#[test]
fn an_interrupt_ends_it_as_well() {
    let server = wharf().up(guest("hello")).start();
    assert_eq!(server.get("x", "/").status(), 200);
    server.interrupt();
    assert_eq!(server.wait().code, Some(0));
}

#[test]
fn an_idle_process_ends_at_once() {
    let server = wharf().up(guest("hello")).with("--drain 3600").start();
    let _idle: Vec<_> = (0..10).map(|_| server.connect()).collect();
    let mut used = server.connect();
    used.get("x", "/").unwrap();
    assert_eq!(server.stop().code, Some(0));
}

#[tokio::test]
async fn http2_streams_finish_and_no_new_ones_begin() {
    for (world, reuse) in [("misbehave", ""), ("misbehave-p3", ""), ("misbehave-p3", "reuse = { requests = 9 }")] {
        let app = misbehaving(world, reuse);
        let server = wharf().up(app.folder()).start();
        let mut connection = Connection::http2(server.address).await;
        let (mut sender, body) = piecewise();
        let answer = connection.send(Request::post("http://bad/early").body(body).unwrap()).await.unwrap();
        let mut body = answer.into_body();
        assert_eq!(body.frame().await.unwrap().unwrap().into_data().unwrap(), "early\n");
        server.terminate();
        until("the door to close", || closed(&server));
        eventually_refused(&mut connection).await;
        sender.send_data("12345".into()).await.unwrap();
        drop(sender);
        assert_eq!(body.collect().await.unwrap().to_bytes(), "then read 5 bytes\n", "{world}");
        assert_eq!(server.wait().code, Some(0), "{world}");
    }
}

/// The word travels by the connection, which the test's own thread drives.
async fn eventually_refused(connection: &mut Connection) {
    for _ in 0..1000 {
        if connection.get("http://bad/ok").await.is_err() {
            return;
        }
    }
    panic!("new streams are taken after the end was announced");
}

/// RFC 9113, section 6.8: first a GOAWAY that takes all streams that may be on their way, then one that names the last.
#[test]
fn an_http2_connection_is_told_to_go_away_and_closed_after_its_last_stream() {
    let app = misbehaving("misbehave-p3", "");
    let server = wharf().up(app.folder()).start();
    let mut client = Http2 { client: server.connect(), seen: Vec::new(), pings: 0 };
    client.client.send([frames::start(), frames::post(1, "bad", "/early")].concat());
    let data = |frames: &[Frame]| -> Vec<u8> {
        frames.iter().filter(|frame| frame.kind == frames::DATA).flat_map(|frame| frame.payload.clone()).collect()
    };
    client.until("the first part", |frames| data(frames) == b"early\n");
    assert!(client.goaways().is_empty(), "{:?}", client.goaways());
    server.terminate();
    client.until("the last GOAWAY", |frames| frames.iter().filter(|frame| frame.kind == frames::GOAWAY).count() == 2);
    // No error, and the stream that is open is the last one that is answered.
    assert_eq!(client.goaways(), [(0x7fff_ffff, 0), (1, 0)]);
    client.client.send([frames::get(3, "bad", "/ok"), frames::last_data(1, b"12345")].concat());
    client.read_to_end();
    let frames = frames::split(&client.seen);
    assert_eq!(data(&frames), b"early\nthen read 5 bytes\n");
    let of_stream: Vec<&Frame> = frames.iter().filter(|frame| frame.stream == 1).collect();
    assert!(of_stream.last().is_some_and(|last| last.flags & frames::END_STREAM != 0), "{of_stream:?}");
    assert!(of_stream.iter().all(|frame| frame.kind != frames::RESET), "{of_stream:?}");
    assert!(frames.iter().all(|frame| frame.stream != 3 || frame.kind == frames::RESET), "{frames:?}");
    assert_eq!(server.wait().code, Some(0));
}

/// A client that answers pings and keeps every frame.
struct Http2 {
    client: Http1,
    seen: Vec<u8>,
    pings: usize,
}

impl Http2 {
    #[track_caller]
    fn until(&mut self, what: &str, holds: impl Fn(&[Frame]) -> bool) {
        while !holds(&frames::split(&self.seen)) {
            assert!(self.read(), "the connection was closed before {what}: {:?}", frames::split(&self.seen));
        }
    }

    fn read_to_end(&mut self) {
        while self.read() {}
    }

    fn read(&mut self) -> bool {
        let Ok(byte) = self.client.bytes(1) else { return false };
        self.seen.extend(byte);
        let pings =
            frames::split(&self.seen).into_iter().filter(|frame| frame.kind == frames::PING && frame.flags == 0);
        for ping in pings.skip(self.pings) {
            self.pings += 1;
            let _ = self.client.try_send(frames::pong(&ping.payload));
        }
        true
    }

    /// Last stream and error code of each.
    fn goaways(&self) -> Vec<(u32, u32)> {
        let number = |bytes: &[u8]| bytes.iter().fold(0, |number, byte| number << 8 | u32::from(*byte));
        let frames = frames::split(&self.seen).into_iter().filter(|frame| frame.kind == frames::GOAWAY);
        frames.map(|frame| (number(&frame.payload[..4]), number(&frame.payload[4..8]))).collect()
    }
}

#[test]
fn the_state_folder_is_free_again_afterwards() {
    let state = tempfile::TempDir::new().unwrap();
    for _ in 0..3 {
        let server = wharf().up(guest("hello")).state(state.path()).start();
        assert_eq!(server.get("x", "/").text(), "hello\n");
        assert_eq!(server.stop().code, Some(0));
    }
}
