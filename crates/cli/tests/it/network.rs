//! Servers, names and sockets outside: what is granted is reached, by both versions of the interfaces, and nothing else.

use crate::support::wharf;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::process::Stdio;
use std::time::Duration;
use wharf_testkit::{App, Server, eventually, guest, service};

const WORLDS: [&str; 2] = ["misbehave", "misbehave-p3"];

#[track_caller]
fn answers(server: &Server, path: &str, status: u16, text: &str) {
    let answer = server.get("bad", path);
    // The libraries of the two versions show errors differently: `access-denied`, `AccessDenied`.
    let plain = |text: &str| text.to_lowercase().replace('-', "");
    let (found, said) = (answer.status(), answer.text());
    assert!(found == status && plain(&said).contains(&plain(text)), "{path}: {found} {said}\n{}", server.log());
}

#[test]
fn a_granted_name_is_looked_up_and_reached_on_its_ports() {
    for world in WORLDS {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let other = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let server = wharf().up(guest(world)).with(&format!("--allow-net localhost:{port}")).start();
        answers(&server, &format!("/reach?name=localhost&port={port}"), 200, "connected");
        answers(&server, &format!("/reach?name=LOCALHOST.&port={port}"), 200, "connected");
        answers(&server, "/resolve?name=localhost", 200, "127, 0, 0, 1");
        answers(&server, &format!("/reach?name=localhost&port={other}"), 403, "AccessDenied");
        // The address is not granted, and this invocation looked nothing up.
        answers(&server, &format!("/connect?addr=127.0.0.1:{port}"), 403, "AccessDenied");
        answers(&server, "/resolve?name=other.example", 403, "AccessDenied");
        answers(&server, "/resolve?name=127.1", 403, "InvalidArgument");
        server.logged("WHARF-0025");
        server.logged("--allow-net other.example:443");
    }
}

#[test]
fn a_name_that_leads_inside_is_refused() {
    for world in WORLDS {
        let server = wharf().up(guest(world)).with("--allow-net *").start();
        answers(&server, "/reach?name=localhost&port=80", 403, "AccessDenied");
        server.logged("WHARF-0022");
        answers(&server, "/connect?addr=169.254.169.254:80", 403, "AccessDenied");
        answers(&server, "/resolve?name=backend.wharf.internal", 403, "AccessDenied");
    }
}

#[test]
fn nothing_is_looked_up_without_a_grant() {
    for world in WORLDS {
        let server = wharf().up(guest(world)).start();
        answers(&server, "/resolve?name=localhost", 403, "AccessDenied");
        answers(&server, "/udp?addr=127.0.0.1:53", 403, "AccessDenied");
        server.logged("WHARF-0025");
    }
}

#[test]
fn datagrams_go_to_granted_addresses() {
    for world in WORLDS {
        let echo = UdpSocket::bind("127.0.0.1:0").unwrap();
        echo.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        let port = echo.local_addr().unwrap().port();
        let echoing = std::thread::spawn(move || {
            let mut ping = [0; 16];
            let (length, from) = echo.recv_from(&mut ping).unwrap();
            assert_eq!(&ping[..length], b"ping");
            echo.send_to(b"pong", from).unwrap();
        });
        let server = wharf().up(guest(world)).with(&format!("--allow-net 127.0.0.1:{port}")).start();
        answers(&server, "/udp?addr=127.0.0.2:53", 403, "AccessDenied");
        answers(&server, &format!("/udp?addr=127.0.0.1:{port}"), 200, "pong");
        echoing.join().unwrap();
    }
}

#[test]
fn a_granted_server_is_asked_over_http() {
    let target = wharf().up(guest("hello")).start();
    let to = target.address;
    for world in WORLDS {
        let grants = format!("grants.http = [\"http://{to}\"]");
        let app = App::new(&format!("name = \"x\"\n{}", service("bad", world, &grants)));
        let server = wharf().up(app.folder()).start();
        answers(&server, &format!("/fetch?url=http://{to}/"), 200, "hello");
        answers(&server, &format!("/fetch?url=https://{to}/"), 502, "HttpRequestDenied");
        answers(&server, &format!("/fetch?url=http://127.0.0.2:{}/", to.port()), 502, "HttpRequestDenied");
        server.logged("WHARF-0021");
    }
}

#[test]
fn a_server_inside_is_not_reached_by_a_grant_for_all() {
    let target = wharf().up(guest("hello")).start();
    for world in WORLDS {
        let app = App::new(&format!("name = \"x\"\n{}", service("bad", world, "grants.http = [\"*\"]")));
        let server = wharf().up(app.folder()).start();
        let port = target.address.port();
        for host in ["127.0.0.1", "localhost", "0x7f.1", "2130706433", "[::ffff:127.0.0.1]"] {
            let answer = server.get("bad", &format!("/fetch?url=http://{host}:{port}/"));
            assert_eq!(answer.status(), 502, "{host}: {}", answer.text());
        }
        server.logged("WHARF-0022");
    }
}

/// Returns a port that nobody uses at the moment.
fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

#[test]
fn a_program_listens_where_it_is_allowed_to_and_nowhere_else() {
    let (port, other) = (free_port(), free_port());
    let (file, address) = (guest("listen").display().to_string(), format!("127.0.0.1:{port}"));
    let refused = wharf().run(["run", file.as_str(), address.as_str()]).to_string();
    assert!(refused.contains("Permission denied"), "{refused}");
    let elsewhere = format!("127.0.0.1:{other}");
    let refused = wharf().run(["run", "--allow-listen", &address, &file, &elsewhere]).to_string();
    assert!(refused.contains("Permission denied"), "{refused}");
    // A grant to connect is none to listen.
    let refused = wharf().run(["run", "--allow-net", &address, &file, &address]).to_string();
    assert!(refused.contains("Permission denied"), "{refused}");

    let mut command = wharf().command();
    command.args(["run", "--allow-listen", &address, &file, &address]).stdout(Stdio::piped());
    let mut program = command.spawn().unwrap();
    let mut stream = eventually("it listens", || TcpStream::connect(&address).ok());
    stream.write_all(b"hello").unwrap();
    let mut back = [0; 5];
    stream.read_exact(&mut back).unwrap();
    assert_eq!(&back, b"hello");
    let mut said = String::new();
    program.stdout.take().unwrap().read_to_string(&mut said).unwrap();
    assert_eq!(said, "echoed 5 bytes\n");
    assert!(program.wait().unwrap().success());
}

#[test]
fn a_program_without_a_manifest_asks_the_servers_that_it_is_allowed_to() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let answerer = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut head = [0; 1024];
        let count = stream.read(&mut head).unwrap();
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").unwrap();
        String::from_utf8_lossy(&head[..count]).into_owned()
    });
    let server = wharf().up(guest("misbehave")).with(&format!("--allow-http http://127.0.0.1:{port}")).start();
    assert_ne!(server.get("bad", "/fetch?url=http://127.0.0.1:1/").status(), 200);
    let answer = server.get("bad", &format!("/fetch?url=http://127.0.0.1:{port}/x"));
    assert_eq!(answer.status(), 200, "{}\n{}", answer.text(), server.log());
    assert!(answerer.join().unwrap().starts_with("GET /x HTTP/1.1\r\n"));
}
