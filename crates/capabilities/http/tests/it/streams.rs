//! Bodies: both ways at once, with back-pressure, and what happens when either end stops.

use crate::support::*;
use crate::tls::Authority;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Response};
use http_body::Frame;
use http_body_util::channel::Channel;
use http_body_util::{BodyExt, StreamBody};
use std::convert::Infallible;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio::sync::mpsc;
use wharf_http::{Asked, Client, Error, Quota};

/// A server of each protocol with the same answers, and the client and the URL for it.
async fn each<F, Fut>(answer: F) -> [(Server, Client, String); 2]
where
    F: Fn(http::Request<hyper::body::Incoming>) -> Fut + Clone + Send + Sync + 'static,
    Fut: Future<Output = Answer> + Send + 'static,
{
    let authority = Authority::new();
    let plain = Server::http(None, answer.clone()).await;
    let multiplexed = Server::http(Some(authority.server("localhost", &["h2"])), answer).await;
    let urls = (plain.url("/"), format!("https://localhost:{}/", multiplexed.port));
    [(plain, client(), urls.0), (multiplexed, authority.client(), urls.1)]
}

fn echo(request: http::Request<hyper::body::Incoming>) -> Answer {
    Response::new(request.into_body().map_err(io::Error::other).boxed_unsync())
}

#[tokio::test]
async fn both_bodies_stream_at_once() {
    for (_server, client, url) in each(|request| async move { echo(request) }).await {
        let (mut pieces, body) = Channel::<Bytes, Error>::new(1);
        let mut body = send(&client, post(&url, body)).await.unwrap().into_body();
        for piece in ["one", "two", "three"] {
            soon(pieces.send_data(Bytes::from_static(piece.as_bytes()))).await.unwrap();
            assert_eq!(soon(body.frame()).await.unwrap().unwrap().into_data().unwrap(), piece);
        }
        drop(pieces);
        assert!(soon(body.frame()).await.is_none());
    }
}

#[tokio::test]
async fn trailers_pass_both_ways() {
    for (_server, client, url) in each(|request| async move { echo(request) }).await {
        let mut trailers = HeaderMap::new();
        trailers.insert("x-sum", HeaderValue::from_static("1"));
        let body = http_body_util::Full::from("x").map_err(|never: Infallible| match never {});
        let body = body.with_trailers(async move { Some(Ok::<_, Error>(trailers)) });
        let mut request = post(&url, body);
        request.headers_mut().insert("trailer", HeaderValue::from_static("x-sum"));
        let response = send(&client, request).await.unwrap();
        let collected = soon(response.into_body().collect()).await.unwrap();
        if url.starts_with("https") {
            assert_eq!(collected.trailers().unwrap()["x-sum"], "1");
        }
        assert_eq!(collected.to_bytes(), "x");
    }
}

#[tokio::test]
async fn trailers_of_http1_are_read() {
    let server = Server::saying(
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\ntrailer: x-sum\r\n\r\n1\r\nx\r\n0\r\nx-sum: 1\r\n\r\n",
    )
    .await;
    let response = send(&client(), get(&server.url("/"))).await.unwrap();
    assert!(!response.headers().contains_key("transfer-encoding"));
    let collected = soon(response.into_body().collect()).await.unwrap();
    assert_eq!(collected.trailers().unwrap()["x-sum"], "1");
}

#[tokio::test]
async fn a_request_body_waits_for_a_server_that_does_not_read() {
    let server = Server::raw(|mut stream, _| async move {
        read_head(&mut stream).await;
        std::future::pending::<()>().await;
        drop(stream);
    })
    .await;
    let produced = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&produced);
    let endless = futures_util::stream::repeat_with(move || {
        counter.fetch_add(64 << 10, Ordering::SeqCst);
        Ok::<_, Error>(Frame::data(Bytes::from(vec![0; 64 << 10])))
    });
    let asked = Asked { first_byte: Some(Duration::from_millis(200)), ..Asked::default() };
    let error = refused(soon(client().send(post(&server.url("/"), StreamBody::new(endless)), asked)).await);
    assert!(matches!(error, Error::FirstByte(_)), "{error:?}");
    // The buffers of two sockets, which the kernel chooses.
    let produced = produced.load(Ordering::SeqCst);
    assert!(produced < 64 << 20, "{produced}");
}

