//! The same with the engine's types.

use crate::support::*;
use http_body_util::{BodyExt, Full};
use std::time::Duration;
use wasmtime_wasi_http::{Error as WasiError, RequestOptions, WasiBody};

fn request(url: &str, body: &'static str) -> http::Request<WasiBody> {
    http::Request::post(url).body(Full::from(body).map_err(|never| match never {}).boxed_unsync()).unwrap()
}

#[tokio::test]
async fn a_guest_gets_an_answer() {
    let server = Server::http(None, |request| async move {
        let body = request.into_body().collect().await.unwrap().to_bytes();
        answer(body)
    })
    .await;
    let (response, sent) =
        soon(wharf_http::wit::send(&client(), request(&server.url("/"), "hello"), None)).await.unwrap();
    assert_eq!(soon(response.into_body().collect()).await.unwrap().to_bytes(), "hello");
    soon(Box::into_pin(sent)).await.unwrap();
}

#[tokio::test]
async fn a_guest_is_told_what_went_wrong() {
    let silent = Server::saying("").await;
    let short = Some(Duration::from_millis(20));
    let options = RequestOptions { connect_timeout: None, first_byte_timeout: short, between_bytes_timeout: short };
    let client = Setup { grants: vec!["*".into(), silent.url("")], ..Setup::default() }.client();
    for (url, expected) in [
        ("http://10.0.0.1/", "DestinationIpProhibited"),
        ("http://nobody.test/", "DnsError { rcode: None, info_code: None }"),
        ("http://a.wharf.internal/", "HttpRequestDenied"),
        ("http://a@b.test/", "HttpRequestUriInvalid"),
        (silent.url("/").as_str(), "HttpResponseTimeout"),
    ] {
        let sent = soon(wharf_http::wit::send(&client, request(url, ""), Some(options))).await;
        let error = sent.map(drop).unwrap_err();
        assert_eq!(format!("{error:?}"), expected, "{url}");
    }
}

#[tokio::test]
async fn the_error_of_a_guest_stays_its_own() {
    let server = Server::http(None, |request| async move {
        let _ = request.into_body().collect().await;
        answer("x")
    })
    .await;
    let pieces = [Err(WasiError::HttpRequestBodySize(Some(7)))];
    let body: WasiBody = http_body_util::StreamBody::new(futures_util::stream::iter(pieces)).boxed_unsync();
    let request = http::Request::post(server.url("/")).body(body).unwrap();
    let error = soon(wharf_http::wit::send(&client(), request, None)).await.map(drop).unwrap_err();
    assert!(matches!(error, WasiError::HttpRequestBodySize(Some(7))), "{error:?}");
}
