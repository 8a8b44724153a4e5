//! One connection: HTTP/1.1 or HTTP/2 on a stream, and the task that drives it.
//!
//! In: a [`Stream`]. Out: a [`Sender`] for the pool. Next: [`crate::pool`].

use crate::body::Outgoing;
use crate::pool::{Pool, Shared};
use crate::quota::Quota;
use crate::settings::Limits;
use crate::stream::Stream;
use hyper::body::Incoming;
use hyper::client::conn::{TrySendError, http1, http2};
use hyper_util::rt::{TokioIo, TokioTimer};
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;
use tokio::task::JoinSet;

/// What an HTTP/1 connection buffers at least; hyper takes no less.
const BUFFER_BYTES_MIN: usize = 8 << 10;

/// Fields that hyper reads without being told, and without allocating. Whoever allows fewer counts them later.
const FIELDS_BY_DEFAULT: usize = 100;

/// What one HTTP/2 answer may send ahead of a guest that does not read it; a guest chooses how many answers it does not read.
const STREAM_WINDOW_BYTES: u32 = 256 << 10;

/// What all answers of an HTTP/2 connection may send ahead. Guests that stop reading hold up the others from here on.
const CONNECTION_WINDOW_BYTES: u32 = 2 << 20;

/// How long an HTTP/2 connection in use may be silent before the other end is asked whether it is still there.
const PING_AFTER: Duration = Duration::from_secs(15);

/// How long the answer to that may take.
const PING_TIMEOUT: Duration = Duration::from_secs(10);

/// How long a connection whose answer was read may take to be free for the next request, before another one is made.
const TURN: Duration = Duration::from_millis(2);

/// How long a connection may take to say goodbye.
const GOODBYE: Duration = Duration::from_secs(2);

/// Where requests go in.
pub(crate) enum Sender {
    /// One at a time.
    Http1(http1::SendRequest<Outgoing>),
    /// Many at a time; clones share the connection.
    Http2(http2::SendRequest<Outgoing>),
}

impl Sender {
    pub(crate) fn is_closed(&self) -> bool {
        match self {
            Self::Http1(sender) => sender.is_closed(),
            Self::Http2(sender) => sender.is_closed(),
        }
    }

    /// Tells whether a request would be sent at once. An HTTP/1 connection may still be busy with the last one after its answer was read.
    pub(crate) fn is_free(&self) -> bool {
        match self {
            Self::Http1(sender) => sender.is_ready(),
            Self::Http2(sender) => !sender.is_closed(),
        }
    }

    /// Waits a moment for that. False if it does not come: the last request is still being sent, or the connection is over.
    pub(crate) async fn becomes_free(&mut self) -> bool {
        match self {
            Self::Http1(sender) => {
                // Most often what is missing is a turn of the task that drives the connection.
                sender.is_ready() || matches!(tokio::time::timeout(TURN, sender.ready()).await, Ok(Ok(())))
            }
            Self::Http2(sender) => !sender.is_closed(),
        }
    }

    /// Returns another sender for the same connection, if it carries several requests at a time.
    pub(crate) fn share(&self) -> Option<Self> {
        match self {
            Self::Http1(_) => None,
            Self::Http2(sender) => Some(Self::Http2(sender.clone())),
        }
    }

    /// Sends a request. One that was not begun to be written comes back in the error.
    pub(crate) async fn send(
        &mut self,
        request: http::Request<Outgoing>,
    ) -> Result<http::Response<Incoming>, TrySendError<http::Request<Outgoing>>> {
        match self {
            Self::Http1(sender) => sender.try_send_request(request).await,
            Self::Http2(sender) => sender.try_send_request(request).await,
        }
    }
}

