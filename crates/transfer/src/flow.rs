//! A stream or a future between two stores, of a type that the host has too.
//!
//! In: the readable end that a guest passed. Out: [`Opener`], which makes a readable end of the same kind in the other store. Next: that
//! store's guest, which reads.

use crate::Failed;
use crate::broken::Broken;
use crate::payload::Payload;
use crate::shared::Line;
use crate::slot::{ReadEnd, State, Weigh, WriteEnd, Writer, bytes, pair, wait};
use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::MutexGuard;
use std::task::{Context, Poll, ready};
use wasmtime::component::{
    Destination, FutureAny, FutureConsumer, FutureProducer, FutureReader, Source, StreamAny, StreamConsumer,
    StreamProducer, StreamReader, StreamResult, Val, VecBuffer,
};
use wasmtime::{Result, StoreContextMut};
use wharf_host::Ctx;

/// Makes the other end of a stream or a future, in the store that reads. With what a reader is told when the writer's instance failed.
pub(crate) type Opener = Box<dyn FnOnce(StoreContextMut<'_, Ctx>, Option<Broken>) -> Result<Val> + Send>;

/// Takes a stream out of the store that writes it.
pub(crate) fn take_stream<T: Payload>(
    store: StoreContextMut<'_, Ctx>,
    stream: StreamAny,
    line: &Line,
) -> Result<Opener> {
    let (writer, reader) = pair::<T>(line);
    StreamReader::<T>::try_from_stream_any(stream)?.pipe(store, writer)?;
    Ok(Box::new(move |store, broken| open_stream(store, reader, broken)))
}

/// Takes a future out of the store that writes it.
pub(crate) fn take_future<T: Payload>(
    store: StoreContextMut<'_, Ctx>,
    future: FutureAny,
    line: &Line,
) -> Result<Opener> {
    let (writer, reader) = pair::<T>(line);
    FutureReader::<T>::try_from_future_any(future)?.pipe(store, writer)?;
    Ok(Box::new(move |store, broken| open_future(store, reader, broken)))
}

/// Makes a stream that has nothing.
pub(crate) fn empty_stream<T: Payload>(store: StoreContextMut<'_, Ctx>) -> Result<Val> {
    let (_, reader) = pair::<T>(&Line::default());
    open_stream(store, reader, None)
}

/// Makes a future that tells of a failure, where its type can.
pub(crate) fn failed_future<T: Payload>(store: StoreContextMut<'_, Ctx>, text: &str) -> Result<Option<Val>> {
    let Some(value) = T::failed(text) else { return Ok(None) };
    let (_, reader) = pair::<T>(&Line::default());
    let mut state = reader.0.lock();
    state.items.push_back(value);
    reader.0.changed(state, 0);
    open_future(store, reader, None).map(Some)
}

fn open_stream<T: Payload>(
    mut store: StoreContextMut<'_, Ctx>,
    reader: ReadEnd<T>,
    broken: Option<Broken>,
) -> Result<Val> {
    let stream = StreamReader::new(&mut store, Produce { reader, broken })?;
    Ok(Val::Stream(stream.try_into_stream_any(store)?))
}

fn open_future<T: Payload>(
    mut store: StoreContextMut<'_, Ctx>,
    reader: ReadEnd<T>,
    broken: Option<Broken>,
) -> Result<Val> {
    let future = FutureReader::new(&mut store, Produce { reader, broken })?;
    Ok(Val::Future(future.try_into_future_any(store)?))
}

impl<T: Payload> StreamConsumer<Ctx> for WriteEnd<T> {
    type Item = T;

    fn poll_consume(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        mut store: StoreContextMut<'_, Ctx>,
        source: Source<'_, T>,
        finish: bool,
    ) -> Poll<Result<StreamResult>> {
        let room_bytes = match ready!(poll_room(&self, cx, finish)) {
            Ok(room_bytes) => room_bytes,
            Err(result) => return Poll::Ready(Ok(result)),
        };
        // A write of nothing asks whether there is room, and there is.
        if source.remaining(&mut store) > 0 {
            let mut items = VecDeque::new();
            T::fill(&mut items, source, store, room_bytes)?;
            self.put(items)?;
        }
        Poll::Ready(Ok(StreamResult::Completed))
    }
}

/// Waits until there is room for what a stream brings. Returns for how many bytes, or what its writer is told if it has to end.
pub(crate) fn poll_room<T: Weigh>(
    end: &WriteEnd<T>,
    cx: &Context<'_>,
    finish: bool,
) -> Poll<std::result::Result<usize, StreamResult>> {
    match end.poll_room(cx) {
        Poll::Ready(Some(room_bytes)) => Poll::Ready(Ok(room_bytes)),
        Poll::Ready(None) => Poll::Ready(Err(StreamResult::Dropped)),
        Poll::Pending if finish => Poll::Ready(Err(StreamResult::Cancelled)),
        Poll::Pending => Poll::Pending,
    }
}

impl<T: Payload> FutureConsumer<Ctx> for WriteEnd<T> {
    type Item = T;

    fn poll_consume(
        self: Pin<&mut Self>,
        _cx: &mut Context<'_>,
        store: StoreContextMut<'_, Ctx>,
        mut source: Source<'_, T>,
        _finish: bool,
    ) -> Poll<Result<()>> {
        let mut value = None;
        source.read(store, &mut value)?;
        // The engine has no way to refuse the value of a future when its reader is gone; then it is dropped here.
        self.put_last(value)?;
        Poll::Ready(Ok(()))
    }
}

/// Reads what comes from the other store.
struct Produce<T: Payload> {
    reader: ReadEnd<T>,
    broken: Option<Broken>,
}

impl<T: Payload> StreamProducer<Ctx> for Produce<T> {
    type Item = T;
    type Buffer = VecBuffer<T>;

    fn poll_produce<'a>(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        store: StoreContextMut<'a, Ctx>,
        destination: Destination<'a, T, VecBuffer<T>>,
        finish: bool,
    ) -> Poll<Result<StreamResult>> {
        let this = self.get_mut();
        let slot = &this.reader.0;
        let mut state = slot.lock();
        if !state.items.is_empty() {
            let before_bytes = bytes(&state.items);
            T::drain(&mut state.items, destination, store);
            slot.changed(state, before_bytes);
            return Poll::Ready(Ok(StreamResult::Completed));
        }
        poll_end(state, &mut this.broken, cx, finish)
    }
}

