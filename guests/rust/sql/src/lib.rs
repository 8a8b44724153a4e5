//! A WASI 0.2 HTTP handler over a database: `/make`, `/add?id=N&word=W`, `/rows`, `/count?rows=N` (a long result), `/types`, `/batch?id=N`
//! (three rows or none), `/move?id=N&end=E` with E of `commit`, `rollback`, `drop`, `trap` and `hold`, and `/run` with a statement as its
//! body. `label=L` chooses the database.

mod calls;

use query::Query;
use wasip2::exports::http::incoming_handler::Guest;
use wasip2::http::types::{Fields, IncomingRequest, OutgoingBody, OutgoingResponse, ResponseOutparam};

wit_bindgen::generate!({
    path: "../../../wit/sql",
    world: "wharf:sql/imports",
    generate_all,
});

wasip2::http::proxy::export!(Sql);

struct Sql;

impl Guest for Sql {
    fn handle(request: IncomingRequest, out: ResponseOutparam) {
        let query = Query::parse(&request.path_with_query().unwrap_or_default());
        let label = query.text("label").unwrap_or("default");
        let id = i64::try_from(query.number("id", 1)).unwrap_or(i64::MAX);
        let word = query.text("word").unwrap_or_default();
        let answer = match query.path() {
            "/make" => calls::make(label),
            "/add" => calls::add(label, id, word),
            "/rows" => calls::rows(label),
            "/count" => calls::count(label, query.number("rows", 1000)),
            "/types" => calls::types(label),
            "/batch" => calls::batch(label, id),
            "/move" => calls::transaction(label, id, query.text("end").unwrap_or("commit")),
            "/run" => calls::run(label, &body(&request)),
            path => Err(format!("no case {path}")),
        };
        match answer {
            Ok(text) => reply(out, 200, &text),
            Err(error) if error.starts_with("denied") => reply(out, 403, &error),
            Err(error) => reply(out, 500, &error),
        }
    }
}

/// Returns the whole body, which is a small text.
fn body(request: &IncomingRequest) -> String {
    let mut bytes = Vec::new();
    let Ok(body) = request.consume() else { return String::new() };
    let Ok(stream) = body.stream() else { return String::new() };
    while let Ok(piece) = stream.blocking_read(64 << 10) {
        bytes.extend(piece);
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn reply(out: ResponseOutparam, status: u16, text: &str) {
    let response = OutgoingResponse::new(Fields::new());
    let _ = response.set_status_code(status);
    let body = response.body().expect("the first body");
    ResponseOutparam::set(out, Ok(response));
    if let Ok(stream) = body.write() {
        for piece in text.as_bytes().chunks(4096) {
            let _ = stream.blocking_write_and_flush(piece);
        }
    }
    let _ = OutgoingBody::finish(body, None);
}
