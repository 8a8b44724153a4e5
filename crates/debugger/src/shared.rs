//! Where the thread that talks to the debugger and the threads that run guests meet.
//!
//! Invariant: nobody waits with the lock held but on its condition variable, and a thread that runs guests never waits on that.

use crate::code::Code;
use crate::guest::Guest;
use std::collections::{BTreeSet, VecDeque};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::mpsc;
use wasmtime::Trap;

/// How long a guest that is asked to stop may take until the debugger is told that it has no stack: one that waits in a host call does not
/// stop before it goes on.
const PATIENCE: Duration = Duration::from_millis(200);

/// How long a program may take to its first instruction.
const START: Duration = Duration::from_secs(10);

/// Bytes of the debugger that wait to be read: more is not taken from the socket.
const INPUT_BYTES: usize = 256 << 10;

/// Why a guest stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    /// At a breakpoint.
    Breakpoint,
    /// After a step, or at its first instruction.
    Step,
    /// The debugger asked.
    Interrupt,
    /// It trapped; it ends when it goes on.
    Trap(Trap),
    /// A host call ended it.
    HostError,
}

/// One look into a guest that stopped.
pub(crate) type Look = Box<dyn FnOnce(&mut dyn Guest) + Send>;

/// What a guest that stopped is to do.
pub(crate) enum Work {
    /// Be looked at.
    Look(Look),
    /// Go on.
    Resume {
        /// To the next instruction only.
        is_step: bool,
    },
}

/// What happened that the server's thread waited for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Event {
    /// The debugger sent a byte.
    Byte(u8),
    /// A guest stopped.
    Stopped(Stop),
    /// The component will not run again, or is another one now.
    Ended(u8),
    /// The debugger left.
    Closed,
}

#[derive(Default)]
pub(crate) struct State {
    /// The version that is debugged. Guests of earlier ones run to their ends.
    pub(crate) code: Option<Arc<Code>>,
    /// Whether a debugger is there.
    pub(crate) is_attached: bool,
    /// Whether guests must stop.
    pub(crate) is_halted: bool,
    /// Whether the next guest stops at its first instruction.
    pub(crate) is_step: bool,
    pub(crate) breakpoints: BTreeSet<(u32, u32)>,
    /// Stores that are alive.
    pub(crate) stores: usize,
    /// The guest that stopped.
    pub(crate) guest: Option<mpsc::Sender<Work>>,
    /// Why, until the debugger is told.
    stop: Option<Stop>,
    /// Whether a program waits for the debugger before it starts, until its first instruction.
    is_waiting: bool,
    ended: Option<u8>,
    input: VecDeque<u8>,
    is_closed: bool,
}

/// What both sides share.
#[derive(Default)]
pub(crate) struct Shared {
    state: Mutex<State>,
    changed: Condvar,
    /// Held by the guest that the debugger sees. Others of the component that stop meanwhile wait for it.
    pub(crate) turn: tokio::sync::Mutex<()>,
}

impl Shared {
    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts a version in the place of the one before, whose addresses the debugger knows: it has to attach again.
    pub(crate) fn replace(&self, code: Arc<Code>) {
        let mut state = self.lock();
        let version = code.version;
        let before = state.code.replace(code);
        if before.as_ref().is_some_and(|before| before.version == version) {
            return;
        }
        state.breakpoints.clear();
        state.guest = None;
        if state.is_attached && before.is_some() {
            tracing::info!("the debugged component is another one now; the debugger has to attach again");
            state.ended = Some(0);
        }
        self.changed.notify_all();
    }

    // === the guest's side ===

    /// Takes the place of the guest that the debugger sees. Tells whether there is a debugger to see it.
    pub(crate) fn arrive(&self, version: u64, stop: Stop, guest: mpsc::Sender<Work>) -> bool {
        let mut state = self.lock();
        if !state.is_attached || state.code.as_ref().is_none_or(|code| code.version != version) {
            return false;
        }
        state.guest = Some(guest);
        // One that stops because the debugger halted all is where the debugger expects it, which knows already.
        state.stop = (!state.is_halted).then_some(stop);
        state.is_halted = true;
        state.is_step = false;
        state.is_waiting = false;
        self.changed.notify_all();
        true
    }

    pub(crate) fn leave(&self) {
        let mut state = self.lock();
        state.guest = None;
        self.changed.notify_all();
    }