/// Waits where a stream has nothing. Returns how it ended, if it did.
pub(crate) fn poll_end<T>(
    mut state: MutexGuard<'_, State<T>>,
    broken: &mut Option<Broken>,
    cx: &mut Context<'_>,
    finish: bool,
) -> Poll<Result<StreamResult>> {
    match state.writer {
        Writer::Open if finish => return Poll::Ready(Ok(StreamResult::Cancelled)),
        Writer::Open => {
            wait(&mut state.to_read, cx);
            return Poll::Pending;
        }
        Writer::Ended => return Poll::Ready(Ok(StreamResult::Dropped)),
        Writer::Lost => {}
    }
    drop(state);
    match broken {
        // Nobody would know that the stream is not whole.
        Some(broken) if !broken.is_told => {
            let text = ready!(broken.poll(cx));
            Poll::Ready(Err(wasmtime::Error::new(Failed(text))))
        }
        _ => Poll::Ready(Ok(StreamResult::Dropped)),
    }
}

/// Waits where a future has nothing. Returns why it will have nothing, or nothing itself if nobody waits any more.
pub(crate) fn poll_absent<T>(
    mut state: MutexGuard<'_, State<T>>,
    broken: &mut Option<Broken>,
    cx: &mut Context<'_>,
    finish: bool,
) -> Poll<Option<String>> {
    let writer = state.writer;
    if writer == Writer::Open {
        if finish {
            return Poll::Ready(None);
        }
        wait(&mut state.to_read, cx);
        return Poll::Pending;
    }
    drop(state);
    Poll::Ready(Some(match broken {
        Some(broken) if writer == Writer::Lost => ready!(broken.poll(cx)),
        _ => "a future of another component ended without a value".to_owned(),
    }))
}

impl<T: Payload> FutureProducer<Ctx> for Produce<T> {
    type Item = T;

    fn poll_produce(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        _store: StoreContextMut<'_, Ctx>,
        finish: bool,
    ) -> Poll<Result<Option<T>>> {
        let this = self.get_mut();
        let slot = &this.reader.0;
        let mut state = slot.lock();
        let before_bytes = bytes(&state.items);
        if let Some(value) = state.items.pop_front() {
            slot.changed(state, before_bytes);
            return Poll::Ready(Ok(Some(value)));
        }
        let Some(text) = ready!(poll_absent(state, &mut this.broken, cx, finish)) else {
            return Poll::Ready(Ok(None));
        };
        Poll::Ready(match T::failed(&text) {
            Some(value) => Ok(Some(value)),
            None => Err(wasmtime::Error::new(Failed(text))),
        })
    }
}
