//! The two bodies of an exchange: the request's, which tells how far it got, and the answer's, which has the deadlines.
//!
//! Both stream: hyper asks for the next piece of a request when there is room for it, and reads on when the guest took the last piece of
//! the answer.

use crate::Error;
use crate::meter::Call;
use crate::pool::Lease;
use bytes::Bytes;
use http::HeaderMap;
use http_body::{Body as _, Frame, SizeHint};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Empty};
use hyper::body::Incoming;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};
use tokio::sync::{Notify, OwnedSemaphorePermit};
use tokio::time::Sleep;
use wharf_telemetry::clock;

/// The body of a request.
pub type Body = UnsyncBoxBody<Bytes, Error>;

/// How far the body of a request got.
#[derive(Debug)]
pub(crate) struct Progress {
    started: Instant,
    /// When the last piece was taken, in nanoseconds since the start.
    last_nanos: AtomicU64,
    bytes: AtomicU64,
    end: OnceLock<Result<(), Error>>,
    ended: Notify,
}

impl Progress {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self {
            started: clock::now(),
            last_nanos: AtomicU64::new(0),
            bytes: AtomicU64::new(0),
            end: OnceLock::new(),
            ended: Notify::new(),
        })
    }

    pub(crate) fn started(&self) -> Instant {
        self.started
    }

    /// Returns the time since the connection took the last piece.
    pub(crate) fn idle(&self) -> Duration {
        clock::since(self.started).saturating_sub(Duration::from_nanos(self.last_nanos.load(Ordering::Relaxed)))
    }

    pub(crate) fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    /// Returns why the body failed where it came from.
    pub(crate) fn failure(&self) -> Option<Error> {
        match self.end.get() {
            Some(Err(error @ (Error::RequestBody(_) | Error::RequestBodySize(_)))) => Some(error.clone()),
            _ => None,
        }
    }

    /// Begins the time for the answer.
    pub(crate) fn touch(&self) {
        let nanos = u64::try_from(clock::since(self.started).as_nanos()).unwrap_or(u64::MAX);
        self.last_nanos.store(nanos, Ordering::Relaxed);
    }

    fn took(&self, bytes: usize) {
        self.touch();
        self.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    fn end(&self, result: Result<(), Error>) {
        if self.end.set(result).is_ok() {
            self.ended.notify_waiters();
        }
    }
}

/// Tells when the body of a request was sent.
#[derive(Debug)]
pub struct Sent(pub(crate) Arc<Progress>);

impl Sent {
    /// Waits until the whole body was handed to the connection. Ends with the connection at the latest.
    ///
    /// # Errors
    /// Why it was not: its own error, or [`Error::NotSent`].
    pub async fn whole(self) -> Result<(), Error> {
        let ended = self.0.ended.notified();
        if let Some(result) = self.0.end.get() {
            return result.clone();
        }
        ended.await;
        self.0.end.get().cloned().unwrap_or(Ok(()))
    }
}

/// The body of a request on a connection.
pub(crate) struct Outgoing {
    body: Body,
    begun: bool,
    progress: Arc<Progress>,
}

impl Outgoing {
    pub(crate) fn new(body: Body, progress: Arc<Progress>) -> Self {
        Self { body, begun: false, progress }
    }

    /// Returns another body without anything in it, for the same request.
    pub(crate) fn emptied(&self) -> Self {
        let body = Empty::new().map_err(|never| match never {}).boxed_unsync();
        Self::new(body, Arc::clone(&self.progress))
    }
}