    pub(crate) fn store_ended(&self) {
        self.lock().stores -= 1;
        self.changed.notify_all();
    }

    /// Says that a program will start when a debugger is there. A debugger that comes sees it at its first instruction.
    pub(crate) fn expect_debugger(&self) {
        self.lock().is_waiting = true;
    }

    /// Blocks until a debugger is there.
    pub(crate) fn wait_for_debugger(&self) {
        drop(self.changed.wait_while(self.lock(), |state| !state.is_attached));
    }

    /// Tells the debugger that the component will not run again, and waits until it knows.
    pub(crate) fn end(&self, code: u8) {
        let mut state = self.lock();
        if !state.is_attached {
            return;
        }
        state.ended = Some(code);
        self.changed.notify_all();
        let told = self.changed.wait_timeout_while(state, PATIENCE, |state| state.is_attached);
        drop(told);
    }

    // === the server's side ===

    /// Begins a session: all guests stop.
    pub(crate) fn attach(&self) {
        let mut state = self.lock();
        state.is_attached = true;
        state.is_halted = true;
        state.is_closed = false;
        state.ended = None;
        state.stop = None;
        state.input.clear();
        let patience = if state.is_waiting { START } else { PATIENCE };
        let is_coming = |state: &mut State| state.guest.is_none() && (state.is_waiting || state.stores > 0);
        self.changed.notify_all();
        drop(self.changed.wait_timeout_while(state, patience, is_coming));
    }

    /// Ends a session: guests go on, without breakpoints.
    pub(crate) fn detach(&self) {
        let mut state = self.lock();
        state.is_attached = false;
        state.is_halted = false;
        state.is_step = false;
        state.breakpoints.clear();
        state.guest = None;
        state.stop = None;
        self.changed.notify_all();
    }

    /// Takes bytes of the debugger. Blocks while too many wait.
    pub(crate) fn received(&self, bytes: &[u8]) {
        let state = self.lock();
        let is_full = |state: &mut State| state.is_attached && state.input.len() >= INPUT_BYTES;
        let mut state = self.changed.wait_while(state, is_full).unwrap_or_else(PoisonError::into_inner);
        state.input.extend(bytes);
        self.changed.notify_all();
    }

    pub(crate) fn closed(&self) {
        self.lock().is_closed = true;
        self.changed.notify_all();
    }

    /// Waits for what happens next. While guests are halted, that is only what the debugger sends, or its end.
    pub(crate) fn next(&self) -> Event {
        let mut state = self.lock();
        loop {
            if let Some(byte) = state.input.pop_front() {
                if state.input.is_empty() {
                    self.changed.notify_all();
                }
                return Event::Byte(byte);
            }
            if let Some(stop) = state.stop.take() {
                return Event::Stopped(stop);
            }
            if let Some(code) = state.ended {
                return Event::Ended(code);
            }
            if state.is_closed {
                return Event::Closed;
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Halts all guests, and waits a moment for one to stop.
    pub(crate) fn interrupt(&self) {
        let mut state = self.lock();
        state.is_halted = true;
        let is_coming = |state: &mut State| state.guest.is_none() && state.stores > 0 && !state.is_closed;
        let waited = self.changed.wait_timeout_while(state, PATIENCE, is_coming);
        drop(waited);
    }

    /// Lets guests go on.
    pub(crate) fn resume(&self, is_step: bool) {
        let mut state = self.lock();
        state.is_halted = false;
        state.stop = None;
        let guest = state.guest.take();
        state.is_step = is_step && guest.is_none();
        drop(state);
        // The guest is gone if its client is: then there is nobody to go on.
        let _ = guest.map(|guest| guest.blocking_send(Work::Resume { is_step }));
    }

    /// Asks the guest that stopped, if one did.
    pub(crate) fn ask<R: Send + 'static>(&self, look: impl FnOnce(&mut dyn Guest) -> R + Send + 'static) -> Option<R> {
        let guest = self.lock().guest.clone()?;
        let (sender, answer) = std::sync::mpsc::sync_channel(1);
        let look = move |guest: &mut dyn Guest| {
            // Nobody waits for an answer whose session ended.
            let _ = sender.send(look(guest));
        };
        guest.blocking_send(Work::Look(Box::new(look))).ok()?;
        answer.recv().ok()
    }
}
