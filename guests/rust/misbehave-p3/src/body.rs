//! Cases about the order, the length and the end of request and response bodies.

use query::Query;
use wasip3::http::types::{ErrorCode, Fields, Request, Response};

use crate::reply::{self, Body, Pieces};
use crate::sleep;

pub(crate) const CASES: &[&str] = &[
    "/loop-mid",
    "/loop-after",
    "/endless",
    "/stall",
    "/trap-mid",
    "/trap-after",
    "/error-mid",
    "/echo",
    "/early",
    "/short-length",
    "/long-length",
    "/empty-writes",
];

const HOUR_MS: u64 = 3_600_000;

pub(crate) fn run(query: Query, request: Request) -> Response {
    let headers = Fields::new();
    // HTTP/1 sends only the trailers that the header `trailer` announces.
    if query.path() == "/echo" {
        for value in request.get_headers().get("trailer") {
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
    reply::start(200, headers, |body| async move {
        match query.path() {
            "/echo" => echo(request, body).await,
            "/early" => early(request, body).await,
            "/endless" => endless(body).await,
            "/empty-writes" => empty_writes(body, query.number("n", 1000)).await,
            path => partly(path, body).await,
        }
    })
}

/// Sends a part of a body and does then what the case says.
async fn partly(path: &str, mut body: Body) {
    body.send(b"part of the body\n").await;
    match path {
        "/loop-mid" => harm::spin(),
        "/trap-mid" => core::arch::wasm32::unreachable(),
        "/stall" => sleep(HOUR_MS).await,
        _ => {}
    }
    body.finish(match path {
        "/error-mid" => Err(ErrorCode::InternalError(Some("half-way".to_owned()))),
        _ => Ok(None),
    })
    .await;
    match path {
        "/loop-after" => harm::spin(),
        "/trap-after" => core::arch::wasm32::unreachable(),
        _ => {}
    }
}

async fn endless(mut body: Body) {
    while body.send(&[b'x'; 16 * 1024]).await {}
}

async fn echo(request: Request, mut body: Body) {
    let mut pieces = Pieces::of_request(request);
    while let Some(piece) = pieces.next().await {
        if !body.send(&piece).await {
            return;
        }
    }
    let end = pieces.end().await;
    body.finish(end).await;
}

/// Reads to the end and answers then.
pub(crate) async fn read(request: Request) -> Response {
    let mut pieces = Pieces::of_request(request);
    let mut bytes = 0;
    while let Some(piece) = pieces.next().await {
        bytes += piece.len();
    }
    reply::text(200, format!("read {bytes} bytes\n"))
}

/// Answers first and reads then, to the end; the last line says how much there was.
async fn early(request: Request, mut body: Body) {
    body.send(b"early\n").await;
    let mut pieces = Pieces::of_request(request);
    let mut bytes = 0;
    while let Some(piece) = pieces.next().await {
        bytes += piece.len();
    }
    body.send(format!("then read {bytes} bytes\n").as_bytes()).await;
    body.finish(Ok(None)).await;
}

async fn empty_writes(mut body: Body, count: u64) {
    for _ in 0..count {
        if !body.send_nothing().await {
            return;
        }
    }
    body.send(b"done\n").await;
    body.finish(Ok(None)).await;
}
