//! Traps three calls below its handler, so that a backtrace has lines to show: `/panic`, `/overflow`, `/unreachable`. Works for a while
//! with `/busy`, so that a profile has samples to show.

use std::hint::black_box;
use std::io::Write as _;

use wasip2::exports::http::incoming_handler::Guest;
use wasip2::http::types::{Fields, IncomingRequest, OutgoingBody, OutgoingResponse, ResponseOutparam};

wasip2::http::proxy::export!(TrapLines);

struct TrapLines;

impl Guest for TrapLines {
    fn handle(request: IncomingRequest, out: ResponseOutparam) {
        let path = request.path_with_query().unwrap_or_default();
        let total = checkout(&path, &[3, 5, 7]);

        let response = OutgoingResponse::new(Fields::new());
        let Ok(body) = response.body() else { return };
        ResponseOutparam::set(out, Ok(response));
        if let Ok(mut stream) = body.write() {
            let _ = writeln!(stream, "total {total}");
        }
        let _ = OutgoingBody::finish(body, None);
    }
}

#[inline(never)]
fn checkout(path: &str, prices: &[u32]) -> u32 {
    black_box(prices).iter().map(|price| discount(path, *price)).sum()
}

#[inline(never)]
fn discount(path: &str, price: u32) -> u32 {
    black_box(price).wrapping_sub(lookup(path, black_box(price)))
}

#[inline(never)]
fn lookup(path: &str, price: u32) -> u32 {
    match path {
        "/panic" => [1, 2, 3][black_box(price) as usize],
        "/overflow" => black_box(u32::MAX).strict_add(price),
        "/busy" => busy(black_box(400_000)),
        "/unreachable" => core::arch::wasm32::unreachable(),
        _ => 1,
    }
}

/// Counts primes the slow way.
#[inline(never)]
fn busy(limit: u32) -> u32 {
    let is_prime = |n: &u32| (2..).take_while(|d| d * d <= *n).all(|d| n % d != 0);
    (2..limit).filter(is_prime).count() as u32
}
