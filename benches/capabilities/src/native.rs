//! The native side: the same calls with the same crates, on a runtime of one thread.

use std::future::Future;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Empty};
use hyper::Request;
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use redb::{Database, ReadableDatabase as _, TableDefinition};
use redis::aio::MultiplexedConnection;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::{Mutex, Semaphore};
use tokio_postgres::{Client, NoTls, Statement};
use tokio_rustls::TlsConnector;

use crate::{CONCURRENCY, SELECT, VALUE};

const TABLE: TableDefinition<'static, &str, &[u8]> = TableDefinition::new("laps");
const KEY: &str = "lap";

/// Connections to PostgreSQL: what the program has for each core and label unless told otherwise.
const CONNECTIONS: usize = 4;

/// Runs a future on a runtime of its own.
pub fn on_runtime<T>(work: impl Future<Output = Result<T>>) -> Result<T> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(work)
}

/// Returns the nanoseconds of one call, `count` in a row.
pub async fn nanos(count: u64, mut call: impl AsyncFnMut(u64) -> Result<()>) -> Result<f64> {
    let started = Instant::now();
    for number in 0..count {
        call(number).await?;
    }
    Ok(started.elapsed().as_nanos() as f64 / count as f64)
}

/// Returns how many calls a second many tasks make.
pub async fn calls_per_second<F, C>(time: Duration, make: impl Fn() -> C) -> Result<f64>
where
    F: Future<Output = Result<()>> + Send,
    C: Fn(u64) -> F + Send + Sync + 'static,
{
    let started = Instant::now();
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..CONCURRENCY {
        let call = make();
        tasks.spawn(async move {
            let mut calls = 0;
            while started.elapsed() < time {
                call(calls).await?;
                calls += 1;
            }
            anyhow::Ok(calls)
        });
    }
    let mut calls = 0;
    while let Some(done) = tasks.join_next().await {
        calls += done??;
    }
    Ok(calls as f64 / started.elapsed().as_secs_f64())
}

// === Redis ===

pub async fn redis(url: &str) -> Result<MultiplexedConnection> {
    let mut connection = redis::Client::open(url)?.get_multiplexed_async_connection().await?;
    redis_set(&mut connection).await?;
    Ok(connection)
}

pub async fn redis_get(connection: &mut MultiplexedConnection) -> Result<()> {
    let value: Option<Vec<u8>> = redis::cmd("GET").arg("native").query_async(connection).await?;
    ensure!(value.is_some_and(|value| value.len() == VALUE.len()));
    Ok(())
}

pub async fn redis_set(connection: &mut MultiplexedConnection) -> Result<()> {
    Ok(redis::cmd("SET").arg("native").arg(&VALUE).query_async(connection).await?)
}

// === redb ===

pub fn redb_set(database: &Database) -> Result<()> {
    let write = database.begin_write()?;
    write.open_table(TABLE)?.insert(KEY, VALUE.as_slice())?;
    Ok(write.commit()?)
}

pub fn redb_get(database: &Database) -> Result<()> {
    let table = database.begin_read()?.open_table(TABLE)?;
    let value = redb::ReadableTable::get(&table, KEY)?;
    ensure!(value.is_some_and(|value| value.value().to_vec().len() == VALUE.len()));
    Ok(())
}

// === SQL ===

pub fn sqlite(path: &std::path::Path) -> Result<rusqlite::Connection> {
    let connection = rusqlite::Connection::open(path)?;
    connection.pragma_update(None, "journal_mode", "wal")?;
    connection.execute("CREATE TABLE laps (id BIGINT PRIMARY KEY, word TEXT)", [])?;
    for id in 0..1000 {
        connection.execute("INSERT INTO laps VALUES (?1, ?2)", (id, format!("word {id}")))?;
    }
    Ok(connection)
}

pub fn sqlite_row(connection: &rusqlite::Connection, number: u64) -> Result<()> {
    let mut statement = connection.prepare_cached(SELECT)?;
    let word: String = statement.query_row([(number % 1000) as i64], |row| row.get(0))?;
    ensure!(!word.is_empty());
    Ok(())
}

/// A pool as most have it: whoever uses a connection has it alone.
pub struct Pool {
    connections: Vec<Mutex<(Client, Statement)>>,
    free: Semaphore,
}

pub async fn postgres(url: &str) -> Result<Arc<Pool>> {
    let mut connections = Vec::new();
    for number in 0..CONNECTIONS {
        let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
        tokio::spawn(connection);
        if number == 0 {
            client.batch_execute("CREATE TABLE IF NOT EXISTS public.laps (id BIGINT PRIMARY KEY, word TEXT)").await?;
            let rows =
                "INSERT INTO public.laps SELECT n, 'word ' || n FROM generate_series(0, 999) n ON CONFLICT DO NOTHING";
            client.batch_execute(rows).await?;
        }
        let statement = client.prepare(&SELECT.replace("laps", "public.laps")).await?;
        connections.push(Mutex::new((client, statement)));
    }
    Ok(Arc::new(Pool { connections, free: Semaphore::new(CONNECTIONS) }))
}

impl Pool {
    pub async fn row(&self, number: u64) -> Result<()> {
        let _turn = self.free.acquire().await?;
        let Some(lease) = self.connections.iter().find_map(|connection| connection.try_lock().ok()) else {
            anyhow::bail!("a turn stands for a connection");
        };
        let (client, statement) = &*lease;
        let row = client.query_one(statement, &[&((number % 1000) as i64)]).await?;
        ensure!(!row.try_get::<_, String>(0)?.is_empty());
        Ok(())
    }
}

// === HTTP ===

/// Connects, with TLS if there are settings for it.
pub async fn connect(port: u16, tls: Option<&TlsConnector>) -> Result<SendRequest<Empty<Bytes>>> {
    let stream = TcpStream::connect(("127.0.0.1", port)).await?;
    stream.set_nodelay(true)?;
    match tls {
        None => begin(stream).await,
        Some(tls) => begin(tls.connect(ServerName::IpAddress(Ipv4Addr::LOCALHOST.into()), stream).await?).await,
    }
}

async fn begin(stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static) -> Result<SendRequest<Empty<Bytes>>> {
    let (send, connection) = http1::handshake(TokioIo::new(stream)).await?;
    tokio::spawn(connection);
    Ok(send)
}

pub async fn http(send: &mut SendRequest<Empty<Bytes>>) -> Result<()> {
    send.ready().await?;
    let request = Request::get("/").header("host", "127.0.0.1").body(Empty::new())?;
    let answer = send.send_request(request).await?;
    ensure!(answer.status() == 200 && !answer.into_body().collect().await?.to_bytes().is_empty());
    Ok(())
}
