//! The end of the process: open requests finish, new ones find the door closed, and there is a bound.

use crate::support::{misbehaving, neighbourhood, wharf};
use wharf_testkit::{App, Connection, Http1, guest, service, until};

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
async fn http2_streams_finish() {
    let app = misbehaving("misbehave-p3", "");
    let server = wharf().up(app.folder()).start();
    let mut connection = Connection::http2(server.address).await;
    let late = connection.get("http://bad/late?ms=1000");
    let stop = async {
        until("the request to have come", || server.status("Threads") > 0);
        server.terminate();
    };
    let (answer, ()) = tokio::join!(late, stop);
    // It was either on its way before the end was announced, and is answered, or never taken.
    if let Ok(answer) = answer {
        assert_eq!(&answer.body()[..], b"late\n");
    }
    drop(connection);
    assert_eq!(server.wait().code, Some(0));
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
