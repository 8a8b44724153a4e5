//! What is measured, and the tables.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use tempfile::TempDir;
use tokio::sync::Mutex;
use tokio_rustls::TlsConnector;

use crate::guest::{Servers, Wharf};
use crate::native;

/// How long calls a second are counted.
const TIME: Duration = Duration::from_secs(4);

/// Runs of each latency; the middle one counts.
const RUNS: usize = 5;

/// Calls of a run: fast ones, those of servers, and those that wait for a disk.
const FAST: u64 = 20_000;
const SERVED: u64 = 2000;
const DURABLE: u64 = 200;

/// Returns the middle of several runs.
fn middle(mut run: impl FnMut() -> Result<f64>) -> Result<f64> {
    let mut runs = (0..RUNS).map(|_| run()).collect::<Result<Vec<f64>>>()?;
    runs.sort_by(f64::total_cmp);
    Ok(runs[RUNS / 2])
}

fn micros(nanos: f64) -> String {
    format!("{:.2}", nanos / 1000.0)
}

fn line(what: &str, guest: f64, native: Option<f64>) {
    let (beside, ratio) = native.map_or_else(
        || ("–".to_owned(), "–".to_owned()),
        |native| (micros(native), format!("{:.2} x", guest / native)),
    );
    println!("| {what} | {} | {beside} | {ratio} |", micros(guest));
}

pub fn measure(pooled: &Wharf, unpooled: &Wharf, servers: &Servers) -> Result<()> {
    println!("One call after another, µs a call in the guest's view:\n");
    println!("| call | guest | native | guest / native |\n|---|---|---|---|");
    let memory = embedded(pooled)?;
    on_servers(pooled, servers)?;
    let plain = http_latency("HTTP", pooled, unpooled, servers, false)?;
    let tls = http_latency("HTTP with TLS", pooled, unpooled, servers, true)?;
    println!("\nCalls a second, {} requests at a time:\n", crate::CONCURRENCY);
    println!("| call | guest | native | guest / native |\n|---|---|---|---|");
    let ratios = throughput(pooled, servers)?;
    println!();
    target("guest → adapter → memory → guest, µs", memory / 1000.0, memory < 3000.0, "under 3");
    for (what, ratio) in ratios {
        target(&format!("{what}, of native calls a second"), ratio, ratio >= 0.8, "at least 0.8");
    }
    for (what, times) in [("pooled HTTP", plain), ("pooled HTTP with TLS", tls)] {
        target(&format!("{what}, times as fast as un-pooled"), times, times >= 5.0, "at least 5");
    }
    Ok(())
}

fn target(what: &str, measured: f64, is_met: bool, wanted: &str) {
    println!("- {what}: {measured:.2}, wanted {wanted}: {}", if is_met { "met" } else { "**missed**" });
}

/// Returns what a `get` in memory takes.
fn embedded(wharf: &Wharf) -> Result<f64> {
    let folder = TempDir::new()?;
    line("key-value set, memory", middle(|| wharf.nanos("/set?label=memory", FAST))?, None);
    let memory = middle(|| wharf.nanos("/get?label=memory", FAST))?;
    line("key-value get, memory", memory, None);
    let database = redb::Database::create(folder.path().join("laps.redb"))?;
    let set = middle(|| native::on_runtime(native::nanos(DURABLE, async |_| native::redb_set(&database))))?;
    line("key-value set, redb (durable)", middle(|| wharf.nanos("/set?label=redb", DURABLE))?, Some(set));
    let get = middle(|| native::on_runtime(native::nanos(FAST, async |_| native::redb_get(&database))))?;
    line("key-value get, redb", middle(|| wharf.nanos("/get?label=redb", FAST))?, Some(get));
    let database = native::sqlite(&folder.path().join("laps.sqlite"))?;
    let row = middle(|| native::on_runtime(native::nanos(FAST, async |n| native::sqlite_row(&database, n))))?;
    // The first one makes the table.
    wharf.nanos("/row?label=sqlite", 1)?;
    line("SQL point query, SQLite", middle(|| wharf.nanos("/row?label=sqlite", FAST))?, Some(row));
    Ok(memory)
}

