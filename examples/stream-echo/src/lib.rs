//! Sends each request's body and trailers back, one piece at a time.
//!
//! At most one piece is in this component's memory: the next one is read when the client took the last.

use wasip3::exports::http::handler::Guest;
use wasip3::http::types::{ErrorCode, Fields, Request, Response};
use wasip3::wit_bindgen::StreamResult;
use wasip3::{wit_future, wit_stream};

const PIECE_BYTES: usize = 64 * 1024;

wasip3::http::service::export!(Echo);

struct Echo;

impl Guest for Echo {
    async fn handle(request: Request) -> Result<Response, ErrorCode> {
        let headers = Fields::new();
        // HTTP/1 sends only the trailers that the header `trailer` announces.
        for name in ["content-type", "trailer"] {
            for value in request.get_headers().get(name) {
                let _ = headers.append(name, &value);
            }
        }

        let (_, consumed) = wit_future::new(|| Ok(()));
        let (mut input, input_trailers) = Request::consume_body(request, consumed);
        let (mut output, contents) = wit_stream::new();
        let (output_trailers, trailers) = wit_future::new(|| Ok(None));
        let (response, _sent) = Response::new(headers, Some(contents), trailers);

        wasip3::spawn(async move {
            let mut buffer = Vec::with_capacity(PIECE_BYTES);
            loop {
                let (result, piece) = input.read(buffer).await;
                if result == StreamResult::Dropped {
                    break;
                }
                buffer = output.write_all(piece).await;
                if !buffer.is_empty() {
                    return; // The client went away.
                }
                buffer.reserve(PIECE_BYTES);
            }
            drop(output);
            let _ = output_trailers.write(input_trailers.await).await;
        });
        Ok(response)
    }
}
