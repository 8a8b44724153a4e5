//! Stop 3: an accepted stream → requests, one after the other or many at a time.
//!
//! In: a stream. Out: `http::Request`s for [`crate::service`]. Next: [`crate::service`].

use crate::listener::Drain;
use crate::preface::{self, Protocol};
use crate::service::{Connection, Service};
use crate::socket::Socket;
use crate::{Gateway, Limits};
use hyper::rt::{Read, Write};
use hyper::server::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::sync::OwnedSemaphorePermit;
use wharf_trigger::Forwarding;
use wharf_trigger::http::Origin;

/// HTTP/2 streams that a client may reset before they were answered, and those that Wharf may have to reset, before the
/// connection is closed (CVE-2023-44487, CVE-2025-8671).
const RESETS: usize = 64;

/// Answers the requests of one connection until either side has enough.
pub(crate) async fn serve(
    stream: TcpStream,
    client: SocketAddr,
    gateway: Arc<Gateway>,
    mut drain: Drain,
    _permit: Option<OwnedSemaphorePermit>,
) {
    // Fails only on a connection that is gone already.
    let _ = stream.set_nodelay(true);
    let stream = Arc::new(stream);
    let secure = gateway.tls.is_some();
    let forwarding = Forwarding::new(client, secure, gateway.trusts(client.ip()));
    let origin = Origin { secure, forwarding, page: gateway.page };
    let socket = Socket::new(Arc::clone(&stream), gateway.limits.stall);
    match gateway.tls.clone() {
        None => {
            let detected = before(&mut drain, gateway.limits.head, preface::detect(&stream)).await;
            let Some(Some(protocol)) = detected else {
                return;
            };
            let watched = (protocol == Protocol::Http1).then_some(stream);
            let connection = Arc::new(Connection::new(gateway, origin, client, watched));
            speak(protocol, TokioIo::new(socket), connection, drain).await;
        }
        Some(config) => {
            let accept = tokio_rustls::TlsAcceptor::from(config).accept(socket);
            let Some(Ok(tls)) = before(&mut drain, gateway.limits.handshake, accept).await else {
                tracing::debug!(%client, "TLS handshake failed");
                return;
            };
            let agreed = tls.get_ref().1.alpn_protocol();
            let protocol = if agreed == Some(b"h2") { Protocol::Http2 } else { Protocol::Http1 };
            let connection = Arc::new(Connection::new(gateway, origin, client, None));
            speak(protocol, TokioIo::new(tls), connection, drain).await;
        }
    }
}

/// Waits for what comes before a connection's first request: no longer than `patience`, and not when the process is to end.
async fn before<T>(drain: &mut Drain, patience: Duration, first: impl Future<Output = T>) -> Option<T> {
    tokio::select! {
        biased;
        first = tokio::time::timeout(patience, first) => first.ok(),
        () = drain.started() => None,
    }
}

async fn speak<I>(protocol: Protocol, io: I, connection: Arc<Connection>, drain: Drain)
where
    I: Read + Write + Unpin + Send + 'static,
{
    let limits = connection.gateway().limits.clone();
    let service = Service(Arc::clone(&connection));
    match protocol {
        Protocol::Http1 => {
            // With TLS a half-closed connection is an end: it takes a message to close one side.
            let served = http1(&limits, connection.is_watched()).serve_connection(io, service);
            drive(pin!(served), |served| served.graceful_shutdown(), &connection, drain, limits.head).await;
        }
        Protocol::Http2 => {
            let served = http2(&limits).serve_connection(io, service);
            drive(pin!(served), |served| served.graceful_shutdown(), &connection, drain, limits.head).await;
        }
    }
}

fn http1(limits: &Limits, half_close: bool) -> http1::Builder {
    let mut builder = http1::Builder::new();
    // Not `pipeline_flush`: with it hyper takes body without a bound, however slow the client reads.
    builder
        .timer(TokioTimer::new())
        .header_read_timeout(limits.head)
        .max_buf_size(limits.head_bytes.max(8192))
        .max_header_size(limits.head_bytes)
        .max_headers(limits.headers)
        .half_close(half_close);
    builder
}

fn http2(limits: &Limits) -> http2::Builder<TokioExecutor> {
    let mut builder = http2::Builder::new(TokioExecutor::new());
    builder
        .timer(TokioTimer::new())
        .max_concurrent_streams(limits.streams)
        .max_header_list_size(u32::try_from(limits.head_bytes).unwrap_or(u32::MAX))
        .max_pending_accept_reset_streams(RESETS)
        .max_local_error_reset_streams(RESETS)
        .keep_alive_interval(limits.head)
        .keep_alive_timeout(limits.handshake);
    builder
}

/// Runs a connection to its end; asks it to finish when draining starts, or when it was not used for `idle`.
async fn drive<C, E>(
    mut served: Pin<&mut C>,
    finish: impl Fn(Pin<&mut C>),
    connection: &Connection,
    mut drain: Drain,
    idle: Duration,
) where
    C: Future<Output = Result<(), E>>,
    E: std::fmt::Display,
{
    let mut finishing = false;
    let mut seen = connection.requests();
    loop {
        tokio::select! {
            biased;
            result = served.as_mut() => {
                if let Err(error) = result {
                    tracing::debug!("connection ended: {error}");
                }
                return;
            }
            () = drain.started(), if !finishing => {
                finishing = true;
                finish(served.as_mut());
            }
            () = tokio::time::sleep(idle) => {
                let now = connection.requests();
                if now == seen && connection.is_idle() {
                    if finishing {
                        return;
                    }
                    finishing = true;
                    finish(served.as_mut());
                }
                seen = now;
            }
        }
    }
}
