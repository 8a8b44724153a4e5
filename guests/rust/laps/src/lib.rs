//! Makes one call of a capability many times and answers with the nanoseconds that all of them took: `/get`, `/set`, `/row`, `/http` and
//! `/https`, each with `count=N`, and `label=L` or `port=P`.

mod calls;

use query::Query;
use wasip2::clocks::monotonic_clock;
use wasip2::exports::http::incoming_handler::Guest;
use wasip2::http::types::{Fields, IncomingRequest, OutgoingBody, OutgoingResponse, ResponseOutparam, Scheme};

wit_bindgen::generate!({
    path: ["../../../wit/keyvalue-0.2.0-draft2", "../../../wit/sql"],
    inline: "
        package wharf:laps-guest;
        world laps {
            import wasi:keyvalue/store@0.2.0-draft2;
            import wharf:sql/database@0.1.0;
        }
    ",
    generate_all,
});

wasip2::http::proxy::export!(Laps);

struct Laps;

impl Guest for Laps {
    fn handle(request: IncomingRequest, out: ResponseOutparam) {
        let query = Query::parse(&request.path_with_query().unwrap_or_default());
        let count = query.number("count", 1);
        let label = query.text("label").unwrap_or("default");
        let started = monotonic_clock::now();
        let done = match query.path() {
            "/get" => calls::get(label, count),
            "/set" => calls::set(label, count),
            "/row" => calls::row(label, count),
            "/http" => calls::http(&Scheme::Http, query.number("port", 0), count),
            "/https" => calls::http(&Scheme::Https, query.number("port", 0), count),
            path => Err(format!("no case {path}")),
        };
        let nanos = monotonic_clock::now() - started;
        match done {
            Ok(()) => reply(out, 200, &nanos.to_string()),
            Err(error) => reply(out, 500, &error),
        }
    }
}

fn reply(out: ResponseOutparam, status: u16, text: &str) {
    let response = OutgoingResponse::new(Fields::new());
    let _ = response.set_status_code(status);
    let Ok(body) = response.body() else { return };
    ResponseOutparam::set(out, Ok(response));
    if let Ok(stream) = body.write() {
        let _ = stream.blocking_write_and_flush(text.as_bytes());
    }
    let _ = OutgoingBody::finish(body, None);
}
