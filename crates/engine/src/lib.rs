//! From WebAssembly to machine code, and nothing that runs it.
//!
//! In: the bytes of a component. Out: [`Code`] for one of the [engines](Engine). Next: `runtime`, which links it and calls it.
//!
//! The rooms: [`Engine`] (one constructor) with its [`Ticker`] → [`Compiler`] (whole, in parts, or in a
//! [process of its own](CompilerProcess)) → [`Cache`], the only place where compiled code is read.

mod compile;
mod cwasm;
mod engine;
mod functions;
mod process;
mod ticker;
mod worker;

pub use compile::{Code, CompileError, Compiler, Kept, digest};
pub use cwasm::{Cache, CacheError};
pub use engine::{Engine, Lane, Settings, TICK, prepare_thread, stack_size};
pub use process::CompilerProcess;
pub use ticker::Ticker;
pub use worker::{WorkerError, compile_worker};
