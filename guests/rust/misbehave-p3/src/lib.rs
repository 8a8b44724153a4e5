//! A WASI 0.3 HTTP service whose path says what goes wrong: the cases of `misbehave`, with async bodies.

mod body;
mod outside;
mod reply;
mod resources;

use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};

use query::Query;
use wasip3::clocks::{monotonic_clock, system_clock};
use wasip3::exports::http::handler::Guest;
use wasip3::http::types::{ErrorCode, Request, Response};

wasip3::http::service::export!(Misbehave);

struct Misbehave;

/// Requests that this instance saw.
static SEEN: AtomicU64 = AtomicU64::new(0);

impl Guest for Misbehave {
    async fn handle(request: Request) -> Result<Response, ErrorCode> {
        let seen = SEEN.fetch_add(1, Ordering::Relaxed) + 1;
        let query = Query::parse(&request.get_path_with_query().unwrap_or_default());
        Ok(match query.path() {
            "/ok" | "/never-read" => reply::text(200, "ok\n".to_owned()),
            "/count" => reply::text(200, format!("{seen}\n")),
            "/status" => reply::text(query.number("code", 200) as u16, "as asked\n".to_owned()),
            "/loop-before" => harm::spin(),
            "/trap-before" => core::arch::wasm32::unreachable(),
            "/no-response" => return Err(ErrorCode::InternalError(Some("no response".to_owned()))),
            "/late" => {
                sleep(query.number("ms", 1000)).await;
                reply::text(200, "late\n".to_owned())
            }
            "/echo-headers" => reply::text(200, describe(&request)),
            "/read" => body::read(request).await,
            "/stdout" => {
                print_lines(query.number("lines", 10));
                reply::text(200, "printed\n".to_owned())
            }
            "/clock" => reply::text(200, clocks()),
            path if body::CASES.contains(&path) => body::run(query, request),
            path if resources::CASES.contains(&path) => resources::run(&query),
            path if outside::CASES.contains(&path) => outside::run(&query).await,
            path => reply::text(404, format!("no case {path}\n")),
        })
    }
}

pub(crate) async fn sleep(milliseconds: u64) {
    monotonic_clock::wait_for(milliseconds.saturating_mul(1_000_000)).await;
}

fn describe(request: &Request) -> String {
    let mut text = format!(
        "method: {:?}\nscheme: {:?}\nauthority: {:?}\npath: {:?}\n",
        request.get_method(),
        request.get_scheme(),
        request.get_authority(),
        request.get_path_with_query()
    );
    for (name, value) in request.get_headers().copy_all() {
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
    let wall = system_clock::now();
    format!("wall: {}.{:09}\nmonotonic: {}\n", wall.seconds, wall.nanoseconds, monotonic_clock::now())
}
