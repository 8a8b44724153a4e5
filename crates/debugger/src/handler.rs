//! Holds a guest where it stopped, for as long as the debugger looks at it.
//!
//! In: what the engine says of a store that runs. Out: nothing; the guest goes on when this returns.

use crate::Error;
use crate::code::Code;
use crate::guest::{Detours, Stopped};
use crate::shared::{Shared, Stop, Work};
use std::marker::PhantomData;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use tokio::sync::mpsc;
use wasmtime::component::Component;
use wasmtime::{DebugEvent, DebugHandler, Module, ModulePC, Store, StoreContextMut};
use wasmtime_wasi::I32Exit;

/// One version of the component that is debugged.
#[derive(Clone)]
pub struct Debuggee {
    shared: Arc<Shared>,
    code: Arc<Code>,
}

impl Debuggee {
    pub(crate) fn component(shared: &Arc<Shared>, name: &str, component: &Component) -> Result<Self, Error> {
        let code = Code::new(name, component.engine(), |store| store.debug_register_component(component));
        Self::new(shared, code)
    }

    pub(crate) fn module(shared: &Arc<Shared>, name: &str, module: &Module) -> Result<Self, Error> {
        Self::new(shared, Code::new(name, module.engine(), |store| store.debug_register_module(module)))
    }

    fn new(shared: &Arc<Shared>, code: wasmtime::Result<Code>) -> Result<Self, Error> {
        let code = Arc::new(code.map_err(|error| Error::Code(error.into()))?);
        shared.replace(Arc::clone(&code));
        Ok(Self { shared: Arc::clone(shared), code })
    }

    /// Lets the debugger stop what runs in a store. Before its first instruction; with every breakpoint there is.
    ///
    /// # Errors
    /// When the store is of an engine without debugging.
    pub fn attach<T: Send + 'static>(&self, store: &mut Store<T>) -> Result<(), Error> {
        let (breakpoints, is_halted) = {
            let mut state = self.shared.lock();
            state.stores += 1;
            (state.breakpoints.clone(), state.is_halted || state.is_step)
        };
        // Counted from here on, whatever fails.
        let attached = Attached {
            shared: Arc::clone(&self.shared),
            code: Arc::clone(&self.code),
            is_stepping: AtomicBool::new(false),
            detours: Mutex::default(),
        };
        let handler = Handler(Arc::new(attached), PhantomData);
        let mut edit = store.edit_breakpoints().ok_or_else(|| Error::Code("the engine cannot debug".into()))?;
        for (number, pc) in breakpoints {
            if let Some(module) = self.code.module(number) {
                edit.add_breakpoint(module, ModulePC::new(pc)).map_err(|error| Error::Code(error.into()))?;
            }
        }
        if is_halted {
            edit.single_step(true).map_err(|error| Error::Code(error.into()))?;
        }
        drop(edit);
        store.set_debug_handler(handler);
        Ok(())
    }
}

/// What a store calls when something happens in it. Copied by the engine at each call.
struct Handler<T>(Arc<Attached>, PhantomData<fn(T)>);

/// A store that a debugger can stop, as long as it is alive.
struct Attached {
    shared: Arc<Shared>,
    code: Arc<Code>,
    /// Whether the debugger asked for one instruction.
    is_stepping: AtomicBool,
    detours: Mutex<Detours>,
}

impl Drop for Attached {
    fn drop(&mut self) {
        self.shared.store_ended();
    }
}

impl<T> Clone for Handler<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0), PhantomData)
    }
}

impl<T: Send + 'static> DebugHandler for Handler<T> {
    type Data = T;

    async fn handle(&self, store: StoreContextMut<'_, T>, event: DebugEvent<'_>) {
        let Some(stop) = self.0.stop(&event) else { return };
        if stop == Stop::Interrupt {
            return self.0.halt(store);
        }
        let shared = &self.0.shared;
        let _turn = shared.turn.lock().await;
        let mut stopped = Stopped::new(store, &self.0.code, &self.0.detours, stop);
        let stop = match stop {
            Stop::Breakpoint if stopped.is_at_breakpoint() => stop,
            // The engine says the same for a step.
            Stop::Breakpoint if self.0.is_expected() => Stop::Step,
            Stop::Breakpoint => return self.0.step(&mut stopped, false),
            stop => stop,
        };
        // One place: the server waits for each answer before it asks again.
        let (sender, mut works) = mpsc::channel(1);
        if !shared.arrive(self.0.code.version, stop, sender) {
            return self.0.step(&mut stopped, false);
        }
        let _seen = Seen(shared);
        loop {
            match works.recv().await {
                // A panic of the engine is no answer; the guest has nothing to do with it.
                Some(Work::Look(look)) => drop(catch_unwind(AssertUnwindSafe(|| look(&mut stopped)))),
                Some(Work::Resume { is_step }) => return self.0.step(&mut stopped, is_step),
                None => return self.0.step(&mut stopped, false),
            }
        }
    }
}

impl Attached {
    /// Returns whether the guest stops for an event, and why.
    fn stop(&self, event: &DebugEvent<'_>) -> Option<Stop> {
        let state = self.shared.lock();
        if !state.is_attached {
            return None;
        }
        match event {
            DebugEvent::Breakpoint => Some(Stop::Breakpoint),
            // At each tick of a busy guest.
            DebugEvent::EpochYield => state.is_halted.then_some(Stop::Interrupt),
            DebugEvent::Trap(trap) => Some(Stop::Trap(*trap)),
            // A program that ends by its own will is not in trouble.
            DebugEvent::HostcallError(error) => (!error.is::<I32Exit>()).then_some(Stop::HostError),
            // Not in guests of this host.
            DebugEvent::Exception(_) => None,
        }
    }

    /// Stops a busy guest at its next instruction. Not where it is: the engine knows no place in a function before its first
    /// instruction, where this happens too, and takes one of another function for it.
    fn halt<T: 'static>(&self, store: StoreContextMut<'_, T>) {
        if let Some(Err(error)) = store.edit_breakpoints().map(|mut edit| edit.single_step(true)) {
            tracing::warn!("the guest cannot be stopped: {error}");
        }
    }

    /// Tells whether anybody wants the guest to stop at an instruction without a breakpoint.
    fn is_expected(&self) -> bool {
        let state = self.shared.lock();
        state.is_halted || state.is_step || self.is_stepping.load(Relaxed)
    }

    /// Lets the guest go on, to its next instruction or until something stops it.
    fn step<T: 'static>(&self, stopped: &mut Stopped<'_, T>, is_step: bool) {
        self.is_stepping.store(is_step, Relaxed);
        stopped.step(is_step);
    }
}

/// The guest that the debugger sees. When dropped it is seen no longer: it goes on, or its store is gone.
struct Seen<'a>(&'a Shared);

impl Drop for Seen<'_> {
    fn drop(&mut self) {
        self.0.leave();
    }
}
