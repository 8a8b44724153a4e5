//! A WASI 0.2 HTTP handler over key-value stores: `/v1?key=K` and `/v2?key=K` with GET, PUT and DELETE, each by another version of
//! `wasi:keyvalue`, `/incr?key=K&by=N`, `/keys`, `/append?key=K` (by compare-and-swap) and `/batch?count=N`. `label=L` chooses the store.

mod calls;

use query::Query;
use wasip2::exports::http::incoming_handler::Guest;
use wasip2::http::types::{Fields, IncomingRequest, Method, OutgoingBody, OutgoingResponse, ResponseOutparam};

wit_bindgen::generate!({
    path: ["../../../wit/keyvalue-0.2.0-draft", "../../../wit/keyvalue-0.2.0-draft2"],
    inline: "
        package wharf:keyvalue-guest;
        world keyvalue {
            import wasi:keyvalue/store@0.2.0-draft;
            import wasi:keyvalue/atomics@0.2.0-draft;
            import wasi:keyvalue/batch@0.2.0-draft;
            import wasi:keyvalue/store@0.2.0-draft2;
            import wasi:keyvalue/atomics@0.2.0-draft2;
            import wasi:keyvalue/batch@0.2.0-draft2;
        }
    ",
    generate_all,
});

wasip2::http::proxy::export!(Keyvalue);

struct Keyvalue;

impl Guest for Keyvalue {
    fn handle(request: IncomingRequest, out: ResponseOutparam) {
        let query = Query::parse(&request.path_with_query().unwrap_or_default());
        let label = query.text("label").unwrap_or("default");
        let key = query.text("key").unwrap_or_default();
        let by = query.text("by").and_then(|by| by.parse().ok()).unwrap_or(1);
        let answer = match (request.method(), query.path()) {
            (Method::Get, "/v1") => calls::get_v1(label, key),
            (Method::Put, "/v1") => calls::set_v1(label, key, &body(&request)),
            (Method::Delete, "/v1") => calls::delete_v1(label, key),
            (Method::Get, "/v2") => calls::get_v2(label, key),
            (Method::Put, "/v2") => calls::set_v2(label, key, &body(&request)),
            (Method::Delete, "/v2") => calls::delete_v2(label, key),
            (_, "/incr") => calls::increment(label, key, by),
            (_, "/keys") => calls::keys(label),
            (_, "/append") => calls::append(label, key, &body(&request)),
            (_, "/batch") => calls::batch(label, query.number("count", 10)),
            (_, path) => Ok(Some(format!("no case {path}\n").into_bytes())),
        };
        match answer {
            Ok(Some(bytes)) => reply(out, 200, &bytes),
            Ok(None) => reply(out, 404, b""),
            Err(error) if error == "denied" => reply(out, 403, b"denied"),
            Err(error) => reply(out, 500, error.as_bytes()),
        }
    }
}

/// Returns the whole body, which is a small one.
fn body(request: &IncomingRequest) -> Vec<u8> {
    let mut bytes = Vec::new();
    let Ok(body) = request.consume() else { return bytes };
    let Ok(stream) = body.stream() else { return bytes };
    while let Ok(piece) = stream.blocking_read(64 << 10) {
        bytes.extend(piece);
    }
    bytes
}

fn reply(out: ResponseOutparam, status: u16, bytes: &[u8]) {
    let response = OutgoingResponse::new(Fields::new());
    let _ = response.set_status_code(status);
    let body = response.body().expect("the first body");
    ResponseOutparam::set(out, Ok(response));
    if let Ok(stream) = body.write() {
        for piece in bytes.chunks(4096) {
            let _ = stream.blocking_write_and_flush(piece);
        }
    }
    let _ = OutgoingBody::finish(body, None);
}
