//! Every wait ends.

use crate::support::*;
use bytes::Bytes;
use http_body::Frame;
use http_body_util::BodyExt;
use http_body_util::channel::Channel;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use wharf_http::{Asked, Error, Lookup, Quota, Resolver, Timeouts};

const SHORT: Duration = Duration::from_millis(30);

fn short(connect: Option<Duration>, first_byte: Option<Duration>, between_bytes: Option<Duration>) -> Asked {
    Asked { connect, first_byte, between_bytes }
}

#[tokio::test]
async fn a_tls_handshake_that_nobody_answers() {
    let server = Server::raw(|mut stream, _| async move { closed(&mut stream).await }).await;
    let quota = Arc::new(Quota::new(16));
    let client = Setup { quota: Arc::clone(&quota), ..Setup::default() }.client();
    let url = format!("https://127.0.0.1:{}/", server.port);
    let error = refused(soon(client.send(get(&url), short(Some(SHORT), None, None))).await);
    assert!(matches!(error, Error::ConnectTimeout { .. }), "{error:?}");
    assert_eq!(quota.used(), 0);
}

#[tokio::test]
async fn a_name_that_nobody_answers() {
    struct Silent;
    impl Resolver for Silent {
        fn look_up(&self, _: &str) -> Lookup {
            Box::pin(std::future::pending())
        }
    }
    let network = wharf_http::Network {
        settings: wharf_http::Settings::default(),
        trust: wharf_http::Trust::default(),
        resolver: Arc::new(Silent),
    };
    let who = wharf_kit::Who { app: "shop".into(), component: "front".into() };
    let grants = vec![wharf_app::HttpGrant::parse("http://app.test").unwrap()];
    let client = wharf_http::Client::new(Arc::new(network), who, grants, Arc::new(Quota::new(1)), Arc::default());
    let error = refused(soon(client.send(get("http://app.test/"), short(Some(SHORT), None, None))).await);
    assert!(matches!(error, Error::LookupTimeout { .. }), "{error:?}");
}

#[tokio::test]
async fn an_answer_that_does_not_begin() {
    for said in [&b""[..], b"HTTP/1.1 200 OK\r\nconte", b"HTTP/1.1 100 Continue\r\n\r\n"] {
        let server = Server::saying(said).await;
        let error = refused(soon(client().send(get(&server.url("/")), short(None, Some(SHORT), None))).await);
        assert!(matches!(error, Error::FirstByte(SHORT)), "{error:?}");
    }
}

#[tokio::test]
async fn an_endless_beginning() {
    let server = Server::raw(|mut stream, _| async move {
        read_head(&mut stream).await;
        while stream.write_all(b"HTTP/1.1 102 Processing\r\n\r\n").await.is_ok() {
            tokio::task::yield_now().await;
        }
    })
    .await;
    let error = refused(soon(client().send(get(&server.url("/")), short(None, Some(SHORT), None))).await);
    assert!(matches!(error, Error::FirstByte(SHORT)), "{error:?}");
}

#[tokio::test]
async fn an_answer_that_stops() {
    let server = Server::saying("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nbegin").await;
    let quota = Arc::new(Quota::new(16));
    let client = Setup { quota: Arc::clone(&quota), ..Setup::default() }.client();
    let asked = client.send(get(&server.url("/")), short(None, None, Some(SHORT)));
    let mut body = soon(asked).await.unwrap().0.into_body();
    assert_eq!(soon(body.frame()).await.unwrap().unwrap().into_data().unwrap(), "begin");
    let error = refused(soon(body.frame()).await.unwrap());
    assert!(matches!(error, Error::BetweenBytes(SHORT)), "{error:?}");
    assert!(soon(body.frame()).await.is_none(), "the body is over");
    until("the connection is closed", || quota.used() == 0).await;
}

#[tokio::test]
async fn the_operator_decides_what_a_guest_may_wait() {
    let server = Server::saying("").await;
    let timeouts = Timeouts { first_byte: SHORT, ..Timeouts::default() };
    let client = Setup { timeouts, ..Setup::default() }.client();
    let error = refused(soon(client.send(get(&server.url("/")), short(None, Some(PATIENCE), None))).await);
    assert!(matches!(error, Error::FirstByte(SHORT)), "{error:?}");
}

/// The request is sent in many pieces, each within the time, all together above it.
#[tokio::test]
async fn a_long_request_is_no_slow_answer() {
    let server = Server::http(None, |request| async move {
        let sent = request.into_body().collect().await.unwrap().to_bytes();
        answer(sent.len().to_string())
    })
    .await;
    let limit = Duration::from_millis(400);
    let (mut pieces, body) = Channel::<Bytes, Error>::new(1);
    let sending = async {
        let mut pause = tokio::time::interval(limit / 8);
        for _ in 0..24 {
            pause.tick().await;
            pieces.send(Frame::data(Bytes::from_static(b"x"))).await.unwrap();
        }
        drop(pieces);
    };
    let client = client();
    let asked = client.send(post(&server.url("/"), body), short(None, Some(limit), None));
    let (answered, ()) = soon(async { tokio::join!(asked, sending) }).await;
    let body = answered.unwrap().0.into_body();
    assert_eq!(soon(body.collect()).await.unwrap().to_bytes(), "24");
}
