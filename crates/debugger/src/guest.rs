//! Reads a guest that stopped: its stack, its values, its memory.

use crate::code::{Code, address};
use crate::shared::Stop;
use gdbstub_arch::wasm::addr::WasmAddrType;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};
use wasmtime::{AsContext, AsContextMut, FrameHandle, Instance, Memory, Module, ModulePC, StoreContextMut, Trap, Val};

/// Calls of a stack that are shown: a recursion without end has tens of thousands, and LLDB asks for all of them at each stop.
const FRAMES: usize = 1000;

/// Memories of a store that have an address.
const MEMORIES: usize = 1024;

/// Which values of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Local,
    Operand,
    Global,
}

/// What can be asked of a guest that stopped.
pub(crate) trait Guest {
    /// Returns where the guest is, innermost first: addresses.
    fn stack(&mut self) -> Vec<u64>;
    /// Returns a value as little-endian bytes; nothing for one that is not there or has no bytes.
    fn value(&mut self, kind: Kind, frame: usize, index: u32) -> Vec<u8>;
    /// Returns up to `length` bytes of a memory; fewer at its end.
    fn read(&mut self, memory: u32, offset: u32, length: usize) -> Vec<u8>;
    /// Writes to a memory. Tells whether all of it is there.
    fn write(&mut self, memory: u32, offset: u32, bytes: &[u8]) -> bool;
    /// Sets or removes a breakpoint. Tells whether it could.
    fn set_breakpoint(&mut self, module: u32, pc: u32, is_set: bool) -> bool;
}

/// A store whose guest stopped, as long as it does not go on.
pub(crate) struct Stopped<'a, T: 'static> {
    store: StoreContextMut<'a, T>,
    code: &'a Code,
    frames: Vec<FrameHandle>,
    detours: &'a Mutex<Detours>,
}

/// What stands for breakpoints in code that cannot be reached, for which there is no place to stop: where the function returns to.
///
/// LLDB steps over a line by a breakpoint at the last instruction of it. After a `return` that is one which never runs.
pub(crate) type Detours = BTreeMap<(u32, u32), (u32, u32)>;

impl<'a, T: 'static> Stopped<'a, T> {
    pub(crate) fn new(
        mut store: StoreContextMut<'a, T>,
        code: &'a Code,
        detours: &'a Mutex<Detours>,
        stop: Stop,
    ) -> Self {
        // A stack overflows before the first instruction of a function, where the engine would take its frame for that of another one.
        let entries: Vec<FrameHandle> = match stop {
            Stop::Trap(Trap::StackOverflow) => Vec::new(),
            // One for each entry from the host, with the calls above it as parents.
            _ => store.debug_exit_frames().take(FRAMES).collect(),
        };
        let mut frames = Vec::new();
        for entry in entries {
            let mut next = Some(entry);
            while let Some(frame) = next.take_if(|_| frames.len() < FRAMES) {
                next = frame.parent(&mut store).ok().flatten();
                frames.push(frame);
            }
        }
        Self { store, code, frames, detours }
    }

    /// Switches stepping on or off, before the guest goes on.
    pub(crate) fn step(&mut self, is_on: bool) {
        let set: Vec<(Module, ModulePC)> = self.breakpoints();
        let Some(mut edit) = self.store.as_context_mut().edit_breakpoints() else { return };
        let mut edited = edit.single_step(is_on);
        if !is_on {
            // The engine keeps the places of all modules of a component in one table, by their offsets alone, and when it switches
            // stepping off, module by module, it clears the breakpoints of all but the last one.
            for (module, pc) in set {
                edited = edited.and(edit.remove_breakpoint(&module, pc)).and(edit.add_breakpoint(&module, pc));
            }
        }
        if let Err(error) = edited {
            tracing::warn!("the guest cannot be stepped: {error}");
        }
    }

    /// Returns where the guest stops, as the engine has it: the next instruction that there is code for.
    fn breakpoints(&self) -> Vec<(Module, ModulePC)> {
        let set = self.store.as_context().breakpoints().into_iter().flatten();
        set.map(|breakpoint| (breakpoint.module, breakpoint.pc)).collect()
    }

    /// Tells whether the guest is at a breakpoint. It may be at the offset of one in another module: see [`Self::step`].
    pub(crate) fn is_at_breakpoint(&mut self) -> bool {
        let Some(frame) = self.frames.first().cloned() else { return false };
        let Some(place) = self.place_of(&frame) else { return false };
        let set = self.breakpoints();
        set.iter().any(|(module, pc)| self.code.number(module) == Some(place.0) && pc.raw() == place.1)
    }

    fn edit(&mut self, (module, pc): (u32, u32), is_set: bool) -> bool {
        let Some(module) = self.code.module(module) else { return false };
        let Some(mut edit) = self.store.as_context_mut().edit_breakpoints() else { return false };
        let pc = ModulePC::new(pc);
        let edited = if is_set { edit.add_breakpoint(module, pc) } else { edit.remove_breakpoint(module, pc) };
        edited.is_ok()
    }

    /// Returns where to stop instead of a place that the running function cannot reach.
    fn detour(&mut self, place: (u32, u32)) -> Option<(u32, u32)> {
        let (module, pc) = place;
        let is_reached = |(known, at): &(Module, ModulePC)| self.code.number(known) == Some(module) && at.raw() == pc;
        if self.breakpoints().iter().any(is_reached) {
            return None;
        }
        let [innermost, caller, ..] = self.frames.as_slice() else { return None };
        let (innermost, caller) = (innermost.clone(), caller.clone());
        let here = self.place_of(&innermost)?;
        if here.0 != module || !self.code.is_one_function(module, here.1, pc) {
            return None;
        }
        let (module, pc) = self.place_of(&caller)?;
        Some((module, self.code.after_call(module, pc)))
    }

    fn place_of(&mut self, frame: &FrameHandle) -> Option<(u32, u32)> {
        let module = frame.instance(&mut self.store).ok()?.module(&self.store).clone();
        let (_, pc) = frame.wasm_function_index_and_pc(&mut self.store).ok()??;
        Some((self.code.number(&module)?, pc.raw()))
    }

    fn instance(&mut self, frame: usize) -> Option<Instance> {
        self.frames.get(frame)?.instance(&mut self.store).ok()
    }

    /// Returns a memory by its number. Pointers in DWARF have no number, which is 0: they mean the memory of the code that runs, which in
    /// a component of several parts is not always the same.
    fn memory(&mut self, number: u32) -> Option<Memory> {
        let Some(other) = number.checked_sub(1) else {
            let here = (0..self.frames.len().min(FRAMES)).find_map(|frame| {
                let instance = self.instance(frame)?;
                instance.debug_memory(&mut self.store, 0)
            });
            return here.or_else(|| self.memories().into_iter().next());
        };
        self.memories().into_iter().nth(usize::try_from(other).ok()?)
    }

    fn memories(&mut self) -> Vec<Memory> {
        let mut memories = Vec::new();
        let mut known = BTreeSet::new();
        for instance in self.store.as_context_mut().debug_all_instances() {
            let mut index = 0;
            while let Some(memory) = instance.debug_memory(&mut self.store, index).filter(|_| memories.len() < MEMORIES)
            {
                if known.insert(memory.debug_index_in_store()) {
                    memories.push(memory);
                }
                index += 1;
            }
        }
        memories
    }

    fn find(&mut self, kind: Kind, frame: usize, index: u32) -> Option<Val> {
        let handle = self.frames.get(frame)?.clone();
        let store = &mut self.store;
        match kind {
            // The engine takes an index that is not there for a mistake of the host.
            Kind::Local if index < handle.num_locals(&mut *store).ok()? => handle.local(store, index).ok(),
            Kind::Operand if index < handle.num_stacks(&mut *store).ok()? => handle.stack(store, index).ok(),
            Kind::Global => {
                let global = self.instance(frame)?.debug_global(&mut self.store, index)?;
                Some(global.get(&mut self.store))
            }
            _ => None,
        }
    }
}

