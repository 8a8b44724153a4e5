//! The types of elements that streams and futures carry between two stores.
//!
//! In: the type that an interface says. Out: a [`Carrier`] for it, or nothing. Next: [`super::flow`], which carries.
//!
//! The engine moves elements between guest and host as values of Rust types that it knows at compile time, so there is a list: numbers,
//! truth values, characters and strings; lists, options and pairs of these; results of these; and what streams of [WASI](wasi) carry. Other
//! types with fields or cases of their own have no Rust type here.

mod wasi;

use crate::flow::{self, Opener};
use crate::shared::Line;
use std::collections::VecDeque;
use wasmtime::component::types::Type;
use wasmtime::component::{ComponentType, Destination, FutureAny, Lift, Lower, Source, StreamAny, Val, VecBuffer};
use wasmtime::{Result, StoreContextMut};
use wharf_host::Ctx;

/// A type of elements.
pub(crate) trait Payload: ComponentType + Lift + Lower + Send + Sync + Unpin + 'static {
    /// Whether a value needs no memory but its own place.
    const IS_FLAT: bool = true;

    /// Returns the bytes that a value takes.
    fn bytes(&self) -> usize {
        size_of::<Self>()
    }

    /// Returns the value of a future whose writer failed, where the type can say so.
    fn failed(_text: &str) -> Option<Self> {
        None
    }

    /// Returns the error that says `text`, if this is a type of errors.
    fn error(_text: &str) -> Option<Self> {
        None
    }

    /// Takes what a guest writes, up to about so many bytes and at least one element.
    fn fill(
        items: &mut VecDeque<Self>,
        mut source: Source<'_, Self>,
        mut store: StoreContextMut<'_, Ctx>,
        room_bytes: usize,
    ) -> Result<()> {
        if Self::IS_FLAT {
            let mut piece = Vec::with_capacity((room_bytes / size_of::<Self>().max(1)).max(1));
            source.read(store, &mut piece)?;
            *items = piece.into();
            return Ok(());
        }
        // How large an element is shows when it is read, and what one step reads is bounded by the engine.
        let mut filled = 0;
        while filled < room_bytes && source.remaining(&mut store) > 0 {
            let mut item = None;
            source.read(&mut store, &mut item)?;
            filled += item.as_ref().map_or(0, Self::bytes);
            items.extend(item);
        }
        Ok(())
    }

    /// Gives a guest as many elements as it reads.
    fn drain<'a>(
        items: &mut VecDeque<Self>,
        mut destination: Destination<'a, Self, VecBuffer<Self>>,
        store: StoreContextMut<'a, Ctx>,
    ) {
        let count = destination.remaining(store).unwrap_or(items.len()).min(items.len());
        destination.set_buffer(items.drain(..count).collect::<Vec<_>>().into());
    }
}

macro_rules! flat {
    ($($ty:ty),*) => { $(impl Payload for $ty {})* };
}

flat!(bool, i8, i16, u16, i32, u32, i64, u64, f32, f64, char);

impl Payload for () {
    fn error(_text: &str) -> Option<Self> {
        Some(())
    }
}

/// Bytes are copied from memory to memory, never one by one.
impl Payload for u8 {
    fn fill(
        items: &mut VecDeque<Self>,
        source: Source<'_, Self>,
        store: StoreContextMut<'_, Ctx>,
        room_bytes: usize,
    ) -> Result<()> {
        let mut source = source.as_direct(store);
        let written = source.remaining();
        let count = written.len().min(room_bytes);
        items.extend(&written[..count]);
        source.mark_read(count);
        Ok(())
    }

    fn drain<'a>(
        items: &mut VecDeque<Self>,
        destination: Destination<'a, Self, VecBuffer<Self>>,
        store: StoreContextMut<'a, Ctx>,
    ) {
        let mut destination = destination.as_direct(store, items.len());
        let (piece, _) = items.as_slices();
        let place = destination.remaining();
        let count = piece.len().min(place.len());
        place[..count].copy_from_slice(&piece[..count]);
        destination.mark_written(count);
        items.drain(..count);
    }
}

impl Payload for String {
    const IS_FLAT: bool = false;

    fn bytes(&self) -> usize {
        size_of::<Self>() + self.len()
    }

    fn error(text: &str) -> Option<Self> {
        Some(text.to_owned())
    }
}

impl<T: Payload> Payload for Vec<T> {
    const IS_FLAT: bool = false;

    fn bytes(&self) -> usize {
        let items = if T::IS_FLAT { self.len() * size_of::<T>() } else { self.iter().map(T::bytes).sum() };
        size_of::<Self>() + items
    }
}

impl<T: Payload> Payload for Option<T> {
    const IS_FLAT: bool = T::IS_FLAT;

    fn bytes(&self) -> usize {
        size_of::<Self>() + self.as_ref().map_or(0, T::bytes)
    }
}

impl<A: Payload, B: Payload> Payload for (A, B) {
    const IS_FLAT: bool = A::IS_FLAT && B::IS_FLAT;

