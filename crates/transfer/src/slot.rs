//! The place between the two ends of a stream or a future: what one side writes waits in it until the other reads it.
//!
//! In: a piece, from the store that writes. Out: the same, for the store that reads. Next: [`super::flow`], [`super::handed`] and [`super::pump`], which are at
//! the ends.
//!
//! The slot takes one piece at a time, of a bounded size, and the next when that one is read: who is not read waits, as in one store.
//! A reader that goes away is seen by the writer's next write. What is on its way outlives its writer; after it the reader sees the end,
//! or that the writer's instance failed.

use crate::payload::Payload;
use crate::shared::{Busy, Line, Open as IsOpen, Shared};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use wasmtime::Result;

/// Bytes that one piece of a stream has at most. Larger ones were no faster.
pub(crate) const PIECE_BYTES: usize = 64 << 10;

/// Bytes that may wait in the streams of one session before pieces get small.
const CROWDED_BYTES: usize = 1 << 20;

/// The size of small pieces. So many streams as a store can have do not reach the limit by these.
const SMALL_BYTES: usize = 4 << 10;

/// Bytes that may wait in all: only elements that are large themselves get there.
const WAITING_BYTES: usize = 64 << 20;

/// Something that waits, and is counted while it does.
pub(crate) trait Weigh: Send + 'static {
    /// Whether all are of the same size.
    const IS_FLAT: bool;

    /// Returns the bytes that it takes.
    fn weigh(&self) -> usize;
}

impl<T: Payload> Weigh for T {
    const IS_FLAT: bool = <T as Payload>::IS_FLAT;

    fn weigh(&self) -> usize {
        Payload::bytes(self)
    }
}

/// What became of the writing end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Writer {
    Open,
    /// It was closed.
    Ended,
    /// It went down with its store.
    Lost,
}

/// What waits between two ends.
pub(crate) struct Slot<T> {
    state: Mutex<State<T>>,
    pub(crate) shared: Arc<Shared>,
}

pub(crate) struct State<T> {
    pub(crate) items: VecDeque<T>,
    pub(crate) writer: Writer,
    pub(crate) has_reader: bool,
    pub(crate) to_write: Option<Waker>,
    pub(crate) to_read: Option<Waker>,
    /// Keeps the budgets of the dependency going while both ends are open.
    pub(crate) busy: Option<Busy>,
}

impl<T: Weigh> Slot<T> {
    pub(crate) fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns how large the next piece may be.
    pub(crate) fn room_bytes(&self) -> usize {
        if self.shared.waiting_bytes() < CROWDED_BYTES { PIECE_BYTES } else { SMALL_BYTES }
    }

    /// Notes that the items changed from what were so many bytes, and wakes who waited for it, after the lock is released.
    pub(crate) fn changed(&self, mut state: MutexGuard<'_, State<T>>, before_bytes: usize) {
        self.shared.remove_waiting(before_bytes);
        self.shared.add_waiting(bytes(&state.items));
        let woken = if state.items.is_empty() {
            // Many streams may be open and still.
            state.items = VecDeque::new();
            state.to_write.take()
        } else {
            state.to_read.take()
        };
        drop(state);
        if let Some(woken) = woken {
            woken.wake();
        }
    }
}

pub(crate) fn bytes<T: Weigh>(items: &VecDeque<T>) -> usize {
    if T::IS_FLAT { items.len() * size_of::<T>() } else { items.iter().map(Weigh::weigh).sum() }
}

pub(crate) fn wait(waker: &mut Option<Waker>, cx: &Context<'_>) {
    match waker {
        Some(waker) => waker.clone_from(cx.waker()),
        None => *waker = Some(cx.waker().clone()),
    }
}

