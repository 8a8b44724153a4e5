//! The hot stops of a request, one after another in a loop, to be counted in instructions.
//!
//! `stops` prints the cases; `stops CASE COUNT` sets the case up and does it COUNT times. Whoever counts runs it twice
//! with different counts: the difference is free of the set-up.

mod route;

use std::hint::black_box;

use anyhow::{Context as _, Result, bail};

/// Does the case once.
type Stop = Box<dyn Fn()>;

/// Every case: its name, and what sets it up.
const CASES: &[(&str, fn() -> Result<Stop>)] = &[
    ("route-exact-path", || route::find("app-500.example.com", "/users/list")),
    ("route-param", || route::find("app-500.example.com", "/users/17/orders/4")),
    ("route-rest", || route::find("app-500.example.com", "/files/2026/11/report.pdf")),
    ("route-any-host", || route::find("127.0.0.1:3000", "/c500")),
    ("route-suffix-host", || route::find("one.of.many.wild-500.example.org", "/users/list")),
    ("route-not-found", || route::find("app-500.example.com", "/nobody/has/this")),
];

fn main() -> Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match args.as_slice() {
        [] => CASES.iter().for_each(|(name, _)| println!("{name}")),
        [name, count] => {
            let case = CASES.iter().find(|(case, _)| case == name);
            let (_, set_up) = case.with_context(|| format!("no case is called `{name}`"))?;
            let stop = set_up()?;
            let count: u64 = count.parse().context("COUNT is a number")?;
            (0..black_box(count)).for_each(|_| stop());
        }
        _ => bail!("usage: stops [CASE COUNT]"),
    }
    Ok(())
}
