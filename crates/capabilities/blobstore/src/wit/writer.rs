//! A value that a guest writes: pieces go to the backend while the guest fills the next one, and the guest waits when both are full.

use super::Failure;
use crate::api::{Error, Store, Upload};
use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use futures_util::future::BoxFuture;
use std::future::poll_fn;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use wasmtime_wasi::p2::{DynOutputStream, OutputStream, Pollable, StreamError, StreamResult};
use wharf_kit::{Held, Label, Tally};

/// What is given to the backend at once. As much again may wait: a stream never holds more than two of it.
const PIECE_BYTES: usize = 64 * 1024;

/// What a guest may write before it says with `write-data` where it goes.
const UNNAMED_BYTES_MAX: usize = 1 << 20;

const UNNAMED: &str = "too much was written before `write-data` said which object it is";

/// A value that a guest makes.
#[derive(Default)]
pub struct Outgoing {
    body: Body,
    has_stream: bool,
}

/// The value's bytes on their way, for the value and its stream.
#[derive(Clone, Default)]
pub(super) struct Body(Arc<Mutex<Way>>);

#[derive(Default)]
struct Way {
    state: State,
    /// Where it goes, once that is said.
    label: Option<Arc<Label<dyn Store>>>,
    /// What the backend did not get yet.
    ahead: BytesMut,
    written_bytes: usize,
    /// Whether the stream told the guest that it failed.
    is_told: bool,
}

#[derive(Default)]
enum State {
    /// Where it goes is not said yet.
    #[default]
    Unnamed,
    Idle(Target),
    Busy(BoxFuture<'static, Result<Target, Error>>),
    Failed(Failure),
}

struct Target {
    label: Arc<Label<dyn Store>>,
    upload: Box<dyn Upload>,
    held: Held,
}

impl Outgoing {
    pub(super) fn body(&self) -> Body {
        self.body.clone()
    }

    /// Returns the stream, once.
    pub(super) fn stream(&mut self) -> Option<DynOutputStream> {
        let is_first = !std::mem::replace(&mut self.has_stream, true);
        is_first.then(|| Box::new(self.body.clone()) as DynOutputStream)
    }

    /// Gives the backend the rest, and makes the object visible.
    pub(super) async fn finish(self, tally: &mut Tally) -> Result<(), Failure> {
        let (state, rest) = {
            let mut way = self.body.way();
            (std::mem::take(&mut way.state), std::mem::take(&mut way.ahead).freeze())
        };
        let mut target = match state {
            State::Unnamed => {
                return Err(Failure::Misuse("the value has no object: `write-data` comes before `finish`"));
            }
            State::Idle(target) => target,
            State::Busy(writing) => writing.await?,
            State::Failed(failure) => return Err(failure),
        };
        if !rest.is_empty() {
            target = write(target, rest).await?;
        }
        let Target { label, upload, held } = target;
        label.gate.call(tally, "write-data", 0, Error::kind, upload.finish()).await?;
        drop(held);
        Ok(())
    }
}

impl Body {
    fn way(&self) -> MutexGuard<'_, Way> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Checks that the value has no object yet.
    pub(super) fn check_unnamed(&self) -> Result<(), Failure> {
        match self.way().state {
            State::Unnamed => Ok(()),
            State::Failed(_) => Err(Error::Broken.into()),
            State::Idle(_) | State::Busy(_) => Err(Failure::Misuse("the value has an object already")),
        }
    }

    /// Says where the value goes.
    pub(super) fn begin(
        &self,
        label: Arc<Label<dyn Store>>,
        upload: Box<dyn Upload>,
        held: Held,
    ) -> Result<(), Failure> {
        let mut way = self.way();
        label.gate.check_size(way.written_bytes)?;
        way.label = Some(Arc::clone(&label));
        way.state = State::Idle(Target { label, upload, held });
        way.start();
        Ok(())
    }
}

async fn write(mut target: Target, piece: Bytes) -> Result<Target, Error> {
    // The invocation's own numbers are not within reach here; those of the label count it.
    let sent_bytes = piece.len();
    target
        .label
        .gate
        .call(&mut Tally::default(), "write-data", sent_bytes, Error::kind, target.upload.write(piece))
        .await?;
    Ok(target)
}

impl Way {
    /// Returns how much may be written.
    fn room_bytes(&self) -> usize {
        let max = if matches!(self.state, State::Unnamed) { UNNAMED_BYTES_MAX } else { PIECE_BYTES };
        max.saturating_sub(self.ahead.len()).min(PIECE_BYTES)
    }

    /// Takes bytes, of which there is room for.
    fn push(&mut self, bytes: &Bytes) {
        self.written_bytes = self.written_bytes.saturating_add(bytes.len());
        if let Some(Err(refused)) = self.label.as_ref().map(|label| label.gate.check_size(self.written_bytes)) {
            // What was under way is given up here.
            self.state = State::Failed(refused.into());
            return;
        }
        self.ahead.extend_from_slice(bytes);
        self.start();
    }

    /// Begins to write the next piece, if there is a whole one and the last one is written.
    fn start(&mut self) {
        // For once without a waker: the guest waits for it when it has filled the next piece.
        let _ = self.poll_room(&mut Context::from_waker(Waker::noop()));
    }

    /// Goes on until there is room for more, or it failed.
    fn poll_room(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            self.state = match std::mem::take(&mut self.state) {
                State::Idle(target) if self.ahead.len() >= PIECE_BYTES => {
                    State::Busy(Box::pin(write(target, self.ahead.split().freeze())))
                }
                State::Busy(mut writing) => match writing.as_mut().poll(cx) {
                    Poll::Pending => {
                        self.state = State::Busy(writing);
                        return if self.room_bytes() > 0 { Poll::Ready(()) } else { Poll::Pending };
                    }
                    Poll::Ready(Ok(target)) => State::Idle(target),
                    Poll::Ready(Err(error)) => State::Failed(error.into()),
                },
                State::Unnamed if self.room_bytes() == 0 => State::Failed(Failure::Misuse(UNNAMED)),
                other => {
                    self.state = other;
                    return Poll::Ready(());
                }
            }
        }
    }

    /// Tells the guest once what failed; after that the stream is closed.
    fn check(&mut self) -> StreamResult<()> {
        match &self.state {
            State::Failed(_) if self.is_told => Err(StreamError::Closed),
            State::Failed(failure) => {
                self.is_told = true;
                Err(StreamError::LastOperationFailed(wasmtime::format_err!("{failure}")))
            }
            _ => Ok(()),
        }
    }
}

#[async_trait]
impl Pollable for Body {
    async fn ready(&mut self) {
        poll_fn(|cx| self.way().poll_room(cx)).await;
    }
}

#[async_trait]
impl OutputStream for Body {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        let mut way = self.way();
        way.check()?;
        if bytes.len() > way.room_bytes() {
            return Err(StreamError::trap("more was written than `check-write` allowed"));
        }
        way.push(&bytes);
        way.check()
    }

    fn flush(&mut self) -> StreamResult<()> {
        // Nobody can see what was written before the value is finished, so that there is nothing that a flush could hurry.
        self.way().check()
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        let mut way = self.way();
        way.start();
        way.check()?;
        Ok(way.room_bytes())
    }
}
