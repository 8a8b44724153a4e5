//! Which requests share a connection.

use crate::support::*;
use crate::tls::Authority;
use http_body_util::BodyExt;
use std::io::{Read, Write};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio::sync::{Barrier, mpsc};
use wharf_http::{Error, Limits, Quota};

#[tokio::test]
async fn requests_one_after_the_other_share_a_connection() {
    let server = Server::http(None, |request| async move { answer(request.uri().path().to_owned()) }).await;
    let client = client();
    for path in ["/a", "/b", "/c"] {
        assert_eq!(text(&client, get(&server.url(path))).await.unwrap(), path);
    }
    assert_eq!(server.accepted(), 1);
}

#[tokio::test]
async fn an_answer_without_a_body_needs_not_be_read() {
    let server = Server::http(None, |_| async { answer("") }).await;
    let client = client();
    for _ in 0..3 {
        let _unread = send(&client, get(&server.url("/"))).await.unwrap();
    }
    assert_eq!(server.accepted(), 1);
}

#[tokio::test]
async fn requests_at_a_time_have_a_connection_each() {
    let both = Arc::new(Barrier::new(2));
    let server = Server::http(None, move |request| {
        let both = Arc::clone(&both);
        async move {
            if request.uri().path() == "/both" {
                both.wait().await;
            }
            answer("x")
        }
    })
    .await;
    let client = client();
    let url = server.url("/both");
    let (a, b) = tokio::join!(text(&client, get(&url)), text(&client, get(&url)));
    assert_eq!((a.unwrap(), b.unwrap()), ("x".into(), "x".into()));
    assert_eq!(server.accepted(), 2);
    for _ in 0..3 {
        text(&client, get(&server.url("/"))).await.unwrap();
    }
    assert_eq!(server.accepted(), 2);
}

#[tokio::test]
async fn as_many_requests_at_a_time_as_before_need_no_new_connections() {
    const MANY: usize = 40;
    let all = Arc::new(Barrier::new(MANY));
    let server = Server::http(None, move |_| {
        let all = Arc::clone(&all);
        async move {
            all.wait().await;
            answer("x")
        }
    })
    .await;
    let client = Setup { quota: Arc::new(Quota::new(MANY)), ..Setup::default() }.client();
    let url = server.url("/");
    for _ in 0..5 {
        let answers = futures_util::future::join_all((0..MANY).map(|_| text(&client, get(&url)))).await;
        assert!(answers.into_iter().all(|answer| answer.is_ok_and(|text| text == "x")));
    }
    // Each round began when the last answers of the one before were read just now: on a busy machine one or two are not waited for.
    assert!(server.accepted() < 2 * MANY, "{}", server.accepted());
}

#[tokio::test]
async fn no_more_unused_connections_are_kept_than_allowed() {
    let both = Arc::new(Barrier::new(2));
    let server = Server::http(None, move |_| {
        let both = Arc::clone(&both);
        async move {
            both.wait().await;
            answer("x")
        }
    })
    .await;
    for limits in [Limits { idle_per_server: 1, ..Limits::default() }, Limits { idle: 1, ..Limits::default() }] {
        let quota = Arc::new(Quota::new(16));
        let client = Setup { limits, quota: Arc::clone(&quota), ..Setup::default() }.client();
        let url = server.url("/");
        let (a, b) = tokio::join!(text(&client, get(&url)), text(&client, get(&url)));
        assert!(a.is_ok() && b.is_ok());
        until("one of two connections is closed", || quota.used() == 1).await;
    }
}

#[tokio::test]
async fn a_connection_that_nobody_uses_is_closed() {
    let (tx, mut rx) = mpsc::channel(1);
    let server = Server::raw(move |mut stream, _| {
        let tx = tx.clone();
        async move {
            read_head(&mut stream).await;
            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").await.unwrap();
            closed(&mut stream).await;
            tx.send(()).await.unwrap();
        }
    })
    .await;
    let limits = Limits { idle_time: Duration::from_millis(20), ..Limits::default() };
    let quota = Arc::new(Quota::new(16));
    let client = Setup { limits, quota: Arc::clone(&quota), ..Setup::default() }.client();
    assert_eq!(text(&client, get(&server.url("/"))).await.unwrap(), "ok");
    soon(rx.recv()).await.unwrap();
    until("its place is free", || quota.used() == 0).await;
}

#[tokio::test]
async fn an_old_connection_gets_no_more_requests() {
    let server = Server::http(None, |_| async { answer("x") }).await;
    let limits = Limits { age: Duration::ZERO, ..Limits::default() };
    let quota = Arc::new(Quota::new(16));
    let client = Setup { limits, quota: Arc::clone(&quota), ..Setup::default() }.client();
    for _ in 0..3 {
        text(&client, get(&server.url("/"))).await.unwrap();
    }
    assert_eq!(server.accepted(), 3);
    until("all are closed", || quota.used() == 0).await;
}

