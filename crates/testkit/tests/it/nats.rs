//! NATS, by its own protocol.

use wharf_testkit::services::Nats;

use crate::wire::Wire;

/// Returns the second line of a request for JetStream, whose answer comes to `answers`.
fn request(subject: &str, body: &str) -> String {
    format!("PUB $JS.API.{subject} answers {}\r\n{body}\r\n", body.len())
}

fn client(nats: &Nats, login: &str) -> Wire {
    let mut client = Wire::to(nats.port());
    let hello = format!("CONNECT {{\"verbose\":false{login}}}\r\nSUB answers 1\r\nPING\r\n");
    assert!(client.ask(hello, "PONG\r\n").starts_with("INFO "));
    client
}

#[test]
fn keeps_messages_of_a_stream_when_it_is_killed() {
    let Some(nats) = Nats::start() else { return };
    let mut wire = client(&nats, "");
    let stream = r#"{"name":"S","subjects":["s.>"],"storage":"file"}"#;
    assert!(wire.ask(request("STREAM.CREATE.S", stream), "\r\n").starts_with("MSG answers"));
    wire.ask("PUB s.one answers 5\r\nhello\r\n", r#""seq":1"#);
    nats.kill();
    assert!(!nats.is_alive());
    nats.restart();
    let answer = client(&nats, "").ask(request("STREAM.INFO.S", ""), "}\r\n");
    assert!(answer.contains(r#""messages":1"#), "{answer}");
}

#[test]
fn lets_in_only_with_the_password() {
    let Some(nats) = Nats::options().login("user", "secret").setting("max_payload: 64KB").start() else { return };
    assert_eq!(nats.url(), format!("nats://user:secret@127.0.0.1:{}", nats.port()));
    let answer = Wire::to(nats.port()).ask("CONNECT {\"verbose\":false}\r\nPING\r\n", "-ERR");
    assert!(answer.contains(r#""max_payload":65536"#), "{answer}");
    client(&nats, r#","user":"user","pass":"secret""#);
}

#[test]
fn hangs_while_it_is_paused() {
    let Some(nats) = Nats::start() else { return };
    let mut wire = client(&nats, "");
    nats.pause();
    // A new client: the server may have begun to say more to the other one.
    assert!(Wire::to(nats.port()).is_silent("PING\r\n"));
    nats.resume();
    wire.ask("PING\r\n", "PONG\r\n");
}