fn on_servers(wharf: &Wharf, servers: &Servers) -> Result<()> {
    let url = servers.redis.as_str();
    let set = middle(|| {
        native::on_runtime(async {
            let mut connection = native::redis(url).await?;
            native::nanos(SERVED, async |_| native::redis_set(&mut connection).await).await
        })
    })?;
    line("key-value set, Redis", middle(|| wharf.nanos("/set?label=redis", SERVED))?, Some(set));
    let get = middle(|| {
        native::on_runtime(async {
            let mut connection = native::redis(url).await?;
            native::nanos(SERVED, async |_| native::redis_get(&mut connection).await).await
        })
    })?;
    line("key-value get, Redis", middle(|| wharf.nanos("/get?label=redis", SERVED))?, Some(get));
    let row = middle(|| {
        native::on_runtime(async {
            let pool = native::postgres(&servers.postgres).await?;
            native::nanos(SERVED, async |number| pool.row(number).await).await
        })
    })?;
    wharf.nanos("/row?label=postgres", 1)?;
    line("SQL point query, PostgreSQL", middle(|| wharf.nanos("/row?label=postgres", SERVED))?, Some(row));
    Ok(())
}

/// Returns how many times as fast a request is on a kept connection as on a new one.
fn http_latency(what: &str, pooled: &Wharf, unpooled: &Wharf, servers: &Servers, is_tls: bool) -> Result<f64> {
    let port = if is_tls { servers.web.tls } else { servers.web.plain };
    let path = format!("/{}?port={port}", if is_tls { "https" } else { "http" });
    let tls = is_tls.then(|| TlsConnector::from(servers.identity.client(&[b"http/1.1"])));
    let connect = || native::connect(port, tls.as_ref());
    let native_kept = middle(|| {
        native::on_runtime(async {
            let mut send = connect().await?;
            native::nanos(SERVED, async |_| native::http(&mut send).await).await
        })
    })?;
    let native_new =
        middle(|| native::on_runtime(native::nanos(SERVED, async |_| native::http(&mut connect().await?).await)))?;
    let kept = middle(|| pooled.nanos(&path, SERVED))?;
    line(&format!("{what}, pooled"), kept, Some(native_kept));
    let new = middle(|| unpooled.nanos(&path, SERVED))?;
    line(&format!("{what}, a connection each"), new, Some(native_new));
    Ok(new / kept)
}

/// Returns the ratio of each server.
fn throughput(wharf: &Wharf, servers: &Servers) -> Result<Vec<(&'static str, f64)>> {
    let redis = native::on_runtime(async {
        let connection = native::redis(&servers.redis).await?;
        native::calls_per_second(TIME, || {
            let connection = connection.clone();
            move |_| {
                let mut connection = connection.clone();
                async move { native::redis_get(&mut connection).await }
            }
        })
        .await
    })?;
    let postgres = native::on_runtime(async {
        let pool = native::postgres(&servers.postgres).await?;
        native::calls_per_second(TIME, || {
            let pool = Arc::clone(&pool);
            move |number| {
                let pool = Arc::clone(&pool);
                async move { pool.row(number).await }
            }
        })
        .await
    })?;
    let port = servers.web.plain;
    let http = native::on_runtime(native::calls_per_second(TIME, || {
        let kept = Arc::new(Mutex::new(None));
        move |_| {
            let kept = Arc::clone(&kept);
            async move {
                let mut kept = kept.lock().await;
                if kept.is_none() {
                    *kept = Some(native::connect(port, None).await?);
                }
                match kept.as_mut() {
                    Some(send) => native::http(send).await,
                    None => Ok(()),
                }
            }
        }
    }))?;
    let rows = [
        ("key-value get, Redis", "/get?label=redis".to_owned(), redis),
        ("SQL point query, PostgreSQL", "/row?label=postgres".to_owned(), postgres),
        ("HTTP, pooled", format!("/http?port={port}"), http),
    ];
    let mut ratios = Vec::new();
    for (what, path, native) in rows {
        let guest = wharf.calls_per_second(&path, TIME)?;
        println!("| {what} | {guest:.0} | {native:.0} | {:.2} x |", guest / native);
        ratios.push((what, guest / native));
    }
    Ok(ratios)
}
