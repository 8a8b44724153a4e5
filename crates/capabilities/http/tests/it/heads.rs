//! Heads: what is sent, and how much of an answer's is taken.

use crate::support::*;
use crate::tls::Authority;
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use http_body_util::BodyExt;
use std::collections::BTreeSet;
use tokio::io::AsyncWriteExt;
use wharf_http::Error;

#[tokio::test]
async fn the_host_is_that_of_the_url() {
    let server = Server::raw(|mut stream, _| async move {
        let head = read_head(&mut stream).await;
        let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{head}", head.len());
        stream.write_all(answer.as_bytes()).await.unwrap();
    })
    .await;
    let mut request = get(&server.url("?q"));
    request.headers_mut().insert("host", HeaderValue::from_static("other.example"));
    let head = text(&client(), request).await.unwrap();
    assert_eq!(head, format!("GET /?q HTTP/1.1\r\nhost: 127.0.0.1:{}\r\n\r\n", server.port));
}

#[tokio::test]
async fn what_belongs_to_the_connection_is_removed() {
    let server = Server::saying(
        "HTTP/1.1 200 OK\r\nconnection: keep-alive, x-private\r\nkeep-alive: timeout=5\r\nproxy-connection: x\r\n\
         x-private: 1\r\nx-public: 2\r\ncontent-length: 0\r\n\r\n",
    )
    .await;
    let response = send(&client(), get(&server.url("/"))).await.unwrap();
    let names: BTreeSet<_> = response.headers().keys().map(HeaderName::as_str).collect();
    assert_eq!(names, BTreeSet::from(["content-length", "x-public"]));
}

#[tokio::test]
async fn a_head_that_is_too_large_is_refused() {
    let field = format!("x: {}\r\n", "y".repeat(70 << 10));
    let many: String = (0..101).map(|i| format!("x-{i}: y\r\n")).collect();
    for fields in [field, many] {
        let server = Server::saying(format!("HTTP/1.1 200 OK\r\n{fields}content-length: 0\r\n\r\n")).await;
        let error = refused(send(&client(), get(&server.url("/"))).await);
        assert!(matches!(error, Error::Head { .. }), "{error:?}");
    }
    let allowed: String = (0..98).map(|i| format!("x-{i}: {}\r\n", "y".repeat(500))).collect();
    let server = Server::saying(format!("HTTP/1.1 200 OK\r\n{allowed}content-length: 0\r\n\r\n")).await;
    assert_eq!(send(&client(), get(&server.url("/"))).await.unwrap().headers().len(), 99);
}

#[tokio::test]
async fn a_head_that_never_ends_is_refused() {
    let server = Server::raw(|mut stream, _| async move {
        read_head(&mut stream).await;
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n").await;
        while stream.write_all(b"x: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n").await.is_ok() {}
    })
    .await;
    let error = refused(send(&client(), get(&server.url("/"))).await);
    assert!(matches!(error, Error::Head { .. }), "{error:?}");
}

#[tokio::test]
async fn heads_of_http2_have_the_same_limits() {
    let authority = Authority::new();
    let server = Server::http(Some(authority.server("localhost", &["h2"])), |request| async move {
        let mut answer = answer("");
        let (count, bytes) = if request.uri().path() == "/many" { (101, 1) } else { (1, 70 << 10) };
        for number in 0..count {
            let name = HeaderName::try_from(format!("x-{number}")).unwrap();
            answer.headers_mut().insert(name, HeaderValue::try_from("y".repeat(bytes)).unwrap());
        }
        answer
    })
    .await;
    let client = authority.client();
    let url = |path: &str| format!("https://localhost:{}{path}", server.port);
    let error = refused(send(&client, get(&url("/many"))).await);
    assert!(matches!(error, Error::Head { .. }), "{error:?}");
    // Here the protocol lets the server know before; what it does with it is its own choice.
    let error = refused(send(&client, get(&url("/large"))).await);
    assert!(matches!(error, Error::Head { .. } | Error::Protocol(_) | Error::Terminated), "{error:?}");
}

#[tokio::test]
async fn trailers_are_limited_too() {
    let authority = Authority::new();
    let tls = authority.server("localhost", &["h2"]);
    let server = Server::http(Some(tls), |_| async move {
        let mut trailers = HeaderMap::new();
        for number in 0..101 {
            let name = HeaderName::try_from(format!("x-{number}")).unwrap();
            trailers.insert(name, HeaderValue::from_static("y"));
        }
        let body = http_body_util::Full::from("x").with_trailers(async move { Some(Ok(trailers)) });
        http::Response::new(body.map_err(|never| match never {}).boxed_unsync())
    })
    .await;
    let error = refused(text(&authority.client(), get(&format!("https://localhost:{}/", server.port))).await);
    assert!(matches!(error, Error::Trailers(100)), "{error:?}");
}

#[tokio::test]
async fn nobody_switches_protocols() {
    let server = Server::saying("HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n").await;
    let error = refused(send(&client(), get(&server.url("/"))).await);
    assert!(matches!(error, Error::Upgrade | Error::Protocol(_)), "{error:?}");
    let mut request = get(&server.url("/"));
    *request.method_mut() = Method::CONNECT;
    assert!(matches!(refused(send(&client(), request).await), Error::Method));
    assert_eq!(server.accepted(), 1);
}

#[tokio::test]
async fn what_is_no_http_is_told_from_nothing_at_all() {
    let server = Server::saying("SSH-2.0-OpenSSH\r\n\r\n").await;
    let error = refused(send(&client(), get(&server.url("/"))).await);
    assert!(matches!(error, Error::Protocol(_)), "{error:?}");
    let server = Server::raw(|mut stream, _| async move {
        read_head(&mut stream).await;
    })
    .await;
    let error = refused(send(&client(), get(&server.url("/"))).await);
    assert!(matches!(error, Error::Terminated), "{error:?}");
}
