//! The front end: asks the back end, which is written in C, and puts its answer into a page.

use std::io::{Read as _, Write as _};

use wasip2::exports::http::incoming_handler::Guest;
use wasip2::http::outgoing_handler;
use wasip2::http::types::{
    ErrorCode, Fields, IncomingBody, IncomingRequest, OutgoingBody, OutgoingRequest, OutgoingResponse,
    ResponseOutparam, Scheme,
};

const BACKEND: &str = "backend.wharf.internal";
/// More than the back end ever says, less than this component may hold.
const ANSWER_MAX_BYTES: u64 = 64 * 1024;

wasip2::http::proxy::export!(Front);

struct Front;

impl Guest for Front {
    fn handle(request: IncomingRequest, out: ResponseOutparam) {
        let path = request.path_with_query().unwrap_or_else(|| "/".to_owned());
        match ask_backend(&path) {
            Ok(answer) => respond(out, 200, &format!("the back end says: {answer}")),
            Err(code) => respond(out, 502, &format!("the back end did not answer: {code:?}\n")),
        }
    }
}

fn ask_backend(path: &str) -> Result<String, ErrorCode> {
    let refused = |()| ErrorCode::HttpRequestUriInvalid;
    let request = OutgoingRequest::new(Fields::new());
    request.set_scheme(Some(&Scheme::Http)).map_err(refused)?;
    request.set_authority(Some(BACKEND)).map_err(refused)?;
    request.set_path_with_query(Some(path)).map_err(refused)?;

    let pending = outgoing_handler::handle(request, None)?;
    pending.subscribe().block();
    let internal = || ErrorCode::InternalError(None);
    let response = pending.get().and_then(Result::ok).ok_or_else(internal)??;

    let body: IncomingBody = response.consume().map_err(|()| internal())?;
    let stream = body.stream().map_err(|()| internal())?;
    let mut answer = String::new();
    stream
        .take(ANSWER_MAX_BYTES)
        .read_to_string(&mut answer)
        .map_err(|error| ErrorCode::InternalError(Some(error.to_string())))?;
    Ok(answer)
}

fn respond(out: ResponseOutparam, status: u16, text: &str) {
    let headers = Fields::new();
    let _ = headers.append("content-type", b"text/plain; charset=utf-8");
    let response = OutgoingResponse::new(headers);
    let _ = response.set_status_code(status);
    let Ok(body) = response.body() else { return };
    ResponseOutparam::set(out, Ok(response));

    // A failed write means that the client went away: nothing is left to be told.
    if let Ok(mut stream) = body.write() {
        let _ = stream.write_all(text.as_bytes());
    }
    let _ = OutgoingBody::finish(body, None);
}