impl<T: 'static> Guest for Stopped<'_, T> {
    fn stack(&mut self) -> Vec<u64> {
        let frames = self.frames.clone();
        let places = frames.iter().enumerate().filter_map(|(depth, frame)| {
            let (module, pc) = self.place_of(frame)?;
            let pc = if depth == 0 { pc } else { self.code.after_call(module, pc) };
            Some(address(WasmAddrType::Object, module, pc))
        });
        places.collect()
    }

    fn value(&mut self, kind: Kind, frame: usize, index: u32) -> Vec<u8> {
        match self.find(kind, frame, index) {
            Some(Val::I32(value)) => value.to_le_bytes().to_vec(),
            Some(Val::I64(value)) => value.to_le_bytes().to_vec(),
            Some(Val::F32(bits)) => bits.to_le_bytes().to_vec(),
            Some(Val::F64(bits)) => bits.to_le_bytes().to_vec(),
            Some(Val::V128(value)) => value.as_u128().to_le_bytes().to_vec(),
            _ => Vec::new(),
        }
    }

    fn read(&mut self, memory: u32, offset: u32, length: usize) -> Vec<u8> {
        let Some(memory) = self.memory(memory) else { return Vec::new() };
        let data = memory.data(&self.store);
        let start = usize::try_from(offset).unwrap_or(usize::MAX).min(data.len());
        let end = start.saturating_add(length).min(data.len());
        data.get(start..end).unwrap_or_default().to_vec()
    }

    fn write(&mut self, memory: u32, offset: u32, bytes: &[u8]) -> bool {
        let start = usize::try_from(offset).unwrap_or(usize::MAX);
        self.memory(memory).is_some_and(|memory| memory.write(&mut self.store, start, bytes).is_ok())
    }

    fn set_breakpoint(&mut self, module: u32, pc: u32, is_set: bool) -> bool {
        let place = (module, pc);
        if !is_set {
            // One at the same offset of another module goes with it: it is put back when the guest goes on.
            let detour = self.detours.lock().unwrap_or_else(PoisonError::into_inner).remove(&place);
            return self.edit(detour.unwrap_or(place), false);
        }
        if !self.edit(place, true) {
            return false;
        }
        if let Some(detour) = self.detour(place) {
            self.detours.lock().unwrap_or_else(PoisonError::into_inner).insert(place, detour);
            return self.edit(place, false) && self.edit(detour, true);
        }
        true
    }
}