#[tokio::test]
async fn what_is_left_of_an_answer_closes_the_connection() {
    let (tx, mut rx) = mpsc::channel(1);
    let server = Server::raw(move |mut stream, number| {
        let tx = tx.clone();
        async move {
            read_head(&mut stream).await;
            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nbegin").await.unwrap();
            closed(&mut stream).await;
            tx.send(number).await.unwrap();
        }
    })
    .await;
    let client = client();
    for number in 0..2 {
        let mut response = send(&client, get(&server.url("/"))).await.unwrap();
        let first = soon(response.body_mut().frame()).await.unwrap().unwrap();
        assert_eq!(first.into_data().unwrap(), "begin");
        drop(response);
        assert_eq!(soon(rx.recv()).await, Some(number));
    }
}

#[tokio::test]
async fn dropping_a_client_closes_its_connections() {
    let server = Server::http(None, |_| async { answer("x") }).await;
    let quota = Arc::new(Quota::new(16));
    let client = Setup { quota: Arc::clone(&quota), ..Setup::default() }.client();
    text(&client, get(&server.url("/"))).await.unwrap();
    assert_eq!(quota.used(), 1);
    drop(client);
    until("its connection is closed", || quota.used() == 0).await;
}

#[tokio::test]
async fn http2_carries_all_requests_on_one_connection() {
    let authority = Authority::new();
    let all = Arc::new(Barrier::new(10));
    let server = Server::http(Some(authority.server("localhost", &["h2"])), move |request| {
        let all = Arc::clone(&all);
        async move {
            assert_eq!(request.version(), http::Version::HTTP_2);
            assert!(!request.headers().contains_key("host"));
            if request.uri().path() == "/all" {
                all.wait().await;
            }
            answer(request.uri().authority().unwrap().to_string())
        }
    })
    .await;
    let client = authority.client();
    let url = format!("https://localhost:{}/", server.port);
    assert_eq!(text(&client, get(&url)).await.unwrap(), format!("localhost:{}", server.port));
    let all = format!("{url}all");
    let requests = (0..10).map(|_| text(&client, get(&all)));
    for answered in futures_util::future::join_all(requests).await {
        answered.unwrap();
    }
    assert_eq!(server.accepted(), 1);
}

/// A server of the blocking kind closes the connection after its answer while this thread, which drives it, is not let run: the client
/// finds out when it sends the next request. Returns what came of that, and how many connections there were.
async fn stale(request: impl Fn(&str) -> http::Request<wharf_http::Body>) -> (Result<String, Error>, usize) {
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let (answered_tx, answered_rx) = std::sync::mpsc::channel();
    let (close_tx, close_rx) = std::sync::mpsc::channel();
    let server = std::thread::spawn(move || {
        let mut number = 0;
        while let Ok((mut stream, _)) = listener.accept() {
            let mut buffer = [0; 1024];
            let head = stream.read(&mut buffer).unwrap();
            if head == 0 {
                return number;
            }
            number += 1;
            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").unwrap();
            close_rx.recv().unwrap();
            drop(stream);
            answered_tx.send(()).unwrap();
        }
        number
    });
    let client = client();
    assert_eq!(text(&client, request(&url)).await.unwrap(), "ok");
    close_tx.send(()).unwrap();
    answered_rx.recv().unwrap();
    close_tx.send(()).unwrap();
    let result = text(&client, request(&url)).await;
    drop(tokio::net::TcpStream::connect(url.trim_start_matches("http://").trim_end_matches('/')).await.unwrap());
    (result, server.join().unwrap())
}

#[tokio::test]
async fn a_request_that_may_be_repeated_does_not_see_a_stale_connection() {
    let (result, connections) = stale(get).await;
    assert_eq!((result.unwrap(), connections), ("ok".to_owned(), 2));
}

#[tokio::test]
async fn a_request_that_may_have_been_heard_is_not_repeated() {
    let body = || http_body_util::Full::from("body").map_err(|never| match never {});
    let (result, connections) = stale(|url| post(url, body())).await;
    assert!(matches!(result, Err(Error::Terminated)), "{result:?}");
    assert_eq!(connections, 1);
}

/// The end of the connection is seen before the next request.
#[tokio::test]
async fn a_connection_that_was_closed_is_not_used() {
    let server = Server::raw(|mut stream, _| async move {
        read_head(&mut stream).await;
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").await.unwrap();
    })
    .await;
    let quota = Arc::new(Quota::new(16));
    let client = Setup { quota: Arc::clone(&quota), ..Setup::default() }.client();
    for number in 1..4 {
        let body = http_body_util::Full::from("body").map_err(|never| match never {});
        assert_eq!(text(&client, post(&server.url("/"), body)).await.unwrap(), "ok");
        until("the end is seen", || quota.used() == 0).await;
        assert_eq!(server.accepted(), number);
    }
}

#[test]
fn a_connection_of_an_event_loop_that_is_gone_is_not_used() {
    let client = client();
    for _ in 0..2 {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let server = Server::http(None, |_| async { answer("x") }).await;
            assert_eq!(text(&client, get(&server.url("/"))).await.unwrap(), "x");
            assert_eq!(text(&client, get(&server.url("/"))).await.unwrap(), "x");
            assert_eq!(server.accepted(), 1);
        });
    }
}
