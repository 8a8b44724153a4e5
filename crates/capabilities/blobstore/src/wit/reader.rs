//! A value that a guest reads: the backend is asked for the next piece when the guest waits for it, and not before.

use crate::api::{Download, Error, Store};
use async_trait::async_trait;
use bytes::Bytes;
use futures_util::future::BoxFuture;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use wasmtime_wasi::p2::{DynInputStream, InputStream, Pollable, StreamError, StreamResult};
use wharf_kit::{Held, Label, Tally};

/// The longest value that a guest gets as a list: it is in the memory of the node and of the guest at once.
pub(super) const SYNC_BYTES_MAX: usize = 16 << 20;

/// A value that a guest may read.
pub struct Incoming(Source);

struct Source {
    label: Arc<Label<dyn Store>>,
    download: Box<dyn Download>,
    _held: Held,
}

impl Incoming {
    pub(super) fn new(label: Arc<Label<dyn Store>>, download: Box<dyn Download>, held: Held) -> Self {
        Self(Source { label, download, _held: held })
    }

    pub(super) fn size_bytes(&self) -> u64 {
        self.0.download.size_bytes()
    }

    /// Reads all of it. The caller has seen that it is small.
    pub(super) async fn collect(mut self, tally: &mut Tally) -> Result<Vec<u8>, Error> {
        let mut bytes = Vec::new();
        while let Some(piece) = self.0.next(tally).await? {
            bytes.extend_from_slice(&piece);
        }
        Ok(bytes)
    }

    pub(super) fn into_stream(self) -> DynInputStream {
        Box::new(Reader { state: State::Idle(self.0), ahead: Bytes::new() })
    }
}

impl Source {
    async fn next(&mut self, tally: &mut Tally) -> Result<Option<Bytes>, Error> {
        self.label.gate.call(tally, "get-data", 0, Error::kind, self.download.read()).await
    }
}

/// The stream of a value.
struct Reader {
    state: State,
    ahead: Bytes,
}

enum State {
    Idle(Source),
    Busy(BoxFuture<'static, Result<Option<(Source, Bytes)>, Error>>),
    Failed(Error),
    Over,
}

impl Reader {
    /// Goes on until there is something to read or it is over.
    fn poll_piece(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            if !self.ahead.is_empty() {
                return Poll::Ready(());
            }
            self.state = match std::mem::replace(&mut self.state, State::Over) {
                State::Idle(source) => State::Busy(Box::pin(fetch(source))),
                State::Busy(mut fetching) => match fetching.as_mut().poll(cx) {
                    Poll::Pending => {
                        self.state = State::Busy(fetching);
                        return Poll::Pending;
                    }
                    Poll::Ready(Ok(Some((source, piece)))) => {
                        self.ahead = piece;
                        State::Idle(source)
                    }
                    Poll::Ready(Ok(None)) => State::Over,
                    Poll::Ready(Err(error)) => State::Failed(error),
                },
                ended => {
                    self.state = ended;
                    return Poll::Ready(());
                }
            }
        }
    }
}

async fn fetch(mut source: Source) -> Result<Option<(Source, Bytes)>, Error> {
    // The invocation's own numbers are not within reach here; those of the label count it.
    let piece = source.next(&mut Tally::default()).await?;
    Ok(piece.map(|piece| (source, piece)))
}

#[async_trait]
impl Pollable for Reader {
    async fn ready(&mut self) {
        poll_fn(|cx| self.poll_piece(cx)).await;
    }
}

#[async_trait]
impl InputStream for Reader {
    fn read(&mut self, size: usize) -> StreamResult<Bytes> {
        // For guests that never wait: each attempt brings the next piece nearer.
        let _ = self.poll_piece(&mut Context::from_waker(Waker::noop()));
        if self.ahead.is_empty() {
            return match std::mem::replace(&mut self.state, State::Over) {
                State::Failed(error) => Err(StreamError::LastOperationFailed(wasmtime::format_err!("{error}"))),
                State::Over => Err(StreamError::Closed),
                other => {
                    self.state = other;
                    Ok(Bytes::new())
                }
            };
        }
        Ok(self.ahead.split_to(size.min(self.ahead.len())))
    }
}
