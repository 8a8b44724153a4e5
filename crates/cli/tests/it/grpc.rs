//! A gRPC service: a unary call is a POST by HTTP/2 whose outcome stands in the trailers.

use crate::support::wharf;
use bytes::Bytes;
use http::{HeaderMap, Request};
use http_body_util::BodyExt;
use wharf_testkit::{Connection, Server, full, guest};

/// Calls a method with a message and returns the message of the answer and the trailers.
async fn call(server: &Server, method: &str, message: &[u8]) -> (Bytes, HeaderMap) {
    let mut frame = vec![0];
    frame.extend(u32::try_from(message.len()).unwrap().to_be_bytes());
    frame.extend(message);
    let request = Request::post(format!("{}/{method}", server.url))
        .header("content-type", "application/grpc+proto")
        .header("te", "trailers")
        .body(full(frame))
        .unwrap();
    let answer = Connection::http2(server.address).await.send(request).await.unwrap();
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.headers()["content-type"], "application/grpc+proto");
    let answer = answer.into_body().collect().await.unwrap();
    let trailers = answer.trailers().cloned().unwrap_or_default();
    (answer.to_bytes(), trailers)
}

/// A protobuf message whose first field is this text.
fn message(text: &str) -> Vec<u8> {
    let mut bytes = vec![0x0a, u8::try_from(text.len()).unwrap()];
    bytes.extend(text.as_bytes());
    bytes
}

#[tokio::test]
async fn a_call_is_answered_with_a_message_and_a_status() {
    let server = wharf().up(guest("grpc-greeter")).start();
    let (answer, trailers) = call(&server, "wharf.greeter.v1.Greeter/SayHello", &message("Ada")).await;
    assert_eq!(&answer[5..], message("Hello, Ada!"));
    assert_eq!(trailers["grpc-status"], "0");
}

#[tokio::test]
async fn an_error_is_a_status_in_the_trailers() {
    let server = wharf().up(guest("grpc-greeter")).start();
    for (method, name, status) in
        [("wharf.greeter.v1.Greeter/SayHello", "", "3"), ("other.Service/Method", "Ada", "12")]
    {
        let (answer, trailers) = call(&server, method, &message(name)).await;
        assert_eq!(answer.len(), 0);
        assert_eq!(trailers["grpc-status"], status, "{method}");
        assert!(trailers.contains_key("grpc-message"), "{method}");
    }
}
