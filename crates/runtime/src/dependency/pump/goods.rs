//! What pumps hand to the host and get from it: bytes, where elements are the same bytes in every store, and values of no certain type
//! otherwise.

use super::super::slot::{PIECE_BYTES, Weigh};
use super::{Writing, yard};
use std::collections::VecDeque;
use wasmtime::component::{LinkerInstance, Val};
use wasmtime::{Result, StoreContextMut};
use wharf_host::Ctx;

/// One of many in a piece.
pub(super) trait Goods: Weigh + Sized {
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

/// An element.
pub(super) struct Item(pub(super) Val);

impl Weigh for Item {
    const IS_FLAT: bool = false;

    fn weigh(&self) -> usize {
        weigh(&self.0)
    }
}

/// Elements that one piece has at most, however small they are.
const MOST: usize = 1024;

impl Goods for Item {
    fn link(linker: &mut LinkerInstance<'_, Ctx>) -> Result<()> {
        linker.func_new("give", |mut store, _, params, _| {
            let [Val::U64(id), Val::List(values)] = params else { wasmtime::bail!("a pump gave no list") };
            let writing = yard::writing::<Self>(store.data_mut(), *id)?;
            let items: VecDeque<Self> = values.iter().cloned().map(Self).collect();
            let weight = items.iter().map(Weigh::weigh).sum::<usize>().max(1);
            // As many as fit if the next are as large as these were, but not many more at once.
            let fitting = items.len() * PIECE_BYTES / weight;
            writing.count = fitting.min(writing.count * 2).clamp(1, MOST);
            writing.end.put(items)
        })?;
        linker.func_new("fetch", |mut store, _, params, results| {
            let ([Val::U64(id)], [result]) = (params, results) else { wasmtime::bail!("a pump fetched nothing") };
            let items = yard::reading::<Self>(store.data_mut(), *id)?.end.take();
            *result = Val::List(items.into_iter().map(|item| item.0).collect());
            Ok(())
        })
    }

    fn count(writing: &Writing<Self>, room_bytes: usize) -> usize {
        writing.count.min((room_bytes.saturating_sub(HEADER_BYTES) / writing.element_bytes).max(1))
    }

    fn of(value: Val) -> Option<Self> {
        Some(Self(value))
    }
}

/// Returns the bytes that a value takes, with the names in it: the engine makes a copy of them for each.
fn weigh(value: &Val) -> usize {
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
