//! Calls of capabilities in a guest's view, beside the same calls of native Rust with the same crates, on the same servers in one run.
//!
//! `capabilities WHARF LAPS_WASM`: starts Redis, PostgreSQL and an HTTP server, measures, prints a Markdown table. The program and the
//! native side have one thread each for their calls; the servers have the rest of the machine.

mod guest;
mod native;
mod table;
mod web;

use std::path::Path;

use anyhow::{Result, bail};
use wharf_testkit::Certificate;
use wharf_testkit::services::{Postgres, Redis};

/// Requests at a time, where calls a second are counted.
pub const CONCURRENCY: usize = 64;

/// What every value of the key-value rows is.
pub const VALUE: [u8; 100] = [b'x'; 100];

pub const SELECT: &str = "SELECT word FROM laps WHERE id = $1";

fn main() -> Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [wharf, laps] = args.as_slice() else { bail!("usage: capabilities WHARF LAPS_WASM") };
    let (Some(redis), Some(postgres)) = (Redis::options().in_memory().start(), Postgres::start()) else {
        bail!("there is no Redis or no PostgreSQL: `cargo xtask test` installs them");
    };
    postgres.sql("CREATE ROLE laps LOGIN PASSWORD 'laps'");
    postgres.sql("CREATE DATABASE laps OWNER laps");
    let postgres_url = format!("postgres://laps:laps@127.0.0.1:{}/laps", postgres.port());
    let identity = Certificate::new();
    let web = web::start(&identity)?;
    let servers = guest::Servers { redis: redis.url(), postgres: postgres_url, web, identity };
    let pooled = guest::Wharf::start(Path::new(wharf), Path::new(laps), &servers, "")?;
    let unpooled = guest::Wharf::start(Path::new(wharf), Path::new(laps), &servers, "[http]\nidle = 0\n")?;
    table::measure(&pooled, &unpooled, &servers)
}
