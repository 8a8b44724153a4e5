//! Runs components: bytes in, answers out, within limits.
//!
//! In: an invocation from `trigger`. Out: a response, an exit code or values, or a [`Failure`] with its cause. Next: `host`.
//!
//! The rooms, in the order of the path: [`Engine`] (one constructor) → [`Runtime::load`] (compile, cache, link) → [`Component`] →
//! admission → a store and an instance → the call, metered → the answer's body, which drives the guest while it is read.
//!
//! Invariants: a store serves one request (or, if its component opted in, a bounded number) and is dropped after any trap, time-out,
//! panic or refusal; a guest gives the core back after a tick, a reused one after a tick and a quarter.

mod admit;
mod bodies;
mod body;
mod component;
mod dependency;
mod diagnose;
mod instance;
mod limits;
mod load;
mod meter;
mod outcome;
mod pool;
mod profile;
mod trace;
mod turns;

pub mod invoke;

pub use body::GuestBody;
pub use component::{Component, Identity};
pub use dependency::Dependency;
pub use diagnose::{Debugged, Diagnostics};
pub use invoke::http::Call;
pub use limits::{Limits, Reuse};
pub use load::{LoadError, Loaded, Runtime, Source};
pub use outcome::{Cause, Failure};
pub use profile::{Profile, Profiles};
pub use trace::explain;
pub use turns::pump;
pub use wharf_debugger::{Debugger, DumpError, Dumps, Error as DebuggerError};
pub use wharf_engine::{
    Cache, CacheError, CompilerProcess, Engine, Lane, Settings, TICK, Ticker, WorkerError, compile_worker, digest,
    prepare_thread, stack_size,
};
