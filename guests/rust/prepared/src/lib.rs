//! Answers from a table of primes, and says when it was made: at build time by the initialisation, or with a request. The exports below
//! `wizer-initialize` are initialisations that cannot be kept.

use std::collections::HashMap;
use std::hint::black_box;
use std::io::Write as _;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};

use wasip2::exports::http::incoming_handler::Guest;
use wasip2::http::types::{Fields, IncomingRequest, OutgoingBody, OutgoingResponse, ResponseOutparam};

wasip2::http::proxy::export!(Prepared);

/// Primes are looked for below this: a fifth of a second, the way it is done here.
const LIMIT: u32 = 500_000;

/// Largest first, so that it is no table that a compiler could have made.
static PRIMES: Mutex<Vec<u32>> = Mutex::new(Vec::new());

/// How often the table was made.
static MADE: AtomicU32 = AtomicU32::new(0);

struct Prepared;

impl Guest for Prepared {
    fn handle(_: IncomingRequest, out: ResponseOutparam) {
        let before = MADE.load(Ordering::Relaxed);
        prepare();
        let here = MADE.load(Ordering::Relaxed) - before;
        let primes = PRIMES.lock().unwrap();
        let (count, largest) = (primes.len(), primes.first().copied().unwrap_or_default());

        let response = OutgoingResponse::new(Fields::new());
        let Ok(body) = response.body() else { return };
        ResponseOutparam::set(out, Ok(response));
        if let Ok(mut stream) = body.write() {
            let _ = writeln!(stream, "{count} primes, the largest is {largest}; made before: {before}, now: {here}");
        }
        let _ = OutgoingBody::finish(body, None);
    }
}

/// Makes the table unless it is there.
fn prepare() {
    let mut primes = PRIMES.lock().unwrap();
    if primes.is_empty() {
        let is_prime = |n: &u32| (2..).take_while(|d| d * d <= *n).all(|d| n % d != 0);
        primes.extend((2..black_box(LIMIT)).rev().filter(is_prime));
        MADE.fetch_add(1, Ordering::Relaxed);
    }
}

#[unsafe(export_name = "wizer-initialize")]
pub extern "C" fn initialize() {
    prepare();
}

#[unsafe(export_name = "panics")]
pub extern "C" fn panics() {
    panic!("no table without {}", black_box("data"));
}

#[unsafe(export_name = "loops")]
pub extern "C" fn loops() {
    while black_box(true) {}
}

#[unsafe(export_name = "reads-the-clock")]
pub extern "C" fn reads_the_clock() {
    black_box(std::time::SystemTime::now());
}

/// The keys of every map of this process would be known to all who have the component.
#[unsafe(export_name = "draws-random-numbers")]
pub extern "C" fn draws_random_numbers() {
    black_box(HashMap::from([(1, 2)]));
}

#[unsafe(export_name = "reads-the-environment")]
pub extern "C" fn reads_the_environment() {
    black_box(std::env::var("HOME").ok());
}

#[unsafe(export_name = "takes-a-number")]
pub extern "C" fn takes_a_number(number: u32) {
    black_box(number);
}

#[unsafe(export_name = "takes-memory")]
pub extern "C" fn takes_memory() {
    let mut parts = Vec::new();
    loop {
        parts.push(black_box(vec![1_u8; 1 << 20]));
    }
}
