//! One request stays one, and one answer is read by one request: nobody makes two of one, or one of two.

use crate::support::*;
use bytes::Bytes;
use http::{HeaderValue, Uri};
use http_body_util::{BodyExt, Full};
use std::sync::Arc;
use tokio::io::AsyncWriteExt;
use tokio::sync::mpsc;
use wharf_http::{Error, Quota};

/// A server that hands over the first bytes of each connection as they come, up to a mark.
async fn listening(mark: &'static str) -> (Server, mpsc::Receiver<String>) {
    let (tx, rx) = mpsc::channel(4);
    let server = Server::raw(move |mut stream, _| {
        let tx = tx.clone();
        async move {
            let mut heard = Vec::new();
            while !heard.ends_with(mark.as_bytes()) {
                match tokio::io::AsyncReadExt::read_u8(&mut stream).await {
                    Ok(byte) => heard.push(byte),
                    Err(_) => break,
                }
            }
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n").await;
            let _ = tx.send(String::from_utf8_lossy(&heard).into_owned()).await;
        }
    })
    .await;
    (server, rx)
}

fn body(text: &'static str) -> impl http_body::Body<Data = Bytes, Error = Error> + Send + 'static {
    Full::from(text).map_err(|never| match never {})
}

#[tokio::test]
async fn a_request_with_several_lengths_is_not_sent() {
    let server = Server::http(None, |_| async { answer("x") }).await;
    for lengths in
        [&["5", "7"][..], &["5", "5"], &["5, 5"], &["+5"], &["0x5"], &["-1"], &[""], &["99999999999999999999"]]
    {
        let mut request = post(&server.url("/"), body("hello"));
        for length in lengths {
            request.headers_mut().append("content-length", HeaderValue::from_static(length));
        }
        let error = refused(send(&client(), request).await);
        assert!(matches!(error, Error::ContentLength), "{lengths:?}: {error:?}");
    }
    assert_eq!(server.accepted(), 0);
}

/// The guest's word about the connection is taken out: the length alone says where the request ends.
#[tokio::test]
async fn a_guest_does_not_say_how_its_request_is_framed() {
    let (server, mut heard) = listening("hello").await;
    let mut request = post(&server.url("/"), body("hello"));
    for (name, value) in [
        ("content-length", "5"),
        ("transfer-encoding", "chunked"),
        ("connection", "x-private, close"),
        ("x-private", "1"),
        ("upgrade", "h2c"),
        ("keep-alive", "1"),
    ] {
        request.headers_mut().append(name, HeaderValue::from_static(value));
    }
    send(&client(), request).await.unwrap();
    let heard = soon(heard.recv()).await.unwrap();
    assert_eq!(heard, format!("POST / HTTP/1.1\r\ncontent-length: 5\r\nhost: 127.0.0.1:{}\r\n\r\nhello", server.port));
}

/// What is longer than its head says would be the beginning of the next request.
#[tokio::test]
async fn a_body_that_is_longer_than_its_length_is_no_second_request() {
    let (tx, mut rx) = mpsc::channel(4);
    let server = Server::http(None, move |request| {
        let tx = tx.clone();
        async move {
            let path = request.uri().path().to_owned();
            let body = request.into_body().collect().await.map(|body| body.to_bytes().len());
            tx.send((path, body.ok())).await.unwrap();
            answer("x")
        }
    })
    .await;
    let client = client();
    let pieces =
        ["hello", "GET /inner HTTP/1.1\r\nhost: x\r\n\r\n"].map(|text| Ok(http_body::Frame::data(Bytes::from(text))));
    let mut request = post(&server.url("/outer"), http_body_util::StreamBody::new(futures_util::stream::iter(pieces)));
    request.headers_mut().insert("content-length", HeaderValue::from_static("5"));
    let _ = soon(client.send(request, wharf_http::Asked::default())).await.map(drop);
    text(&client, get(&server.url("/next"))).await.unwrap();
    let mut paths = Vec::new();
    while let Ok((path, length)) = rx.try_recv() {
        assert!(path != "/inner" && length.is_none_or(|length| length <= 5), "{path} {length:?}");
        paths.push(path);
    }
    assert_eq!(paths.last().map(String::as_str), Some("/next"));
}

#[tokio::test]
async fn nothing_of_a_url_or_a_field_ends_a_line() {
    for url in
        ["http://a.test/\r\nx: y", "http://a.test\r\n/", "http://a.test/ HTTP/1.1\r\nx: y\r\n\r\n", "http://a.test/\n"]
    {
        assert!(url.parse::<Uri>().is_err(), "{url:?}");
    }
    for value in ["x\r\ny: z", "x\n", "\r", "x\0"] {
        assert!(HeaderValue::try_from(value).is_err(), "{value:?}");
    }
    // What may be in a URL is sent as it is.
    let (server, mut heard) = listening("\r\n\r\n").await;
    send(&client(), get(&server.url("/%0d%0ax:%20y?%0d%0a"))).await.unwrap();
    assert!(soon(heard.recv()).await.unwrap().starts_with("GET /%0d%0ax:%20y?%0d%0a HTTP/1.1\r\n"));
}

/// An answer that two readers could cut differently: what comes after it belongs to nobody.
#[tokio::test]
async fn an_answer_that_can_be_cut_in_two_ways_is_not_followed_by_another() {
    let evil = "HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nevil";
    for first in [
        // More than the length says.
        format!("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok{evil}"),
        // Both kinds of length.
        format!("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\ncontent-length: 2\r\n\r\n2\r\nok\r\n0\r\n\r\n{evil}"),
        // Two lengths.
        format!("HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 6\r\n\r\nokok{evil}"),
        // A body where there is none.
        format!("HTTP/1.1 204 No Content\r\ncontent-length: 40\r\n\r\n{evil}"),
        format!("HTTP/1.1 304 Not Modified\r\ncontent-length: 40\r\n\r\n{evil}"),
        // A length that is none.
        format!("HTTP/1.1 200 OK\r\ncontent-length: +2\r\n\r\nok{evil}"),
        format!("HTTP/1.1 200 OK\r\ntransfer-encoding: identity, chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n{evil}"),
    ] {
        let server = Server::raw(move |mut stream, number| {
            let first = first.clone();
            async move {
                read_head(&mut stream).await;
                let second = "HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\ngood".to_owned();
                let _ = stream.write_all(if number == 0 { first } else { second }.as_bytes()).await;
                closed(&mut stream).await;
            }
        })
        .await;
        let quota = Arc::new(Quota::new(16));
        let client = Setup { quota: Arc::clone(&quota), ..Setup::default() }.client();
        if let Ok(first) = text(&client, get(&server.url("/"))).await {
            assert!(first == "ok" || first.is_empty(), "{first}");
        }
        // The task of the connection finds what is left over.
        until("the connection is closed", || quota.used() == 0).await;
        assert_eq!(text(&client, get(&server.url("/"))).await.unwrap(), "good");
        assert_eq!(server.accepted(), 2);
    }
}