#[tokio::test]
async fn an_answer_waits_for_a_guest_that_does_not_read() {
    let authority = Authority::new();
    let produced = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&produced);
    let server = Server::http(Some(authority.server("localhost", &["h2"])), move |_| {
        let counter = Arc::clone(&counter);
        async move {
            let endless = futures_util::stream::repeat_with(move || {
                counter.fetch_add(16 << 10, Ordering::SeqCst);
                Ok::<_, io::Error>(Frame::data(Bytes::from(vec![0; 16 << 10])))
            });
            Response::new(StreamBody::new(endless).boxed_unsync())
        }
    })
    .await;
    let client = authority.client();
    let url = format!("https://localhost:{}/", server.port);
    let mut body = send(&client, get(&url)).await.unwrap().into_body();
    until("the window is full", || produced.load(Ordering::SeqCst) >= 256 << 10).await;
    for _ in 0..1000 {
        tokio::task::yield_now().await;
    }
    let before = produced.load(Ordering::SeqCst);
    assert!(before < 2 << 20, "{before}");
    // And it goes on when the guest does.
    let mut read = 0;
    while read < 4 << 20 {
        read += soon(body.frame()).await.unwrap().unwrap().into_data().unwrap().len();
    }
    // Others are served beside it.
    assert!(send(&client, get(&url)).await.is_ok());
    assert_eq!(server.accepted(), 1);
}

#[tokio::test]
async fn a_body_that_fails_takes_the_request_with_it() {
    let (tx, mut rx) = mpsc::channel(2);
    let servers = each(move |request| {
        let tx = tx.clone();
        async move {
            let mut body = request.into_body();
            tx.send(body.frame().await.unwrap().is_ok()).await.unwrap();
            tx.send(body.collect().await.is_ok()).await.unwrap();
            answer("x")
        }
    })
    .await;
    for (_server, client, url) in servers {
        let (mut pieces, body) = Channel::<Bytes, Error>::new(1);
        let failing = async {
            pieces.send_data(Bytes::from_static(b"x")).await.unwrap();
            assert_eq!(rx.recv().await, Some(true));
            pieces.abort(Error::RequestBody("the guest trapped".into()));
            rx.recv().await
        };
        let (sent, whole) =
            soon(async { tokio::join!(client.send(post(&url, body), Asked::default()), failing) }).await;
        let error = refused(sent);
        assert!(matches!(&error, Error::RequestBody(why) if why == "the guest trapped"), "{error:?}");
        assert_eq!(whole, Some(false), "the server must not take it for a whole request");
    }
}

#[tokio::test]
async fn who_sent_a_request_is_told_how_much_of_it_went() {
    for (_server, client, url) in each(|request| async move { echo(request) }).await {
        let (mut pieces, body) = Channel::<Bytes, Error>::new(1);
        let (response, sent) = soon(client.send(post(&url, body), Asked::default())).await.unwrap();
        soon(pieces.send_data(Bytes::from_static(b"x"))).await.unwrap();
        drop(pieces);
        soon(sent.whole()).await.unwrap();
        soon(response.into_body().collect()).await.unwrap();
        let (pieces, body) = Channel::<Bytes, Error>::new(1);
        let (response, sent) = soon(client.send(post(&url, body), Asked::default())).await.unwrap();
        pieces.abort(Error::RequestBody("the guest trapped".into()));
        assert!(matches!(refused(soon(sent.whole()).await), Error::RequestBody(_)));
        assert!(soon(response.into_body().collect()).await.is_err());
    }
}

