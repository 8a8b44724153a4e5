//! Cases that use up memory, stack, handles and header space.

use query::Query;
use wasip3::http::types::{Fields, Response};
use wasip3::wit_stream;

use crate::reply;

pub(crate) const CASES: &[&str] = &["/memory", "/recursion", "/handles", "/headers"];

pub(crate) fn run(query: &Query) -> Response {
    match query.path() {
        "/memory" => {
            let refused = match query.text("then") {
                Some("answer") => harm::Refused::Answer,
                Some("retry") => harm::Refused::Retry,
                _ => harm::Refused::Trap,
            };
            let pages = harm::grow(&refused);
            reply::text(200, format!("grew by {pages} pages\n"))
        }
        "/recursion" => {
            let depth = harm::recurse(query.number("depth", u64::MAX));
            reply::text(200, format!("came back from {depth}\n"))
        }
        "/handles" if query.text("kind") == Some("streams") => keep(query, wit_stream::new::<u8>),
        "/handles" => keep(query, Fields::new),
        _ => headers(query),
    }
}

/// Creates resources without end, or `?n=` of them, and drops none before the answer.
fn keep<T>(query: &Query, create: impl Fn() -> T) -> Response {
    let count = query.number("n", u64::MAX);
    let kept: Vec<T> = (0..count).map(|_| create()).collect();
    reply::text(200, format!("kept {}\n", kept.len()))
}

/// Answers with `?n=` headers of `?size=` bytes each.
fn headers(query: &Query) -> Response {
    let value = vec![b'v'; query.number("size", 16) as usize];
    let headers = Fields::new();
    for number in 0..query.number("n", 5000) {
        if let Err(error) = headers.append(&format!("x-many-{number}"), &value) {
            return reply::text(500, format!("refused header {number}: {error:?}\n"));
        }
    }
    reply::start(200, headers, |mut body| async move {
        body.send(b"many headers\n").await;
        body.finish(Ok(None)).await;
    })
}
