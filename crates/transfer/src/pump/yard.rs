//! The pumps of one store, and the flows that they have to do with.
//!
//! In: ends of flows. Out: calls of pumps, which then call back here. Next: the guest at the other end of the flow, in the same store.

use super::goods::Goods;
use super::{Reading, Works, Writing};
use crate::Failed;
use crate::fallback;
use crate::slot::Writer;
use std::any::Any;
use std::collections::HashMap;
use std::pin::pin;
use std::task::{Context, Poll, Waker, ready};
use wasmtime::component::{Func, Val};
use wasmtime::{AsContextMut, Result, StoreContextMut};
use wharf_host::Ctx;

/// What a store keeps.
#[derive(Default)]
struct Yard {
    /// By the pumps' numbers.
    crews: HashMap<u64, Crew>,
    /// The ends in the host of the flows that are open, by their numbers.
    ends: HashMap<u64, Box<dyn Any + Send>>,
    /// The number of the next flow.
    next: u64,
}

/// The instances of one pump. An instance cannot read what it writes, so there are some for each.
#[derive(Default)]
struct Crew {
    drainer: Option<Running>,
    /// One as a rule. Another one is made where a flow is needed and no guest can be called.
    fillers: Vec<Running>,
    /// Flows that nobody has yet.
    spare: Vec<Spare>,
    /// How many flows an instance is to open when it asks.
    wanted: u32,
    /// Whether an instance was told to open some and has not asked yet.
    is_asked: bool,
}

#[derive(Clone, Copy)]
struct Running {
    drain: Func,
    fill: Func,
    open: Func,
}

struct Spare {
    flow: Val,
    /// The writable end, as the pump knows it.
    end: u32,
    /// Which of the instances has it.
    on: usize,
}

/// Flows that are opened at a time.
const SOME: u32 = 4;

/// Where more are needed at once than there are, each further instance opens twice as many as the one before it, up to `SOME` times two to
/// this: an instance has a memory, and a list may have hundreds of streams.
const DOUBLED: usize = 8;

/// New ones are opened when fewer than these are left.
const FEW: usize = 2;

/// Ticks of the engine's clock that instantiation may take: it runs a few instructions, and cannot give way in between.
const TICKS: u64 = 1 << 32;

fn yard(ctx: &mut Ctx) -> Result<&mut Yard> {
    let yard = ctx.pumps.get_or_insert_with(|| Box::<Yard>::default());
    yard.downcast_mut().ok_or_else(|| wasmtime::format_err!("a store keeps something else in place of its pumps"))
}

impl Yard {
    fn add(&mut self, end: impl Any + Send) -> u64 {
        let id = self.next;
        self.next += 1;
        self.ends.insert(id, Box::new(end));
        id
    }
}

/// Has a flow read, which a guest wrote.
pub(crate) fn drain<T: Goods>(
    mut store: StoreContextMut<'_, Ctx>,
    works: &Works,
    flow: Val,
    writing: Writing<T>,
) -> Result<()> {
    let running = drainer(store.as_context_mut(), works)?;
    let id = yard(store.data_mut())?.add(writing);
    start(store, running.drain, &[flow, Val::U64(id)])
}

/// Opens a flow, and has it written.
pub(crate) fn fill<T: Goods>(mut store: StoreContextMut<'_, Ctx>, works: &Works, reading: Reading<T>) -> Result<Val> {
    let crew = |store: &mut StoreContextMut<'_, Ctx>| {
        yard(store.data_mut()).map(|yard| yard.crews.entry(works.number).or_default().spare.pop())
    };
    let spare = match crew(&mut store)? {
        Some(spare) => spare,
        None => {
            let fillers = yard(store.data_mut())?.crews.entry(works.number).or_default().fillers.len();
            let running = instantiate(store.as_context_mut(), works, SOME << fillers.min(DOUBLED))?;
            yard(store.data_mut())?.crews.entry(works.number).or_default().fillers.push(running);
            crew(&mut store)?.ok_or_else(|| wasmtime::format_err!("a pump opened nothing"))?
        }
    };
    let yard = yard(store.data_mut())?;
    let id = yard.add(reading);
    let crew = yard.crews.entry(works.number).or_default();
    let is_low = crew.spare.len() < FEW && !crew.is_asked;
    crew.is_asked |= is_low;
    let running = crew.fillers.get(spare.on).copied();
    let running = running.ok_or_else(|| wasmtime::format_err!("a pump went away"))?;
    start(store.as_context_mut(), running.fill, &[Val::U32(spare.end), Val::U64(id)])?;
    if is_low {
        start(store, running.open, &[Val::U32(u32::try_from(spare.on)?)])?;
    }
    Ok(spare.flow)
}

/// Begins a call that goes on in the store's event loop. What comes of it shows there.
fn start(store: StoreContextMut<'_, Ctx>, function: Func, params: &[Val]) -> Result<()> {
    function.start_call_concurrent(store, params, &mut []).map(drop)
}