#[tokio::test]
async fn a_server_that_dies_leaves_no_whole_answer() {
    for head in ["content-length: 9\r\n\r\nbegin", "transfer-encoding: chunked\r\n\r\n5\r\nbegin\r\n"] {
        let server = Server::raw(move |mut stream, _| async move {
            read_head(&mut stream).await;
            stream.write_all(format!("HTTP/1.1 200 OK\r\n{head}").as_bytes()).await.unwrap();
        })
        .await;
        let error = refused(text(&client(), get(&server.url("/"))).await);
        assert!(matches!(error, Error::Incomplete), "{error:?}");
    }
    let (tx, mut rx) = mpsc::channel(1);
    let authority = Authority::new();
    let server = Server::http(Some(authority.server("localhost", &["h2"])), move |_| {
        let tx = tx.clone();
        async move {
            let (mut pieces, body) = Channel::<Bytes, io::Error>::new(1);
            pieces.send_data(Bytes::from_static(b"begin")).await.unwrap();
            tx.send(pieces).await.unwrap();
            Response::new(body.boxed_unsync())
        }
    })
    .await;
    let url = format!("https://localhost:{}/", server.port);
    let mut body = send(&authority.client(), get(&url)).await.unwrap().into_body();
    assert_eq!(soon(body.frame()).await.unwrap().unwrap().into_data().unwrap(), "begin");
    soon(rx.recv()).await.unwrap().abort(io::Error::other("dies"));
    let error = refused(soon(body.collect()).await);
    assert!(matches!(error, Error::Incomplete), "{error:?}");
}

/// Tells when it is dropped.
struct Bell(mpsc::Sender<&'static str>, &'static str);

impl Drop for Bell {
    fn drop(&mut self) {
        let _ = self.0.try_send(self.1);
    }
}

#[tokio::test]
async fn dropping_the_future_ends_the_request() {
    let (tx, mut rx) = mpsc::channel(2);
    let arrived = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&arrived);
    let servers = each(move |request| {
        let (bell, counter) = (Bell(tx.clone(), "gone"), Arc::clone(&counter));
        async move {
            if request.uri().path() == "/quick" {
                std::mem::forget(bell);
                return answer("x");
            }
            counter.fetch_add(1, Ordering::SeqCst);
            std::future::pending::<()>().await;
            drop(bell);
            answer("")
        }
    })
    .await;
    for (number, (server, client, url)) in servers.into_iter().enumerate() {
        tokio::select! {
            _ = client.send(get(&url), Asked::default()) => panic!("nobody answers it"),
            () = until("it arrived", || arrived.load(Ordering::SeqCst) > number) => {}
        }
        assert_eq!(soon(rx.recv()).await, Some("gone"));
        assert_eq!(text(&client, get(&format!("{url}quick"))).await.unwrap(), "x");
        // HTTP/2 resets the stream; HTTP/1.1 has no other way than to close the connection.
        assert_eq!(server.accepted(), if number == 0 { 2 } else { 1 });
    }
}

#[tokio::test]
async fn dropping_the_body_of_an_answer_ends_it() {
    let (tx, mut rx) = mpsc::channel(2);
    let servers = each(move |_| {
        let bell = Bell(tx.clone(), "gone");
        async move {
            let endless = futures_util::stream::repeat_with(move || {
                let _held = &bell;
                Ok::<_, io::Error>(Frame::data(Bytes::from_static(&[0; 4096])))
            });
            Response::new(StreamBody::new(endless).boxed_unsync())
        }
    })
    .await;
    for (_server, client, url) in servers {
        let mut response = send(&client, get(&url)).await.unwrap();
        soon(response.body_mut().frame()).await.unwrap().unwrap();
        drop(response);
        assert_eq!(soon(rx.recv()).await, Some("gone"));
    }
}

#[tokio::test]
async fn an_answer_before_the_end_of_the_request_keeps_nothing_busy() {
    let server = Server::saying("HTTP/1.1 413 Too Large\r\ncontent-length: 0\r\n\r\n").await;
    let quota = Arc::new(Quota::new(16));
    let client = Setup { quota: Arc::clone(&quota), ..Setup::default() }.client();
    let (pieces, body) = Channel::<Bytes, Error>::new(1);
    let (response, _) = soon(client.send(post(&server.url("/"), body), Asked::default())).await.unwrap();
    assert_eq!(response.status(), 413);
    // The connection still waits for the rest of the request: the next one needs another.
    assert_eq!(send(&client, get(&server.url("/"))).await.unwrap().status(), 413);
    assert_eq!(server.accepted(), 2);
    drop(pieces);
}
