//! The smallest WASI 0.2 HTTP handler: one line of text to every request.

use std::io::Write as _;

use wasip2::exports::http::incoming_handler::Guest;
use wasip2::http::types::{Fields, IncomingRequest, OutgoingBody, OutgoingResponse, ResponseOutparam};

wasip2::http::proxy::export!(Hello);

struct Hello;

impl Guest for Hello {
    fn handle(_request: IncomingRequest, out: ResponseOutparam) {
        let headers = Fields::new();
        let _ = headers.append("content-type", b"text/plain; charset=utf-8");
        let response = OutgoingResponse::new(headers);
        let Ok(body) = response.body() else { return };
        ResponseOutparam::set(out, Ok(response));

        // A failed write means that the client went away: nothing is left to be told.
        if let Ok(mut stream) = body.write() {
            let _ = stream.write_all(b"hello\n");
        }
        let _ = OutgoingBody::finish(body, None);
    }
}
