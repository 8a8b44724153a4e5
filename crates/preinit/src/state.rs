//! The store of an initialisation: what it may use, what it said, and how its memories and globals are read when it is done.

use super::PreinitFault;
use std::sync::Arc;
use wasmtime::component::{ComponentNamedList, Instance, Lift, WasmList};
use wasmtime::{ResourceLimiter, Result, Store, Val};
use wasmtime_wizer::{ComponentInstanceState, InstanceState, SnapshotVal, ValType};
use wharf_host::Budget;

/// What is kept of what a guest says: its first part, where the first mistake is.
const SAID_BYTES: usize = 64 << 10;

/// Handles that a function may hold at a time: those of its standard output and error, and what is lent of them. None outlives it.
pub(super) const HANDLES: usize = 16;

/// What a store of an initialisation has.
pub(super) struct State {
    pub(super) budget: Budget,
    pub(super) said: Vec<u8>,
    /// Why the memories and globals cannot be read.
    pub(super) unreadable: Option<String>,
    /// An import that was answered for the sake of those who fail, as a panic that asks how much it is to say: nobody else may have asked.
    asked: Option<Arc<str>>,
    open_streams: usize,
    is_done: bool,
}

impl State {
    pub(super) fn new(memory_bytes: usize) -> Self {
        let budget = Budget::new(memory_bytes);
        Self { budget, said: Vec::new(), unreadable: None, asked: None, open_streams: 0, is_done: false }
    }

    pub(super) fn hear(&mut self, bytes: impl Iterator<Item = u8>) {
        let left = SAID_BYTES.saturating_sub(self.said.len());
        self.said.extend(bytes.take(left));
    }

    pub(super) fn opened(&mut self) {
        self.open_streams += 1;
    }

    pub(super) fn closed(&mut self) {
        self.open_streams = self.open_streams.saturating_sub(1);
    }

    pub(super) fn asked(&mut self, import: &Arc<str>) {
        self.asked.get_or_insert_with(|| Arc::clone(import));
    }

    /// Refuses a guest that succeeded, and that would go on with what ends now.
    pub(super) fn check(&self) -> Result<(), PreinitFault> {
        match &self.asked {
            Some(import) => Err(PreinitFault::Import { import: import.to_string() }),
            None if self.open_streams > 0 => Err(PreinitFault::Kept),
            None => Ok(()),
        }
    }
}

impl ResourceLimiter for State {
    fn memory_growing(&mut self, current: usize, desired: usize, maximum: Option<usize>) -> Result<bool> {
        // Reading a component's memory adds a page to it, which the snapshot leaves out.
        if self.is_done { Ok(true) } else { self.budget.memory_growing(current, desired, maximum) }
    }

    fn table_growing(&mut self, current: usize, desired: usize, maximum: Option<usize>) -> Result<bool> {
        self.budget.table_growing(current, desired, maximum)
    }

    fn instances(&self) -> usize {
        self.budget.instances()
    }

    fn memories(&self) -> usize {
        self.budget.memories()
    }

    fn tables(&self) -> usize {
        self.budget.tables()
    }
}

/// Reads an instance whose function has ended.
pub(super) struct Reader<'a, I> {
    store: &'a mut Store<State>,
    instance: I,
}

impl<'a, I> Reader<'a, I> {
    pub(super) fn new(store: &'a mut Store<State>, instance: I) -> Self {
        store.data_mut().is_done = true;
        Self { store, instance }
    }

    fn failed(&mut self, what: &str, why: &str) {
        self.store.data_mut().unreadable.get_or_insert_with(|| format!("its {what} cannot be read: {why}"));
    }
}

impl Reader<'_, Instance> {
    async fn call<R: Lift + 'static>(&mut self, interface: &str, function: &str) -> Result<R>
    where
        (R,): ComponentNamedList + Lift,
    {
        let missing = || wasmtime::Error::msg("it is not there");
        let parent = self.instance.get_export_index(&mut *self.store, None, interface).ok_or_else(missing)?;
        let place = self.instance.get_export_index(&mut *self.store, Some(&parent), function).ok_or_else(missing)?;
        let function = self.instance.get_typed_func::<(), (R,)>(&mut *self.store, place)?;
        Ok(function.call_async(&mut *self.store, ()).await?.0)
    }

    async fn value<R: Lift + Default + 'static>(&mut self, interface: &str, function: &str) -> R
    where
        (R,): ComponentNamedList + Lift,
    {
        match self.call(interface, function).await {
            Ok(value) => value,
            Err(error) => {
                self.failed("global", &error.to_string());
                R::default()
            }
        }
    }
}

impl ComponentInstanceState for Reader<'_, Instance> {
    async fn call_func_ret_list_u8(&mut self, interface: &str, function: &str, contents: impl FnOnce(&[u8]) + Send) {
        match self.call::<WasmList<u8>>(interface, function).await {
            Ok(list) => contents(list.as_le_slice(&*self.store)),
            Err(_) => {
                self.failed("memory", "it has a maximum, and two more pages are needed for a moment");
                contents(&[]);
            }
        }
    }

    async fn call_func_ret_s32(&mut self, interface: &str, function: &str) -> i32 {
        self.value(interface, function).await
    }

    async fn call_func_ret_s64(&mut self, interface: &str, function: &str) -> i64 {
        self.value(interface, function).await
    }

    async fn call_func_ret_f32(&mut self, interface: &str, function: &str) -> u32 {
        self.value::<f32>(interface, function).await.to_bits()
    }

    async fn call_func_ret_f64(&mut self, interface: &str, function: &str) -> u64 {
        self.value::<f64>(interface, function).await.to_bits()
    }
}

impl InstanceState for Reader<'_, wasmtime::Instance> {
    async fn global_get(&mut self, name: &str, _: ValType) -> SnapshotVal {
        let global = self.instance.get_global(&mut *self.store, name);
        match global.map(|global| global.get(&mut *self.store)) {
            Some(Val::I32(value)) => SnapshotVal::I32(value),
            Some(Val::I64(value)) => SnapshotVal::I64(value),
            Some(Val::F32(value)) => SnapshotVal::F32(value),
            Some(Val::F64(value)) => SnapshotVal::F64(value),
            Some(Val::V128(value)) => SnapshotVal::V128(value.as_u128()),
            _ => {
                self.failed("global", "it holds no number");
                SnapshotVal::I32(0)
            }
        }
    }

    async fn memory_contents(&mut self, name: &str, contents: impl FnOnce(&[u8]) + Send) {
        match self.instance.get_memory(&mut *self.store, name) {
            Some(memory) => contents(memory.data(&*self.store)),
            None => {
                self.failed("memory", "it is shared");
                contents(&[]);
            }
        }
    }
}
