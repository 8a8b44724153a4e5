//! Streams and futures of resources between two stores.
//!
//! In: the readable end that a guest passed. Out: what opens a readable end in the other store, as from [`super::flow`]. Next: that store's
//! guest, which reads.
//!
//! A pump cannot carry them: a resource is a type of the component that made it, and no other one can name that. The engine hands resources
//! of any type to the host, so the elements that it can have here are resources themselves, and lists, options, results and pairs of them.

use crate::broken::Broken;
use crate::carry::{Luggage, Trade};
use crate::fallback;
use crate::flow::{self, Opener};
use crate::handles::Handles;
use crate::pump::Side;
use crate::shared::Line;
use crate::slot::{ReadEnd, Weigh, WriteEnd, bytes, pair};
use crate::{Failed, pump};
use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use wasmtime::component::types::Type;
use wasmtime::component::{
    ComponentType, Destination, FutureConsumer, FutureProducer, FutureReader, Lift, Lower, ResourceAny, Source,
    StreamConsumer, StreamProducer, StreamReader, StreamResult, Val, VecBuffer,
};
use wasmtime::{AsContextMut, Result, StoreContextMut};
use wharf_host::Ctx;
use wharf_pump::Flow;

/// A Rust type of elements that has resources.
trait Hand: ComponentType + Lift + Lower + Send + Sync + Unpin + 'static {
    /// Returns the value of no certain type.
    fn val(self) -> Val;

    /// Returns the one that a value is.
    fn of(value: Val) -> Option<Self>;
}

impl Hand for ResourceAny {
    fn val(self) -> Val {
        Val::Resource(self)
    }

    fn of(value: Val) -> Option<Self> {
        if let Val::Resource(resource) = value { Some(resource) } else { None }
    }
}

impl<T: Hand> Hand for Vec<T> {
    fn val(self) -> Val {
        Val::List(self.into_iter().map(T::val).collect())
    }

    fn of(value: Val) -> Option<Self> {
        let Val::List(values) = value else { return None };
        values.into_iter().map(T::of).collect()
    }
}

impl<T: Hand> Hand for Option<T> {
    fn val(self) -> Val {
        Val::Option(self.map(|value| Box::new(value.val())))
    }

    fn of(value: Val) -> Option<Self> {
        match value {
            Val::Option(None) => Some(None),
            Val::Option(Some(value)) => T::of(*value).map(Some),
            _ => None,
        }
    }
}

impl<T: Hand> Hand for (String, T) {
    fn val(self) -> Val {
        Val::Tuple(vec![Val::String(self.0), self.1.val()])
    }

    fn of(value: Val) -> Option<Self> {
        let Val::Tuple(values) = value else { return None };
        let [Val::String(name), value] = <[Val; 2]>::try_from(values).ok()? else { return None };
        Some((name, T::of(value)?))
    }
}

impl<T: Hand> Hand for std::result::Result<T, ()> {
    fn val(self) -> Val {
        Val::Result(self.map(|value| Some(Box::new(value.val()))).map_err(|()| None))
    }

    fn of(value: Val) -> Option<Self> {
        match value {
            Val::Result(Ok(Some(value))) => T::of(*value).map(Ok),
            Val::Result(Err(None)) => Some(Err(())),
            _ => None,
        }
    }
}

impl<T: Hand> Hand for std::result::Result<T, String> {
    fn val(self) -> Val {
        let text = |text| Some(Box::new(Val::String(text)));
        Val::Result(self.map(|value| Some(Box::new(value.val()))).map_err(text))
    }

    fn of(value: Val) -> Option<Self> {
        match value {
            Val::Result(Ok(Some(value))) => T::of(*value).map(Ok),
            Val::Result(Err(Some(value))) => match *value {
                Val::String(text) => Some(Err(text)),
                _ => None,
            },
            _ => None,
        }
    }
}

