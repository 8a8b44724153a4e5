//! Cases that use up memory, stack, handles and header space.

use query::Query;
use wasip2::clocks::monotonic_clock;
use wasip2::http::types::{Fields, ResponseOutparam};

use crate::reply::{self, Reply};

pub(crate) const CASES: &[&str] = &["/memory", "/recursion", "/handles", "/headers"];

pub(crate) fn run(query: &Query, out: ResponseOutparam) {
    match query.path() {
        "/memory" => {
            let refused = match query.text("then") {
                Some("answer") => harm::Refused::Answer,
                Some("retry") => harm::Refused::Retry,
                _ => harm::Refused::Trap,
            };
            let pages = harm::grow(&refused);
            reply::text(out, 200, &format!("grew by {pages} pages\n"));
        }
        "/recursion" => {
            let depth = harm::recurse(query.number("depth", u64::MAX));
            reply::text(out, 200, &format!("came back from {depth}\n"));
        }
        "/handles" if query.text("kind") == Some("pollables") => {
            keep(query, out, || monotonic_clock::subscribe_duration(3_600_000_000_000));
        }
        "/handles" => keep(query, out, Fields::new),
        _ => headers(query, out),
    }
}

/// Creates resources without end, or `?n=` of them, and drops none before the answer.
fn keep<T>(query: &Query, out: ResponseOutparam, create: impl Fn() -> T) {
    let count = query.number("n", u64::MAX);
    let kept: Vec<T> = (0..count).map(|_| create()).collect();
    reply::text(out, 200, &format!("kept {}\n", kept.len()));
}

/// Answers with `?n=` headers of `?size=` bytes each.
fn headers(query: &Query, out: ResponseOutparam) {
    let value = vec![b'v'; query.number("size", 16) as usize];
    let headers = Fields::new();
    for number in 0..query.number("n", 5000) {
        if let Err(error) = headers.append(&format!("x-many-{number}"), &value) {
            return reply::text(out, 500, &format!("refused header {number}: {error:?}\n"));
        }
    }
    if let Some(mut reply) = Reply::start(out, 200, headers) {
        let _ = reply.send(b"many headers\n");
        reply.finish(None);
    }
}