/// Begins HTTP on a stream, and starts the task that drives it. Dropping the sender, or its last clone, ends it.
pub(crate) async fn begin(
    stream: Stream,
    limits: &Limits,
    shared: &Arc<Shared>,
    pool: Weak<Pool>,
    quota: &Arc<Quota>,
) -> hyper::Result<Sender> {
    let driver = Driver {
        shared: Arc::clone(shared),
        pool,
        quota: Arc::clone(quota),
        idle_time: limits.idle_time,
        tasks: Arc::default(),
    };
    if stream.is_http2() {
        let mut builder = http2::Builder::new(Tasks(Arc::downgrade(&driver.tasks)));
        builder
            .timer(TokioTimer::new())
            .initial_stream_window_size(STREAM_WINDOW_BYTES)
            .initial_connection_window_size(CONNECTION_WINDOW_BYTES)
            .max_send_buf_size(STREAM_WINDOW_BYTES as usize)
            .max_header_list_size(limits.head_bytes)
            .keep_alive_interval(PING_AFTER)
            .keep_alive_timeout(PING_TIMEOUT);
        let (sender, connection) = builder.handshake(TokioIo::new(stream)).await?;
        start(driver.run(connection));
        return Ok(Sender::Http2(sender));
    }
    let head_bytes = limits.head_bytes as usize;
    let mut builder = http1::Builder::new();
    builder.max_header_size(head_bytes).max_buf_size(head_bytes.max(BUFFER_BYTES_MIN));
    if limits.fields > FIELDS_BY_DEFAULT {
        builder.max_headers(limits.fields);
    }
    let (sender, connection) = builder.handshake(TokioIo::new(stream)).await?;
    start(driver.run(connection));
    Ok(Sender::Http1(sender))
}

#[expect(
    clippy::disallowed_methods,
    reason = "as many as the app has places for connections; each ends when its connection is closed, unused for a while, or nobody's"
)]
fn start(driver: impl Future<Output = ()> + Send + 'static) {
    drop(tokio::spawn(driver));
}

struct Driver {
    shared: Arc<Shared>,
    pool: Weak<Pool>,
    quota: Arc<Quota>,
    idle_time: Duration,
    /// What hyper starts for an HTTP/2 connection: one for the socket, and one for each body that is being sent.
    tasks: Arc<Mutex<JoinSet<()>>>,
}

/// Starts tasks for the driver that owns them.
#[derive(Clone)]
struct Tasks(Weak<Mutex<JoinSet<()>>>);

impl<F: Future<Output = ()> + Send + 'static> hyper::rt::Executor<F> for Tasks {
    fn execute(&self, task: F) {
        // Without a driver the connection is over.
        let Some(tasks) = self.0.upgrade() else { return };
        let mut tasks = tasks.lock().unwrap_or_else(PoisonError::into_inner);
        while tasks.try_join_next().is_some() {}
        tasks.spawn(task);
    }
}

impl Driver {
    /// Drives the connection until it ends, and ends it when it was unused for long, or somebody else needs its place.
    async fn run<E>(self, connection: impl Future<Output = Result<(), E>>) {
        let mut connection = pin!(connection);
        loop {
            // Before the look at the pool, so that whoever begins to wait after it is not missed.
            let pressure = self.quota.pressure();
            let Some(wait) = self.idle_left() else { break };
            tokio::select! {
                // Why it failed was told to those who used it.
                _ = connection.as_mut() => {
                    self.leave();
                    return self.end().await;
                }
                () = tokio::time::sleep(wait) => {}
                () = pressure => {}
            }
        }
        let _ = tokio::time::timeout(GOODBYE, connection).await;
        self.end().await;
    }

    /// Lets the other end know, and then stops what is left.
    async fn end(&self) {
        let mut tasks = std::mem::take(&mut *self.tasks.lock().unwrap_or_else(PoisonError::into_inner));
        let _ = tokio::time::timeout(GOODBYE, async { while tasks.join_next().await.is_some() {} }).await;
    }

    /// Returns how long to wait before asking again; absent when the pool let go of the connection.
    fn idle_left(&self) -> Option<Duration> {
        match self.pool.upgrade() {
            Some(pool) => pool.idle_left(&self.shared),
            // Nobody keeps it any more: it ends when those who use it are done.
            None => Some(self.idle_time),
        }
    }

    fn leave(&self) {
        if let Some(pool) = self.pool.upgrade() {
            pool.remove(&self.shared);
        }
    }
}
