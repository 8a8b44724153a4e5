//! What a debugger asks, and where the answers come from: the code, or the guest that stopped.

use crate::code::{Code, address};
use crate::guest::{Guest, Kind};
use crate::shared::Shared;
use gdbstub::arch::lldb::{Encoding, Format, Generic, Register};
use gdbstub::common::{Endianness, Pid, Signal, Tid};
use gdbstub::target::ext::base::BaseOps;
use gdbstub::target::ext::base::multithread::{
    MultiThreadBase, MultiThreadResume, MultiThreadResumeOps, MultiThreadSchedulerLocking,
    MultiThreadSchedulerLockingOps, MultiThreadSingleStep, MultiThreadSingleStepOps,
};
use gdbstub::target::ext::breakpoints::{Breakpoints, BreakpointsOps, SwBreakpoint, SwBreakpointOps};
use gdbstub::target::ext::host_info::{HostInfo, HostInfoOps, HostInfoResponse};
use gdbstub::target::ext::libraries::{Libraries, LibrariesOps};
use gdbstub::target::ext::lldb_register_info_override::{
    Callback, CallbackToken, LldbRegisterInfoOverride, LldbRegisterInfoOverrideOps,
};
use gdbstub::target::ext::process_info::{ProcessInfo, ProcessInfoOps, ProcessInfoResponse};
use gdbstub::target::ext::wasm::{Wasm, WasmOps};
use gdbstub::target::{Target, TargetError, TargetResult};
use gdbstub_arch::wasm::Wasm as WasmArch;
use gdbstub_arch::wasm::addr::{WasmAddr, WasmAddrType};
use gdbstub_arch::wasm::reg::WasmRegisters;
use std::convert::Infallible;
use std::num::NonZeroUsize;
use std::sync::Arc;

/// The one thread that there is: a store runs on one.
pub(crate) const THREAD: Tid = NonZeroUsize::MIN;

const PROCESS: Pid = NonZeroUsize::MIN;

/// What LLDB knows WebAssembly by.
const TRIPLE: &str = "wasm32-unknown-unknown-wasm";

/// The number by which DWARF of WebAssembly could name the program counter.
const PC_IN_DWARF: usize = 16;

/// The debugged component, as one debugger sees it.
pub(crate) struct Remote {
    shared: Arc<Shared>,
    is_step: bool,
}

impl Remote {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        Self { shared, is_step: false }
    }

    /// Returns where the guest stopped; the beginning of the code if none did.
    pub(crate) fn place(&self) -> u64 {
        let innermost = self.shared.ask(|guest| guest.stack().first().copied()).flatten();
        innermost.unwrap_or_else(|| address(WasmAddrType::Object, 0, 0))
    }

    fn code(&self) -> Option<Arc<Code>> {
        self.shared.lock().code.clone()
    }

    fn value(&self, kind: Kind, frame: usize, index: usize, buffer: &mut [u8]) -> usize {
        let value = self.shared.ask(move |guest| guest.value(kind, frame, u32::try_from(index).unwrap_or(u32::MAX)));
        copy(&value.unwrap_or_default(), buffer)
    }

    fn set_breakpoint(&self, place: u64, is_set: bool) -> bool {
        let Some(place) = WasmAddr::from_raw(place).filter(|place| place.addr_type() == WasmAddrType::Object) else {
            return false;
        };
        let (module, pc) = (place.module_index(), place.offset());
        if self.code().is_none_or(|code| code.module(module).is_none()) {
            return false;
        }
        {
            let mut state = self.shared.lock();
            let changed =
                if is_set { state.breakpoints.insert((module, pc)) } else { state.breakpoints.remove(&(module, pc)) };
            if !changed {
                return true;
            }
        }
        // Without a guest it is set in the next one.
        self.shared.ask(move |guest| guest.set_breakpoint(module, pc, is_set)).unwrap_or(true)
    }
}

fn copy(from: &[u8], to: &mut [u8]) -> usize {
    let length = from.len().min(to.len());
    if let (Some(to), Some(from)) = (to.get_mut(..length), from.get(..length)) {
        to.copy_from_slice(from);
    }
    length
}

