//! The example `proxy`: requests of a guest to servers, streamed both ways, and two at once.

use crate::support::{example, send, wharf};
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use wharf_testkit::{App, Server};

/// A manifest whose servers are at these ports.
fn gateway(orders: u16, stock: u16) -> App {
    let manifest = include_str!("../../../../examples/proxy/wharf.toml");
    let manifest = manifest.replace("4001", &orders.to_string()).replace("4002", &stock.to_string());
    example("proxy", &manifest, "proxy")
}

fn start(app: &App) -> Server {
    wharf().up(app.folder()).with("--no-build").start()
}

/// A server that is a component itself, and sends back what it is sent.
fn echo() -> Server {
    start(&example("stream-echo", include_str!("../../../../examples/stream-echo/wharf.toml"), "stream_echo"))
}

fn listener() -> (TcpListener, u16) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    (listener, port)
}

/// Reads the head of a request.
fn head(stream: &mut TcpStream) -> String {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).unwrap() == 1 {
        head.push(byte[0]);
    }
    String::from_utf8(head).unwrap().to_ascii_lowercase()
}

#[test]
fn a_body_streams_through_to_a_server_and_back() {
    let server = echo();
    let app = gateway(server.address.port(), 1);
    let proxy = start(&app);
    let large: Vec<u8> = (0..3_000_000_u32).map(|number| number.to_le_bytes()[1]).collect();
    let answer = send(&proxy, "POST", "/orders/echo?x=1", &large);
    assert_eq!(answer.status(), 200, "{}\n{}", answer.text(), proxy.log());
    assert!(answer.body == large);

    // The first piece comes back before the second is sent: nothing waits for the end of a body.
    let mut connection = proxy.connect();
    connection.send("POST /orders/ HTTP/1.1\r\nhost: t\r\ntransfer-encoding: chunked\r\n\r\n5\r\nfirst\r\n");
    assert_eq!(connection.head().unwrap().status, 200);
    assert_eq!(connection.chunk().unwrap(), b"first");
    connection.send("6\r\nsecond\r\n0\r\n\r\n");
    assert_eq!(connection.chunk().unwrap(), b"second");
    assert_eq!(connection.chunk().unwrap(), b"");
}

#[test]
fn a_server_sees_the_mark_of_the_gateway_and_not_what_is_between_client_and_gateway() {
    let (listener, port) = listener();
    let app = gateway(port, 1);
    let proxy = start(&app);
    let server = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let head = head(&mut stream);
        stream.write_all(b"HTTP/1.1 418 Teapot\r\ncontent-length: 3\r\nx-own: 1\r\n\r\nyes").unwrap();
        head
    });
    let mut connection = proxy.connect();
    connection
        .send("GET /orders/a/b?c=d HTTP/1.1\r\nhost: shop.example\r\nx-client: 7\r\nconnection: keep-alive\r\n\r\n");
    let answer = connection.response().unwrap();
    assert_eq!((answer.status(), answer.header("x-own"), answer.text().as_str()), (418, Some("1"), "yes"));
    let head = server.join().unwrap();
    assert!(head.starts_with("get /a/b?c=d http/1.1\r\n"), "{head}");
    assert!(head.contains("x-gateway: wharf\r\n") && head.contains("x-client: 7\r\n"), "{head}");
    assert!(head.contains(&format!("host: localhost:{port}\r\n")) && !head.contains("shop.example"), "{head}");
}

#[test]
fn two_servers_are_asked_at_the_same_time() {
    let ((orders, orders_port), (stock, stock_port)) = (listener(), listener());
    let app = gateway(orders_port, stock_port);
    let proxy = start(&app);
    let servers = std::thread::spawn(move || {
        // Neither is answered before both have asked: one after another, this would wait for ever.
        let (mut first, _) = orders.accept().unwrap();
        let (mut second, _) = stock.accept().unwrap();
        for (stream, text) in [(&mut second, "7 left"), (&mut first, "2 open")] {
            assert!(head(stream).starts_with("get /today http/1.1\r\n"));
            stream.write_all(format!("HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\n{text}").as_bytes()).unwrap();
        }
    });
    let answer = proxy.get("t", "/both/today");
    assert_eq!((answer.status(), answer.text().as_str()), (200, "orders: 2 open\nstock: 7 left\n"), "{}", proxy.log());
    servers.join().unwrap();
}

#[test]
fn a_server_that_is_away_does_not_take_the_answer_of_the_other() {
    let (closed, away) = listener();
    drop(closed);
    let server = echo();
    let app = gateway(server.address.port(), away);
    let proxy = start(&app);
    let answer = proxy.get("t", "/both/x");
    assert_eq!(answer.status(), 200);
    assert!(answer.text().contains("stock: not there"), "{}", answer.text());
    assert_ne!(proxy.get("t", "/stock/x").status(), 200);
    assert_eq!(send(&proxy, "POST", "/orders/", b"still").text(), "still");
}

#[test]
fn a_server_that_is_not_granted_is_never_asked_and_the_log_says_which_line_would_grant_it() {
    let (listener, port) = listener();
    let app = gateway(1, 2);
    let proxy = wharf().up(app.folder()).with(&format!("--no-build --variable orders=localhost:{port}")).start();
    assert_ne!(proxy.get("t", "/orders/x").status(), 200);
    proxy.logged("WHARF-0021");
    assert!(proxy.log().contains("[component.gateway.grants]"), "{}", proxy.log());
    assert!(proxy.log().contains(&format!("\"http://localhost:{port}\"")), "{}", proxy.log());
    listener.set_nonblocking(true).unwrap();
    assert!(listener.accept().is_err(), "nobody came");
}
