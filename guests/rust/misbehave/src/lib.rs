//! A WASI 0.2 HTTP handler whose path says what goes wrong: one case per path, documented in `guests/README.md`.

mod body;
mod outside;
mod reply;
mod resources;

use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};

use query::Query;
use wasip2::clocks::{monotonic_clock, wall_clock};
use wasip2::exports::http::incoming_handler::Guest;
use wasip2::http::types::{IncomingRequest, ResponseOutparam};

wasip2::http::proxy::export!(Misbehave);

struct Misbehave;

/// Requests that this instance saw.
static SEEN: AtomicU64 = AtomicU64::new(0);

impl Guest for Misbehave {
    fn handle(request: IncomingRequest, out: ResponseOutparam) {
        let seen = SEEN.fetch_add(1, Ordering::Relaxed) + 1;
        let query = Query::parse(&request.path_with_query().unwrap_or_default());
        match query.path() {
            "/ok" | "/never-read" => reply::text(out, 200, "ok\n"),
            "/count" => reply::text(out, 200, &format!("{seen}\n")),
            "/status" => reply::text(out, query.number("code", 200) as u16, "as asked\n"),
            "/loop-before" => harm::spin(),
            "/trap-before" => core::arch::wasm32::unreachable(),
            "/no-response" => drop(out),
            "/late" => {
                sleep(query.number("ms", 1000));
                reply::text(out, 200, "late\n");
            }
            "/echo-headers" => reply::text(out, 200, &describe(&request)),
            "/read" => body::read(&request, out),
            "/stdout" => {
                print_lines(query.number("lines", 10));
                reply::text(out, 200, "printed\n");
            }
            "/clock" => reply::text(out, 200, &clocks()),
            path if body::CASES.contains(&path) => body::run(&query, request, out),
            path if resources::CASES.contains(&path) => resources::run(&query, out),
            path if outside::CASES.contains(&path) => outside::run(&query, out),
            path => reply::text(out, 404, &format!("no case {path}\n")),
        }
    }
}

pub(crate) fn sleep(milliseconds: u64) {
    monotonic_clock::subscribe_duration(milliseconds.saturating_mul(1_000_000)).block();
}

fn describe(request: &IncomingRequest) -> String {
    let mut text = format!(
        "method: {:?}\nscheme: {:?}\nauthority: {:?}\npath: {:?}\n",
        request.method(),
        request.scheme(),
        request.authority(),
        request.path_with_query()
    );
    for (name, value) in request.headers().entries() {
        let _ = writeln!(text, "header: {name}: {}", String::from_utf8_lossy(&value));
    }
    text
}

fn print_lines(lines: u64) {
    for line in 1..=lines {
        println!("out {line}");
        eprintln!("err {line}");
    }
}

fn clocks() -> String {
    let wall = wall_clock::now();
    format!("wall: {}.{:09}\nmonotonic: {}\n", wall.seconds, wall.nanoseconds, monotonic_clock::now())
}