impl Target for Remote {
    type Arch = WasmArch;
    type Error = Infallible;

    fn base_ops(&mut self) -> BaseOps<'_, Self::Arch, Self::Error> {
        BaseOps::MultiThread(self)
    }

    fn support_wasm(&mut self) -> Option<WasmOps<'_, Self>> {
        Some(self)
    }

    fn use_lldb_register_info(&self) -> bool {
        true
    }

    fn support_lldb_register_info_override(&mut self) -> Option<LldbRegisterInfoOverrideOps<'_, Self>> {
        Some(self)
    }

    fn support_breakpoints(&mut self) -> Option<BreakpointsOps<'_, Self>> {
        Some(self)
    }

    fn support_libraries(&mut self) -> Option<LibrariesOps<'_, Self>> {
        Some(self)
    }

    fn support_process_info(&mut self) -> Option<ProcessInfoOps<'_, Self>> {
        Some(self)
    }

    fn support_host_info(&mut self) -> Option<HostInfoOps<'_, Self>> {
        Some(self)
    }
}

impl MultiThreadBase for Remote {
    fn read_registers(&mut self, registers: &mut WasmRegisters, _: Tid) -> TargetResult<(), Self> {
        registers.pc = self.place();
        Ok(())
    }

    /// A guest goes on where it stopped; nothing can move it.
    fn write_registers(&mut self, _: &WasmRegisters, _: Tid) -> TargetResult<(), Self> {
        Err(TargetError::NonFatal)
    }

    fn read_addrs(&mut self, start: u64, data: &mut [u8], _: Tid) -> TargetResult<usize, Self> {
        let place = WasmAddr::from_raw(start).ok_or(TargetError::NonFatal)?;
        let (number, offset, length) = (place.module_index(), place.offset(), data.len());
        let copied = match place.addr_type() {
            WasmAddrType::Object => {
                let code = self.code().ok_or(TargetError::NonFatal)?;
                let start = usize::try_from(offset).unwrap_or(usize::MAX);
                copy(code.bytes(number).get(start..).unwrap_or_default(), data)
            }
            WasmAddrType::Memory => {
                let bytes = self.shared.ask(move |guest| guest.read(number, offset, length));
                copy(&bytes.unwrap_or_default(), data)
            }
        };
        // No byte at all is an error, fewer than asked for is an end.
        if copied == 0 { Err(TargetError::NonFatal) } else { Ok(copied) }
    }

    fn write_addrs(&mut self, start: u64, data: &[u8], _: Tid) -> TargetResult<(), Self> {
        let place = WasmAddr::from_raw(start).ok_or(TargetError::NonFatal)?;
        if place.addr_type() == WasmAddrType::Object {
            return Err(TargetError::NonFatal);
        }
        let (number, offset, bytes) = (place.module_index(), place.offset(), data.to_vec());
        let is_written = self.shared.ask(move |guest: &mut dyn Guest| guest.write(number, offset, &bytes));
        if is_written == Some(true) { Ok(()) } else { Err(TargetError::NonFatal) }
    }

    fn list_active_threads(&mut self, each: &mut dyn FnMut(Tid)) -> Result<(), Self::Error> {
        each(THREAD);
        Ok(())
    }

    fn support_resume(&mut self) -> Option<MultiThreadResumeOps<'_, Self>> {
        Some(self)
    }
}

impl MultiThreadResume for Remote {
    fn resume(&mut self) -> Result<(), Self::Error> {
        self.shared.resume(self.is_step);
        Ok(())
    }

    fn clear_resume_actions(&mut self) -> Result<(), Self::Error> {
        self.is_step = false;
        Ok(())
    }

    fn set_resume_action_continue(&mut self, _: Tid, _: Option<Signal>) -> Result<(), Self::Error> {
        self.is_step = false;
        Ok(())
    }

    fn support_single_step(&mut self) -> Option<MultiThreadSingleStepOps<'_, Self>> {
        Some(self)
    }

    fn support_scheduler_locking(&mut self) -> Option<MultiThreadSchedulerLockingOps<'_, Self>> {
        Some(self)
    }
}

