//! WASI 0.2 middleware: answers 401 itself to requests without `authorization`, and passes all others on as they came.
//!
//! `x-read: yes` has it read the body before it passes the request on, which is more than it may.

use wasip2::exports::http::incoming_handler::Guest;
use wasip2::http::types::{Fields, IncomingRequest, OutgoingBody, OutgoingResponse, ResponseOutparam};

wit_bindgen::generate!({
    path: "../../../wit/wasi-0.2",
    inline: "
        package test:gate;
        world gate {
            import wasi:http/incoming-handler@0.2.12;
        }
    ",
    world: "test:gate/gate",
    with: {
        "wasi:http/types@0.2.12": wasip2::http::types,
        "wasi:io/poll@0.2.12": wasip2::io::poll,
        "wasi:io/error@0.2.12": wasip2::io::error,
        "wasi:io/streams@0.2.12": wasip2::io::streams,
        "wasi:clocks/monotonic-clock@0.2.12": wasip2::clocks::monotonic_clock,
        "wasi:http/incoming-handler@0.2.12": generate,
    },
});

wasip2::http::proxy::export!(Gate);

struct Gate;

impl Guest for Gate {
    fn handle(request: IncomingRequest, out: ResponseOutparam) {
        let headers = request.headers();
        let (has_name, reads) = (headers.has("authorization"), headers.has("x-read"));
        drop(headers);
        if !has_name {
            return refuse(out);
        }
        let body = if reads { request.consume().ok() } else { None };
        if let Some(stream) = body.as_ref().and_then(|body| body.stream().ok()) {
            while stream.blocking_read(1 << 16).is_ok() {}
        }
        drop(body);
        wasi::http::incoming_handler::handle(request, out);
    }
}

fn refuse(out: ResponseOutparam) {
    let response = OutgoingResponse::new(Fields::new());
    let _ = response.set_status_code(401);
    let Ok(body) = response.body() else { return };
    ResponseOutparam::set(out, Ok(response));
    if let Ok(stream) = body.write() {
        let _ = stream.blocking_write_and_flush(b"who are you?\n");
    }
    let _ = OutgoingBody::finish(body, None);
}
