//! {{ name }}: answers HTTP requests. What it prints is in the log of `wharf up`.

use wasip3::exports::http::handler::Guest;
use wasip3::http::types::{ErrorCode, Fields, Request, Response};
use wasip3::{wit_future, wit_stream};

wasip3::http::service::export!(App);

struct App;

impl Guest for App {
    async fn handle(request: Request) -> Result<Response, ErrorCode> {
        let path = request.get_path_with_query().unwrap_or_default();
        println!("asked for {path}");
        Ok(respond(200, "Hello from Rust!\n"))
    }
}

/// Returns an answer whose body is written while it is sent.
fn respond(status: u16, text: &str) -> Response {
    let headers = Fields::new();
    let _ = headers.append("content-type", b"text/plain; charset=utf-8");
    let (mut body, contents) = wit_stream::new();
    // The value of a future whose writer is dropped: no trailers.
    let (_, trailers) = wit_future::new(|| Ok(None));
    let (response, _sent) = Response::new(headers, Some(contents), trailers);
    let _ = response.set_status_code(status);
    let bytes = text.as_bytes().to_vec();
    wasip3::spawn(async move {
        body.write_all(bytes).await;
    });
    response
}
