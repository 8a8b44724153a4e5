//! Cases about the order, the length and the end of request and response bodies.

use query::Query;
use wasip2::http::types::{Fields, IncomingRequest, ResponseOutparam};

use crate::reply::{self, Pieces, Reply};
use crate::sleep;

pub(crate) const CASES: &[&str] = &[
    "/loop-mid",
    "/loop-after",
    "/endless",
    "/stall",
    "/trap-mid",
    "/trap-after",
    "/echo",
    "/early",
    "/short-length",
    "/long-length",
    "/empty-writes",
];

const HOUR_MS: u64 = 3_600_000;

pub(crate) fn run(query: &Query, request: IncomingRequest, out: ResponseOutparam) {
    let headers = Fields::new();
    // HTTP/1 sends only the trailers that the header `trailer` announces.
    if query.path() == "/echo" {
        for value in request.headers().get("trailer") {
            let _ = headers.append("trailer", &value);
        }
    }
    let declared: &[u8] = match query.path() {
        "/short-length" => b"100",
        "/long-length" => b"5",
        _ => b"",
    };
    if !declared.is_empty() {
        let _ = headers.append("content-length", declared);
    }
    let Some(mut reply) = Reply::start(out, 200, headers) else { return };
    match query.path() {
        "/echo" => return echo(&request, reply),
        "/early" => return early(&request, reply),
        "/endless" => while reply.send(&[b'x'; 16 * 1024]).is_ok() {},
        "/empty-writes" => empty_writes(&mut reply, query.number("n", 1000)),
        _ => {
            let _ = reply.send(b"part of the body\n");
        }
    }
    match query.path() {
        "/loop-mid" => harm::spin(),
        "/trap-mid" => core::arch::wasm32::unreachable(),
        "/stall" => sleep(HOUR_MS),
        _ => {}
    }
    reply.finish(None);
    match query.path() {
        "/loop-after" => harm::spin(),
        "/trap-after" => core::arch::wasm32::unreachable(),
        _ => {}
    }
}

fn echo(request: &IncomingRequest, mut reply: Reply) {
    let mut pieces = Pieces::of(request);
    while let Some(piece) = pieces.next() {
        if reply.send(&piece).is_err() {
            return;
        }
    }
    reply.finish(pieces.trailers());
}

/// Reads to the end and answers then.
pub(crate) fn read(request: &IncomingRequest, out: ResponseOutparam) {
    let mut pieces = Pieces::of(request);
    let mut bytes = 0;
    while let Some(piece) = pieces.next() {
        bytes += piece.len();
    }
    reply::text(out, 200, &format!("read {bytes} bytes\n"));
}

/// Answers first and reads then, to the end; the last line says how much there was.
fn early(request: &IncomingRequest, mut reply: Reply) {
    let _ = reply.send(b"early\n");
    let mut pieces = Pieces::of(request);
    let mut bytes = 0;
    while let Some(piece) = pieces.next() {
        bytes += piece.len();
    }
    let _ = reply.send(format!("then read {bytes} bytes\n").as_bytes());
    reply.finish(None);
}

fn empty_writes(reply: &mut Reply, count: u64) {
    for _ in 0..count {
        if reply.send_nothing().is_err() {
            return;
        }
    }
    let _ = reply.send(b"done\n");
}