/// Returns the instance that drains.
fn drainer(mut store: StoreContextMut<'_, Ctx>, works: &Works) -> Result<Running> {
    if let Some(running) = yard(store.data_mut())?.crews.get(&works.number).and_then(|crew| crew.drainer) {
        return Ok(running);
    }
    let running = instantiate(store.as_context_mut(), works, 0)?;
    yard(store.data_mut())?.crews.entry(works.number).or_default().drainer = Some(running);
    Ok(running)
}

fn instantiate(mut store: StoreContextMut<'_, Ctx>, works: &Works, flows: u32) -> Result<Running> {
    yard(store.data_mut())?.crews.entry(works.number).or_default().wanted = flows;
    store.set_epoch_deadline(TICKS);
    // Nothing that it does waits; it is asynchronous because everything is that runs on a stack of its own.
    let polled = {
        let instance = pin!(works.pre.instantiate_async(store.as_context_mut()));
        instance.poll(&mut Context::from_waker(Waker::noop()))
    };
    store.set_epoch_deadline(1);
    let Poll::Ready(instance) = polled else { wasmtime::bail!("a pump took too long to start") };
    let instance = instance?;
    let mut function = |index| {
        let found = instance.get_func(store.as_context_mut(), index);
        found.ok_or_else(|| wasmtime::format_err!("a pump is not whole"))
    };
    let running = Running { drain: function(works.drain)?, fill: function(works.fill)?, open: function(works.open)? };
    yard(store.data_mut())?.crews.entry(works.number).or_default().wanted = SOME;
    Ok(running)
}

/// Returns how many flows a pump is to open.
pub(crate) fn wanted(ctx: &mut Ctx, number: u64) -> Result<u32> {
    let crew = yard(ctx)?.crews.entry(number).or_default();
    crew.is_asked = false;
    Ok(crew.wanted)
}

/// A pump has opened a flow.
pub(crate) fn opened(ctx: &mut Ctx, number: u64, flow: Val, end: u32, on: u32) -> Result<()> {
    let crew = yard(ctx)?.crews.entry(number).or_default();
    // One that is being instantiated does not know its place, which is the next one.
    let on = if on == u32::MAX { crew.fillers.len() } else { on as usize };
    crew.spare.push(Spare { flow, end, on });
    Ok(())
}

/// A pump is done with a flow, and so is the host.
pub(crate) fn done(ctx: &mut Ctx, id: u64) -> Result<()> {
    yard(ctx)?.ends.remove(&id);
    Ok(())
}

fn end<T: Any>(ctx: &mut Ctx, id: u64) -> Result<&mut T> {
    let end = yard(ctx)?.ends.get_mut(&id).and_then(|end| end.downcast_mut());
    end.ok_or_else(|| wasmtime::format_err!("a pump asked for a stream that is not its own"))
}

/// Returns the end that a pump writes to.
pub(crate) fn writing<T: Goods>(ctx: &mut Ctx, id: u64) -> Result<&mut Writing<T>> {
    end(ctx, id)
}

/// Returns the end that a pump reads from.
pub(crate) fn reading<T: Goods>(ctx: &mut Ctx, id: u64) -> Result<&mut Reading<T>> {
    end(ctx, id)
}

/// Waits until there is room for elements. Returns for how many; zero if nobody reads any more.
pub(crate) fn poll_room<T: Goods>(ctx: &mut Ctx, id: u64, cx: &mut Context<'_>) -> Poll<Result<u32>> {
    let writing = match writing::<T>(ctx, id) {
        Ok(writing) => writing,
        Err(error) => return Poll::Ready(Err(error)),
    };
    let count = ready!(writing.end.poll_room(cx)).map_or(0, |room_bytes| T::count(writing, room_bytes));
    Poll::Ready(Ok(u32::try_from(count).unwrap_or(u32::MAX)))
}

/// Waits until there is something to write. Returns whether there is; if not, the flow ends.
pub(crate) fn poll_next<T: Goods>(ctx: &mut Ctx, id: u64, cx: &mut Context<'_>) -> Poll<Result<bool>> {
    let reading = match reading::<T>(ctx, id) {
        Ok(reading) => reading,
        Err(error) => return Poll::Ready(Err(error)),
    };
    let writer = ready!(reading.end.poll_next(cx));
    if writer == Writer::Open {
        return Poll::Ready(Ok(true));
    }
    let broken = reading.broken.as_mut().filter(|_| writer == Writer::Lost);
    let Some(element) = &reading.absent else {
        return match broken {
            // Nobody would know that the stream is not whole.
            Some(broken) if !broken.is_told => {
                let text = ready!(broken.poll(cx));
                Poll::Ready(Err(wasmtime::Error::new(Failed(text))))
            }
            _ => Poll::Ready(Ok(false)),
        };
    };
    let text = match broken {
        Some(broken) => ready!(broken.poll(cx)),
        None => "a future of another component ended without a value".to_owned(),
    };
    Poll::Ready(match fallback::error(Some(element), &text).and_then(T::of) {
        Some(value) => {
            reading.end.put(value);
            Ok(true)
        }
        None => Err(wasmtime::Error::new(Failed(text))),
    })
}