    fn bytes(&self) -> usize {
        self.0.bytes() + self.1.bytes()
    }
}

impl<T: Payload, E: Payload> Payload for std::result::Result<T, E> {
    const IS_FLAT: bool = T::IS_FLAT && E::IS_FLAT;

    fn bytes(&self) -> usize {
        size_of::<Self>() + self.as_ref().map_or_else(E::bytes, T::bytes)
    }

    fn failed(text: &str) -> Option<Self> {
        E::error(text).map(Err)
    }
}

/// How elements of one type are carried.
#[derive(Clone, Copy)]
pub(crate) struct Carrier {
    pub(crate) stream: fn(StoreContextMut<'_, Ctx>, StreamAny, &Line) -> Result<Opener>,
    pub(crate) future: fn(StoreContextMut<'_, Ctx>, FutureAny, &Line) -> Result<Opener>,
    /// Makes a stream of nothing.
    pub(crate) empty: fn(StoreContextMut<'_, Ctx>) -> Result<Val>,
    /// Makes a future that tells of a failure, where the type can.
    pub(crate) failed: fn(StoreContextMut<'_, Ctx>, &str) -> Result<Option<Val>>,
    /// Whether it can.
    pub(crate) tells: bool,
}

impl Carrier {
    fn of<T: Payload>() -> Self {
        Self {
            stream: flow::take_stream::<T>,
            future: flow::take_future::<T>,
            empty: flow::empty_stream::<T>,
            failed: flow::failed_future::<T>,
            tells: T::failed("").is_some(),
        }
    }

    /// Returns how elements of a type are carried, if they can be.
    pub(crate) fn new(ty: Option<&Type>) -> Option<Self> {
        match ty {
            None => Some(Self::of::<()>()),
            Some(ty) => find(ty, &Carry),
        }
    }
}

/// What is done with the Rust type of a type.
trait Visit {
    type Out;
    fn visit<T: Payload>(&self) -> Self::Out;
}

struct Carry;

impl Visit for Carry {
    type Out = Carrier;
    fn visit<T: Payload>(&self) -> Carrier {
        Carrier::of::<T>()
    }
}

/// Types that are made of another: each visits what it makes of the one that it gets.
macro_rules! made {
    ($($name:ident: $made:ty;)*) => { $(
        struct $name<'a, V>(&'a V);

        impl<V: Visit> Visit for $name<'_, V> {
            type Out = V::Out;
            fn visit<T: Payload>(&self) -> V::Out {
                self.0.visit::<$made>()
            }
        }
    )* };
}

made! {
    ListOf: Vec<T>;
    OptionOf: Option<T>;
    Named: (String, T);
    OrNothing: std::result::Result<T, ()>;
    OrText: std::result::Result<T, String>;
}

/// Visits the Rust type of a type, if there is one.
fn find<V: Visit>(ty: &Type, visitor: &V) -> Option<V::Out> {
    match ty {
        Type::List(list) => simple(&list.ty(), &ListOf(visitor)),
        Type::Option(option) => simple(&option.ty(), &OptionOf(visitor)),
        Type::Tuple(tuple) => {
            let types: Vec<Type> = tuple.types().collect();
            let [Type::String, other] = types.as_slice() else { return None };
            simple(other, &Named(visitor))
        }
        Type::Result(result) => match result.err() {
            None => outcome(result.ok().as_ref(), &OrNothing(visitor)),
            Some(Type::String) => outcome(result.ok().as_ref(), &OrText(visitor)),
            Some(error) if result.ok().is_none() => wasi::result(&error, visitor),
            Some(_) => None,
        },
        other => simple(other, visitor).or_else(|| wasi::item(other, visitor)),
    }
}

fn outcome<V: Visit>(ok: Option<&Type>, visitor: &V) -> Option<V::Out> {
    match ok {
        None => Some(visitor.visit::<()>()),
        Some(Type::List(list)) if matches!(list.ty(), Type::U8) => Some(visitor.visit::<Vec<u8>>()),
        Some(ok) => simple(ok, visitor),
    }
}

fn simple<V: Visit>(ty: &Type, visitor: &V) -> Option<V::Out> {
    Some(match ty {
        Type::Bool => visitor.visit::<bool>(),
        Type::S8 => visitor.visit::<i8>(),
        Type::U8 => visitor.visit::<u8>(),
        Type::S16 => visitor.visit::<i16>(),
        Type::U16 => visitor.visit::<u16>(),
        Type::S32 => visitor.visit::<i32>(),
        Type::U32 => visitor.visit::<u32>(),
        Type::S64 => visitor.visit::<i64>(),
        Type::U64 => visitor.visit::<u64>(),
        Type::Float32 => visitor.visit::<f32>(),
        Type::Float64 => visitor.visit::<f64>(),
        Type::Char => visitor.visit::<char>(),
        Type::String => visitor.visit::<String>(),
        _ => return None,
    })
}

#[cfg(test)]
mod tests;