/// How elements of one type are carried.
pub(crate) struct Handed {
    element: Type,
    take: fn(StoreContextMut<'_, Ctx>, Val, Trade) -> Result<Opener>,
    open: Opening,
}

type Opening = fn(StoreContextMut<'_, Ctx>, ReadEnd<Parcel>, Flow, Trade, Option<Broken>) -> Result<Val>;

impl Handed {
    fn of<T: Hand>(element: &Type) -> Self {
        Self { element: element.clone(), take: take::<T>, open: open::<T> }
    }

    /// Returns how elements of a type are carried, if they can be.
    pub(crate) fn new(element: &Type) -> Option<Self> {
        let is_resource = |ty: &Type| matches!(ty, Type::Own(_));
        match element {
            Type::Own(_) => Some(Self::of::<ResourceAny>(element)),
            Type::List(list) => is_resource(&list.ty()).then(|| Self::of::<Vec<ResourceAny>>(element)),
            Type::Option(option) => is_resource(&option.ty()).then(|| Self::of::<Option<ResourceAny>>(element)),
            Type::Tuple(tuple) => {
                let types: Vec<Type> = tuple.types().collect();
                let [Type::String, Type::Own(_)] = types.as_slice() else { return None };
                Some(Self::of::<(String, ResourceAny)>(element))
            }
            Type::Result(result) => match (result.ok(), result.err()) {
                (Some(Type::Own(_)), None) => Some(Self::of::<std::result::Result<ResourceAny, ()>>(element)),
                (Some(Type::Own(_)), Some(Type::String)) => {
                    Some(Self::of::<std::result::Result<ResourceAny, String>>(element))
                }
                _ => None,
            },
            _ => None,
        }
    }

    /// Takes a stream or a future out of a store.
    pub(crate) fn take(
        &self,
        store: StoreContextMut<'_, Ctx>,
        from: Side,
        flow: Val,
        line: &Line,
        handles: &Arc<Handles>,
    ) -> Result<Opener> {
        let kind = if matches!(flow, Val::Future(_)) { Flow::Future } else { Flow::Stream };
        (self.take)(store, flow, Trade::new(from, kind, line, handles, &self.element))
    }

    /// Makes a stream of nothing, for a caller.
    pub(crate) fn empty(&self, store: StoreContextMut<'_, Ctx>) -> Result<Val> {
        let (_, end) = pair::<Parcel>(&Line::default());
        (self.open)(store, end, Flow::Stream, self.nothing(Flow::Stream), None)
    }

    /// Makes a future that tells a caller of a failure, where its type can.
    pub(crate) fn failed(&self, store: StoreContextMut<'_, Ctx>, text: &str) -> Result<Option<Val>> {
        let Some(value) = fallback::error(Some(&self.element), text) else { return Ok(None) };
        let (writer, end) = pair::<Parcel>(&Line::default());
        writer.put([Parcel::without(value)].into())?;
        (self.open)(store, end, Flow::Future, self.nothing(Flow::Future), None).map(Some)
    }

    /// Tells whether an element can.
    pub(crate) fn tells(&self) -> bool {
        fallback::error(Some(&self.element), "").is_some()
    }

    /// What a caller gets that comes from no dependency.
    fn nothing(&self, flow: Flow) -> Trade {
        Trade::new(Side::Caller, flow, &Line::default(), &Arc::default(), &self.element)
    }
}

/// An element on its way. One that does not arrive is dropped where it was made.
struct Parcel {
    value: Val,
    luggage: Luggage,
}

impl Parcel {
    fn without(value: Val) -> Self {
        Self { value, luggage: Luggage::default() }
    }

    fn pack(store: StoreContextMut<'_, Ctx>, mut value: Val, trade: &Trade) -> Result<Self> {
        let luggage = trade.take_out(store, &mut value)?;
        Ok(Self { value, luggage })
    }

    fn unpack(self, store: StoreContextMut<'_, Ctx>, trade: &Trade, broken: Option<&Broken>) -> Result<Val> {
        let Self { mut value, luggage } = self;
        trade.put_in(store, &mut value, luggage, broken)?;
        Ok(value)
    }
}

impl Weigh for Parcel {
    const IS_FLAT: bool = false;

    fn weigh(&self) -> usize {
        pump::weigh(&self.value) + self.luggage.weigh()
    }
}

/// Elements that are on their way at a time: each is something that somebody waits to use.
const AT_A_TIME: usize = 16;

struct Incoming<T> {
    end: WriteEnd<Parcel>,
    trade: Trade,
    of: std::marker::PhantomData<fn() -> T>,
}

struct Outgoing<T> {
    end: ReadEnd<Parcel>,
    trade: Trade,
    broken: Option<Broken>,
    of: std::marker::PhantomData<fn() -> T>,
}

fn take<T: Hand>(store: StoreContextMut<'_, Ctx>, flow: Val, trade: Trade) -> Result<Opener> {
    let (end, reader) = pair::<Parcel>(&trade.line);
    let other = trade.other();
    let incoming = Incoming::<T> { end, trade, of: std::marker::PhantomData };
    let kind = match flow {
        Val::Stream(stream) => {
            StreamReader::<T>::try_from_stream_any(stream)?.pipe(store, incoming)?;
            Flow::Stream
        }
        Val::Future(future) => {
            FutureReader::<T>::try_from_future_any(future)?.pipe(store, incoming)?;
            Flow::Future
        }
        _ => wasmtime::bail!("a value is neither a stream nor a future"),
    };
    Ok(Box::new(move |store, broken| open::<T>(store, reader, kind, other, broken)))
}

fn open<T: Hand>(
    mut store: StoreContextMut<'_, Ctx>,
    end: ReadEnd<Parcel>,
    flow: Flow,
    trade: Trade,
    broken: Option<Broken>,
) -> Result<Val> {
    let outgoing = Outgoing::<T> { end, trade, broken, of: std::marker::PhantomData };
    Ok(match flow {
        Flow::Stream => Val::Stream(StreamReader::new(&mut store, outgoing)?.try_into_stream_any(store)?),
        Flow::Future => Val::Future(FutureReader::new(&mut store, outgoing)?.try_into_future_any(store)?),
    })
}

impl<T: Hand> StreamConsumer<Ctx> for Incoming<T> {
    type Item = T;

    fn poll_consume(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        mut store: StoreContextMut<'_, Ctx>,
        mut source: Source<'_, T>,
        finish: bool,
    ) -> Poll<Result<StreamResult>> {
        if let Err(result) = ready!(flow::poll_room(&self.end, cx, finish)) {
            return Poll::Ready(Ok(result));
        }
        let mut parcels = VecDeque::new();
        while parcels.len() < AT_A_TIME && source.remaining(&mut store) > 0 {
            let mut item = None;
            source.read(&mut store, &mut item)?;
            let Some(item) = item else { break };
            parcels.push_back(Parcel::pack(store.as_context_mut(), item.val(), &self.trade)?);
        }
        self.end.put(parcels)?;
        Poll::Ready(Ok(StreamResult::Completed))
    }
}

impl<T: Hand> FutureConsumer<Ctx> for Incoming<T> {
    type Item = T;

    fn poll_consume(
        self: Pin<&mut Self>,
        _cx: &mut Context<'_>,
        mut store: StoreContextMut<'_, Ctx>,
        mut source: Source<'_, T>,
        _finish: bool,
    ) -> Poll<Result<()>> {
        let mut item = None;
        source.read(&mut store, &mut item)?;
        // Whether or not somebody reads: what is not read is dropped.
        let parcel = item.map(|item: T| Parcel::pack(store.as_context_mut(), item.val(), &self.trade));
        self.end.put_last(parcel.transpose()?)?;
        Poll::Ready(Ok(()))
    }
}

impl<T: Hand> Outgoing<T> {
    /// Puts into the store what came.
    fn unpack(&self, store: StoreContextMut<'_, Ctx>, parcel: Parcel) -> Result<T> {
        let value = parcel.unpack(store, &self.trade, self.broken.as_ref())?;
        T::of(value).ok_or_else(|| wasmtime::format_err!("a stream has something else in it than it says"))
    }
}

impl<T: Hand> StreamProducer<Ctx> for Outgoing<T> {
    type Item = T;
    type Buffer = VecBuffer<T>;

    fn poll_produce<'a>(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        mut store: StoreContextMut<'a, Ctx>,
        mut destination: Destination<'a, T, VecBuffer<T>>,
        finish: bool,
    ) -> Poll<Result<StreamResult>> {
        let this = self.get_mut();
        let slot = &this.end.0;
        let mut state = slot.lock();
        if !state.items.is_empty() {
            let before_bytes = bytes(&state.items);
            // No more than the guest takes now: what the engine keeps back is dropped with the store only. Of a stream that is passed on
            // unread that is one.
            let count = destination.remaining(&mut store).unwrap_or(1).min(state.items.len());
            let parcels: Vec<Parcel> = state.items.drain(..count).collect();
            slot.changed(state, before_bytes);
            let items = parcels.into_iter().map(|parcel| this.unpack(store.as_context_mut(), parcel));
            destination.set_buffer(items.collect::<Result<Vec<T>>>()?.into());
            return Poll::Ready(Ok(StreamResult::Completed));
        }
        flow::poll_end(state, &mut this.broken, cx, finish)
    }
}

impl<T: Hand> FutureProducer<Ctx> for Outgoing<T> {
    type Item = T;

    fn poll_produce(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        store: StoreContextMut<'_, Ctx>,
        finish: bool,
    ) -> Poll<Result<Option<T>>> {
        let this = self.get_mut();
        let slot = &this.end.0;
        let mut state = slot.lock();
        let before_bytes = bytes(&state.items);
        if let Some(parcel) = state.items.pop_front() {
            slot.changed(state, before_bytes);
            return Poll::Ready(this.unpack(store, parcel).map(Some));
        }
        let Some(text) = ready!(flow::poll_absent(state, &mut this.broken, cx, finish)) else {
            return Poll::Ready(Ok(None));
        };
        let told = fallback::error(Some(this.trade.element()), &text).and_then(T::of);
        Poll::Ready(told.map(Some).ok_or_else(|| wasmtime::Error::new(Failed(text))))
    }
}
