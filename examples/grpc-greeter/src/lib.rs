//! A unary gRPC service without a gRPC framework: a frame of five bytes, protobuf, and a status in the trailers.

mod frame;

use prost::Message;
use wasip3::exports::http::handler::Guest;
use wasip3::http::types::{ErrorCode, Fields, Request, Response};
use wasip3::{wit_future, wit_stream};

/// `HelloRequest` of `proto/greeter.proto`.
#[derive(Clone, PartialEq, Message)]
struct HelloRequest {
    #[prost(string, tag = "1")]
    name: String,
}

/// `HelloReply` of `proto/greeter.proto`.
#[derive(Clone, PartialEq, Message)]
struct HelloReply {
    #[prost(string, tag = "1")]
    message: String,
}

/// A gRPC status: its code in the registry of the protocol, and a sentence.
pub(crate) struct Status(pub(crate) u8, pub(crate) &'static str);

const OK: Status = Status(0, "");

wasip3::http::service::export!(Greeter);

struct Greeter;

impl Guest for Greeter {
    async fn handle(request: Request) -> Result<Response, ErrorCode> {
        let path = request.get_path_with_query().unwrap_or_default();
        let (_, consumed) = wit_future::new(|| Ok(()));
        let (body, _) = Request::consume_body(request, consumed);
        let answer = match path.as_str() {
            "/wharf.greeter.v1.Greeter/SayHello" => frame::read(body).await.and_then(say_hello),
            _ => Err(Status(12, "no such method")),
        };
        Ok(match answer {
            Ok(reply) => respond(frame::write(&reply), OK),
            Err(status) => respond(Vec::new(), status),
        })
    }
}

fn say_hello(request: HelloRequest) -> Result<HelloReply, Status> {
    match request.name.as_str() {
        "" => Err(Status(3, "a name is needed")),
        name => Ok(HelloReply { message: format!("Hello, {name}!") }),
    }
}

/// Starts the answer: the frame as body, the status as trailers.
fn respond(frame: Vec<u8>, status: Status) -> Response {
    let headers = Fields::new();
    let _ = headers.append("content-type", b"application/grpc+proto");
    let (mut body, contents) = wit_stream::new();
    let (status_writer, trailers) = wit_future::new(|| Ok(None));
    let (response, _sent) = Response::new(headers, Some(contents), trailers);

    wasip3::spawn(async move {
        body.write_all(frame).await;
        drop(body);
        let _ = status_writer.write(Ok(Some(status.into_trailers()))).await;
    });
    response
}

impl Status {
    fn into_trailers(self) -> Fields {
        let trailers = Fields::new();
        let _ = trailers.append("grpc-status", self.0.to_string().as_bytes());
        if !self.1.is_empty() {
            let _ = trailers.append("grpc-message", self.1.as_bytes());
        }
        trailers
    }
}
