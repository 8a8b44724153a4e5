//! What pumps hand to the host and get from it: bytes, where elements are the same bytes in every store, and values of no certain type
//! otherwise.

use super::{Writing, yard};
use crate::broken::Broken;
use crate::carry::{Luggage, Trade};
use crate::slot::{PIECE_BYTES, Weigh};
use std::collections::VecDeque;
use wasmtime::component::{LinkerInstance, Val};
use wasmtime::{AsContextMut, Result, StoreContextMut};
use wharf_host::Ctx;

/// One of many in a piece.
pub(crate) trait Goods: Weigh + Sized {
    /// Links the functions by which pieces change hands.
    fn link(linker: &mut LinkerInstance<'_, Ctx>) -> Result<()>;

    /// Returns how many elements a piece of so many bytes may have.
    fn count(writing: &Writing<Self>, room_bytes: usize) -> usize;

    /// Returns the one that a value is, if values are handed over.
    fn of(value: Val) -> Option<Self>;
}

/// Blocks of a pump's memory are powers of two, and each has this before it.
const HEADER_BYTES: usize = 16;

impl Goods for u8 {
    fn link(linker: &mut LinkerInstance<'_, Ctx>) -> Result<()> {
        linker.func_wrap("give", |mut store: StoreContextMut<'_, Ctx>, (id, items): (u64, Vec<u8>)| {
            yard::writing::<u8>(store.data_mut(), id)?.end.put(items.into())
        })?;
        linker.func_wrap("fetch", |mut store: StoreContextMut<'_, Ctx>, (id,): (u64,)| {
            Ok((Vec::from(yard::reading::<u8>(store.data_mut(), id)?.end.take()),))
        })
    }

    fn count(writing: &Writing<Self>, room_bytes: usize) -> usize {
        (room_bytes.saturating_sub(HEADER_BYTES) / writing.element_bytes).max(1)
    }

    fn of(_value: Val) -> Option<Self> {
        None
    }
}

/// An element, with what goes beside it.
pub(crate) struct Item {
    value: Val,
    luggage: Option<Box<Luggage>>,
}

impl Item {
    pub(crate) fn new(value: Val) -> Self {
        Self { value, luggage: None }
    }

    fn take_out(mut value: Val, store: StoreContextMut<'_, Ctx>, trade: Option<&Trade>) -> Result<Self> {
        let luggage = match trade {
            Some(trade) => Some(Box::new(trade.take_out(store, &mut value)?)),
            None => None,
        };
        Ok(Self { value, luggage })
    }

    fn put_in(self, store: StoreContextMut<'_, Ctx>, trade: Option<&Trade>, broken: Option<&Broken>) -> Result<Val> {
        let Self { mut value, luggage } = self;
        if let Some(trade) = trade {
            trade.put_in(store, &mut value, luggage.map_or_else(Luggage::default, |luggage| *luggage), broken)?;
        }
        Ok(value)
    }
}

impl Weigh for Item {
    const IS_FLAT: bool = false;

    fn weigh(&self) -> usize {
        weigh(&self.value) + self.luggage.as_ref().map_or(0, |luggage| luggage.weigh())
    }
}

/// Elements that one piece has at most, however small they are.
const MOST: usize = 1024;

impl Goods for Item {
    fn link(linker: &mut LinkerInstance<'_, Ctx>) -> Result<()> {
        linker.func_new("give", |mut store, _, params, _| {
            let [Val::U64(id), Val::List(values)] = params else { wasmtime::bail!("a pump gave no list") };
            let trade = yard::writing::<Self>(store.data_mut(), *id)?.trade.clone();
            let item = |value: &Val| Self::take_out(value.clone(), store.as_context_mut(), trade.as_ref());
            let items: VecDeque<Self> = values.iter().map(item).collect::<Result<_>>()?;
            let writing = yard::writing::<Self>(store.data_mut(), *id)?;
            let weight = items.iter().map(Weigh::weigh).sum::<usize>().max(1);
            // As many as fit if the next are as large as these were, but not many more at once.
            let fitting = items.len() * PIECE_BYTES / weight;
            let most = if trade.is_some() { 1 } else { MOST };
            writing.count = fitting.min(writing.count * 2).clamp(1, most);
            writing.end.put(items)
        })?;
        linker.func_new("fetch", |mut store, _, params, results| {
            let ([Val::U64(id)], [result]) = (params, results) else { wasmtime::bail!("a pump fetched nothing") };
            let reading = yard::reading::<Self>(store.data_mut(), *id)?;
            let (items, trade) = (reading.end.take(), reading.trade.clone());
            let broken = reading.broken.as_ref().filter(|_| trade.is_some());
            let broken = broken.map(|broken| broken.again(broken.is_told));
            let value = |item: Self| item.put_in(store.as_context_mut(), trade.as_ref(), broken.as_ref());
            *result = Val::List(items.into_iter().map(value).collect::<Result<_>>()?);
            Ok(())
        })?;
        linker.func_new("back", |mut store, _, params, _| {
            let [Val::U64(id), Val::List(values)] = params else { wasmtime::bail!("a pump gave nothing back") };
            let Some(trade) = yard::reading::<Self>(store.data_mut(), *id)?.trade.clone() else { return Ok(()) };
            values.iter().cloned().try_for_each(|mut value| trade.close(store.as_context_mut(), &mut value))
        })
    }

    fn count(writing: &Writing<Self>, room_bytes: usize) -> usize {
        writing.count.min((room_bytes.saturating_sub(HEADER_BYTES) / writing.element_bytes).max(1))
    }

    fn of(value: Val) -> Option<Self> {
        Some(Self::new(value))
    }
}

/// Returns the bytes that a value takes, with the names in it: the engine makes a copy of them for each.
pub(crate) fn weigh(value: &Val) -> usize {
    let inside = match value {
        Val::String(text) | Val::Enum(text) => text.len(),
        Val::List(values) | Val::Tuple(values) | Val::FixedLengthList(values) => values.iter().map(weigh).sum(),
        Val::Map(pairs) => pairs.iter().map(|(key, value)| weigh(key) + weigh(value)).sum(),
        Val::Record(fields) => fields.iter().map(|(name, value)| size_of::<String>() + name.len() + weigh(value)).sum(),
        Val::Variant(name, payload) => name.len() + payload.as_ref().map_or(0, |payload| weigh(payload)),
        Val::Option(payload) | Val::Result(Ok(payload) | Err(payload)) => {
            payload.as_ref().map_or(0, |payload| weigh(payload))
        }
        Val::Flags(names) => names.iter().map(|name| size_of::<String>() + name.len()).sum(),
        _ => 0,
    };
    size_of::<Val>() + inside
}