impl MultiThreadSingleStep for Remote {
    fn set_resume_action_step(&mut self, _: Tid, _: Option<Signal>) -> Result<(), Self::Error> {
        self.is_step = true;
        Ok(())
    }
}

impl MultiThreadSchedulerLocking for Remote {
    /// There are no other threads.
    fn set_resume_action_scheduler_lock(&mut self) -> Result<(), Self::Error> {
        Ok(())
    }
}

impl Breakpoints for Remote {
    fn support_sw_breakpoint(&mut self) -> Option<SwBreakpointOps<'_, Self>> {
        Some(self)
    }
}

impl SwBreakpoint for Remote {
    fn add_sw_breakpoint(&mut self, place: u64, _: usize) -> TargetResult<bool, Self> {
        Ok(self.set_breakpoint(place, true))
    }

    fn remove_sw_breakpoint(&mut self, place: u64, _: usize) -> TargetResult<bool, Self> {
        Ok(self.set_breakpoint(place, false))
    }
}

impl LldbRegisterInfoOverride for Remote {
    fn lldb_register_info<'a>(&mut self, id: usize, info: Callback<'a>) -> Result<CallbackToken<'a>, Self::Error> {
        if id > 0 {
            return Ok(info.done());
        }
        Ok(info.write(Register {
            name: "pc",
            alt_name: None,
            bitsize: 64,
            offset: 0,
            encoding: Encoding::Uint,
            format: Format::Hex,
            set: "General Purpose Registers",
            gcc: Some(PC_IN_DWARF),
            dwarf: Some(PC_IN_DWARF),
            generic: Some(Generic::Pc),
            container_regs: None,
            invalidate_regs: None,
        }))
    }
}

impl Libraries for Remote {
    fn get_libraries(&self, offset: u64, length: usize, buffer: &mut [u8]) -> TargetResult<usize, Self> {
        let list = self.code().map(|code| code.libraries()).unwrap_or_default();
        let start = usize::try_from(offset).unwrap_or(usize::MAX);
        let rest = list.as_bytes().get(start..).unwrap_or_default();
        Ok(copy(rest.get(..length).unwrap_or(rest), buffer))
    }
}

impl Wasm for Remote {
    fn wasm_call_stack(&self, _: Tid, each: &mut dyn FnMut(u64)) -> Result<(), Self::Error> {
        self.shared.ask(|guest| guest.stack()).unwrap_or_default().into_iter().for_each(each);
        Ok(())
    }

    fn read_wasm_local(&self, _: Tid, frame: usize, index: usize, buffer: &mut [u8]) -> Result<usize, Self::Error> {
        Ok(self.value(Kind::Local, frame, index, buffer))
    }

    fn read_wasm_stack(&self, _: Tid, frame: usize, index: usize, buffer: &mut [u8]) -> Result<usize, Self::Error> {
        Ok(self.value(Kind::Operand, frame, index, buffer))
    }

    fn read_wasm_global(&self, _: Tid, frame: usize, index: usize, buffer: &mut [u8]) -> Result<usize, Self::Error> {
        Ok(self.value(Kind::Global, frame, index, buffer))
    }
}

impl HostInfo for Remote {
    fn host_info(&self, each: &mut dyn FnMut(&HostInfoResponse<'_>)) -> Result<(), Self::Error> {
        each(&HostInfoResponse::Triple(TRIPLE));
        each(&HostInfoResponse::Endianness(Endianness::Little));
        each(&HostInfoResponse::PointerSize(4));
        Ok(())
    }
}

impl ProcessInfo for Remote {
    fn process_info(&self, each: &mut dyn FnMut(&ProcessInfoResponse<'_>)) -> Result<(), Self::Error> {
        each(&ProcessInfoResponse::Pid(PROCESS));
        each(&ProcessInfoResponse::Triple(TRIPLE));
        each(&ProcessInfoResponse::Endianness(Endianness::Little));
        each(&ProcessInfoResponse::PointerSize(4));
        Ok(())
    }
}