pub(crate) fn pair<T: Weigh>(line: &Line) -> (WriteEnd<T>, ReadEnd<T>) {
    let state = State {
        items: VecDeque::new(),
        writer: Writer::Open,
        has_reader: true,
        to_write: None,
        to_read: None,
        busy: Some(Busy::new(&line.shared)),
    };
    let slot = Arc::new(Slot { state: Mutex::new(state), shared: Arc::clone(&line.shared) });
    (WriteEnd { slot: Arc::clone(&slot), _open: line.open.clone() }, ReadEnd(slot))
}

/// The end in the store that writes.
pub(crate) struct WriteEnd<T: Weigh> {
    slot: Arc<Slot<T>>,
    _open: Option<IsOpen>,
}

impl<T: Weigh> WriteEnd<T> {
    /// Waits until there is room. Returns how many bytes; none if nobody reads any more.
    pub(crate) fn poll_room(&self, cx: &Context<'_>) -> Poll<Option<usize>> {
        let mut state = self.slot.lock();
        if !state.has_reader {
            return Poll::Ready(None);
        }
        if state.items.is_empty() {
            return Poll::Ready(Some(self.slot.room_bytes()));
        }
        wait(&mut state.to_write, cx);
        Poll::Pending
    }

    /// Puts a piece where there is room. Nothing happens if nobody reads any more.
    ///
    /// # Errors
    /// When too much waits.
    pub(crate) fn put(&self, items: VecDeque<T>) -> Result<()> {
        let mut state = self.slot.lock();
        if !state.has_reader {
            return Ok(());
        }
        let before_bytes = bytes(&state.items);
        if state.items.is_empty() {
            state.items = items;
        } else {
            state.items.extend(items);
        }
        self.slot.changed(state, before_bytes);
        check_waiting(&self.slot.shared)
    }

    /// Puts the value of a future, after which there is nothing to wait for.
    ///
    /// # Errors
    /// When too much waits.
    pub(crate) fn put_last(&self, value: Option<T>) -> Result<()> {
        self.slot.lock().busy = None;
        self.put(value.into_iter().collect())
    }
}

impl<T: Weigh> Drop for WriteEnd<T> {
    fn drop(&mut self) {
        let mut state = self.slot.lock();
        state.writer = if self.slot.shared.is_at_work() { Writer::Ended } else { Writer::Lost };
        state.busy = None;
        let woken = state.to_read.take();
        drop(state);
        if let Some(woken) = woken {
            woken.wake();
        }
    }
}

fn check_waiting(shared: &Shared) -> Result<()> {
    if shared.waiting_bytes() > WAITING_BYTES {
        wasmtime::bail!("more than {} MiB wait in streams between two components and are not read", WAITING_BYTES >> 20)
    }
    Ok(())
}

/// The end that the other store reads.
pub(crate) struct ReadEnd<T: Weigh>(pub(super) Arc<Slot<T>>);

impl<T: Weigh> ReadEnd<T> {
    /// Waits until there is something, or until there never will be. Returns what became of the writer; it is open if there is something.
    pub(crate) fn poll_next(&self, cx: &Context<'_>) -> Poll<Writer> {
        let mut state = self.0.lock();
        if !state.items.is_empty() {
            return Poll::Ready(Writer::Open);
        }
        if state.writer == Writer::Open {
            wait(&mut state.to_read, cx);
            return Poll::Pending;
        }
        Poll::Ready(state.writer)
    }

    /// Puts something there that nobody wrote.
    pub(crate) fn put(&self, item: T) {
        let mut state = self.0.lock();
        let before_bytes = bytes(&state.items);
        state.items.push_back(item);
        self.0.changed(state, before_bytes);
    }

    /// Takes what is there.
    pub(crate) fn take(&self) -> VecDeque<T> {
        let mut state = self.0.lock();
        let items = std::mem::take(&mut state.items);
        self.0.changed(state, bytes(&items));
        items
    }
}

impl<T: Weigh> Drop for ReadEnd<T> {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        let before_bytes = bytes(&state.items);
        state.items.clear();
        state.has_reader = false;
        state.busy = None;
        self.0.changed(state, before_bytes);
    }
}
