//! What goes over HTTP: bodies in, JSON out, and what an error of the database is to a client.

use crate::bindings::wharf::sql::database::Error;
use serde::Serialize;
use std::io::{Read as _, Write as _};
use wasip2::http::types::{Fields, IncomingRequest, OutgoingBody, OutgoingResponse, ResponseOutparam};

/// Bytes of a note.
const TEXT_MAX: u64 = 64 * 1024;

pub struct Answer {
    status: u16,
    body: Vec<u8>,
}

impl Answer {
    pub fn json(status: u16, value: &impl Serialize) -> Result<Self, Self> {
        match serde_json::to_vec(value) {
            Ok(mut body) => {
                body.push(b'\n');
                Ok(Self { status, body })
            }
            Err(_) => Err(Self::error(500, "the answer cannot be written")),
        }
    }

    pub fn error(status: u16, message: &str) -> Self {
        Self { status, body: format!("{{\"error\":{message:?}}}\n").into_bytes() }
    }

    pub fn empty(status: u16) -> Self {
        Self { status, body: Vec::new() }
    }
}

impl From<Error> for Answer {
    fn from(error: Error) -> Self {
        // What the database said is for the log, not for clients.
        eprintln!("the database: {error:?}");
        match error {
            Error::Connection(_) | Error::Timeout | Error::Serialization(_) => Self::error(503, "try again later"),
            Error::Limit(_) => Self::error(413, "that is too much"),
            _ => Self::error(500, "the notes cannot be had"),
        }
    }
}

/// Reads a request's body.
pub fn text(request: &IncomingRequest) -> Result<String, Answer> {
    let broken = || Answer::error(400, "the body broke off");
    let body = request.consume().map_err(|()| broken())?;
    let stream = body.stream().map_err(|()| broken())?;
    let mut bytes = Vec::new();
    stream.take(TEXT_MAX + 1).read_to_end(&mut bytes).map_err(|_| broken())?;
    if bytes.len() as u64 > TEXT_MAX {
        return Err(Answer::error(413, "a note has at most 64 KiB"));
    }
    String::from_utf8(bytes).map_err(|_| Answer::error(400, "a note is text"))
}

pub fn send(out: ResponseOutparam, answer: Answer) {
    let headers = Fields::new();
    let _ = headers.append("content-type", b"application/json");
    let response = OutgoingResponse::new(headers);
    let _ = response.set_status_code(answer.status);
    let Ok(body) = response.body() else { return };
    ResponseOutparam::set(out, Ok(response));
    // A failed write means that the client went away: nothing is left to be told.
    if let Ok(mut stream) = body.write() {
        let _ = stream.write_all(&answer.body);
    }
    let _ = OutgoingBody::finish(body, None);
}
