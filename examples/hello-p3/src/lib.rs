//! The smallest WASI 0.3 HTTP service: one line of text to every request.

use wasip3::exports::http::handler::Guest;
use wasip3::http::types::{ErrorCode, Fields, Request, Response};
use wasip3::{wit_future, wit_stream};

wasip3::http::service::export!(Hello);

struct Hello;

impl Guest for Hello {
    async fn handle(_request: Request) -> Result<Response, ErrorCode> {
        let headers = Fields::new();
        let _ = headers.append("content-type", b"text/plain; charset=utf-8");
        let (mut body, contents) = wit_stream::new();
        // The value of a future whose writer is dropped: no trailers.
        let (_, trailers) = wit_future::new(|| Ok(None));
        let (response, _sent) = Response::new(headers, Some(contents), trailers);

        wasip3::spawn(async move {
            body.write_all(b"hello\n".to_vec()).await;
        });
        Ok(response)
    }
}
