//! The hot stops of a request, one after another in a loop, to be counted in instructions.
//!
//! `stops` prints the cases; `stops CASE COUNT GUESTS STATE` sets the case up and does it COUNT times. Whoever counts
//! runs it twice with different counts: the difference is free of the set-up.

mod request;
mod route;

use std::hint::black_box;
use std::path::PathBuf;

use anyhow::{Context as _, Result, bail};

/// Does the case once.
type Stop = Box<dyn Fn()>;

/// Folders that cases may use.
struct Places {
    /// Where the compiled guests are.
    guests: PathBuf,
    /// The state of a node; what it compiled stays from run to run.
    state: PathBuf,
}

/// Every case: its name, and what sets it up.
const CASES: &[(&str, fn(&Places) -> Result<Stop>)] = &[
    ("route-exact-path", |_| route::find("app-500.example.com", "/users/list")),
    ("route-param", |_| route::find("app-500.example.com", "/users/17/orders/4")),
    ("route-rest", |_| route::find("app-500.example.com", "/files/2026/11/report.pdf")),
    ("route-any-host", |_| route::find("127.0.0.1:3000", "/c500")),
    ("route-suffix-host", |_| route::find("one.of.many.wild-500.example.org", "/users/list")),
    ("route-not-found", |_| route::find("app-500.example.com", "/nobody/has/this")),
    ("request-0.2-fresh", |places| request::of("hello", false, places)),
    ("request-0.2-reuse", |places| request::of("hello", true, places)),
    ("request-0.3-fresh", |places| request::of("hello-p3", false, places)),
    ("request-0.3-reuse", |places| request::of("hello-p3", true, places)),
];

fn main() -> Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match args.as_slice() {
        [] => CASES.iter().for_each(|(name, _)| println!("{name}")),
        [name, count, guests, state] => {
            let case = CASES.iter().find(|(case, _)| case == name);
            let (_, set_up) = case.with_context(|| format!("no case is called `{name}`"))?;
            let stop = set_up(&Places { guests: guests.into(), state: state.into() })?;
            let count: u64 = count.parse().context("COUNT is a number")?;
            (0..black_box(count)).for_each(|_| stop());
        }
        _ => bail!("usage: stops [CASE COUNT GUESTS STATE]"),
    }
    Ok(())
}