impl http_body::Body for Outgoing {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        self.begun = true;
        let polled = Pin::new(&mut self.body).poll_frame(cx);
        match &polled {
            Poll::Ready(Some(Ok(frame))) => self.progress.took(frame.data_ref().map_or(0, Bytes::len)),
            Poll::Ready(Some(Err(error))) => self.progress.end(Err(error.clone())),
            Poll::Ready(None) => self.progress.end(Ok(())),
            Poll::Pending => {}
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Outgoing {
    fn drop(&mut self) {
        // Who knows the length does not ask for the end. Who was never asked had nothing to say, or was answered without.
        let whole = !self.begun || self.body.is_end_stream() || self.body.size_hint().exact() == Some(0);
        self.progress.end(if whole { Ok(()) } else { Err(Error::NotSent) });
    }
}

/// What an answer holds until it was read, or nobody wants the rest.
pub(crate) struct Hold {
    pub(crate) lease: Lease,
    pub(crate) call: Call,
    /// The component's turn.
    pub(crate) turn: OwnedSemaphorePermit,
}

/// The body of an answer. Dropping it before its end closes the connection (HTTP/1.1) or resets the stream (HTTP/2).
pub struct ResponseBody {
    body: Option<Incoming>,
    hold: Option<Hold>,
    between_bytes: Duration,
    fields: usize,
    /// Made when the server first keeps the guest waiting.
    timer: Option<Pin<Box<Sleep>>>,
    waiting: bool,
}

impl ResponseBody {
    pub(crate) fn new(body: Incoming, hold: Hold, between_bytes: Duration, fields: usize) -> Self {
        let hold = Some(hold);
        let mut body = Self { body: Some(body), hold, between_bytes, fields, timer: None, waiting: false };
        if body.is_end_stream() {
            body.finish();
        }
        body
    }

    /// Lets others use the connection.
    fn finish(&mut self) {
        self.body = None;
        if let Some(Hold { lease, call, turn }) = self.hold.take() {
            lease.put_back();
            drop((call, turn));
        }
    }

    fn fail(&mut self, error: Error) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        self.body = None;
        if let Some(hold) = &mut self.hold {
            hold.call.failed(&error);
        }
        self.hold = None;
        Poll::Ready(Some(Err(error)))
    }

    fn poll_deadline(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let limit = self.between_bytes;
        let timer = self.timer.get_or_insert_with(|| Box::pin(tokio::time::sleep(limit)));
        if !self.waiting {
            timer.as_mut().reset(tokio::time::Instant::from_std(clock::now()) + limit);
            self.waiting = true;
        }
        timer.as_mut().poll(cx)
    }
}

impl http_body::Body for ResponseBody {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let this = &mut *self;
        let Some(body) = &mut this.body else { return Poll::Ready(None) };
        let mut polled = Pin::new(&mut *body).poll_frame(cx);
        // The end of an HTTP/2 answer is often an empty piece. They are no news, and no progress.
        while matches!(&polled, Poll::Ready(Some(Ok(frame))) if frame.data_ref().is_some_and(Bytes::is_empty)) {
            polled = Pin::new(&mut *body).poll_frame(cx);
        }
        match polled {
            Poll::Ready(Some(Ok(frame))) => {
                this.waiting = false;
                if frame.trailers_ref().is_some_and(|trailers: &HeaderMap| trailers.len() > this.fields) {
                    let limit = this.fields;
                    return this.fail(Error::Trailers(limit));
                }
                if let Some(hold) = &mut this.hold {
                    hold.call.received(frame.data_ref().map_or(0, Bytes::len));
                }
                if this.is_end_stream() {
                    this.finish();
                }
                Poll::Ready(Some(Ok(frame)))
            }
            Poll::Ready(Some(Err(error))) => this.fail(Error::from_body(&error)),
            Poll::Ready(None) => {
                this.finish();
                Poll::Ready(None)
            }
            Poll::Pending => match this.poll_deadline(cx) {
                Poll::Ready(()) => {
                    let limit = this.between_bytes;
                    this.fail(Error::BetweenBytes(limit))
                }
                Poll::Pending => Poll::Pending,
            },
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(http_body::Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body.as_ref().map_or_else(|| SizeHint::with_exact(0), http_body::Body::size_hint)
    }
}
