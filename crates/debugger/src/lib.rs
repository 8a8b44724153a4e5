//! Lets a debugger stop, step and look into a guest, by the remote protocol of GDB with LLDB's additions for WebAssembly.
//!
//! In: a [`Debuggee`] for each version of the component, and its stores. Out: answers to one debugger at a time. Next: `runtime` attaches
//! stores as it makes them.
//!
//! The rooms: [`server`] has the socket and the protocol's states → [`target`] has its questions → [`shared`] is where the server's thread
//! and the guest's meet → [`handler`] holds a guest that stopped and lets the server look into it → [`guest`] reads its store;
//! [`code`] knows the modules and their addresses.
//!
//! For a debugger that comes later, [`Dumps`] writes what a guest knew when it trapped.
//!
//! The process that a debugger sees is the component, not a store: breakpoints outlive the request that they stopped, and between two
//! requests the process runs without a stack.

mod code;
mod dump;
mod guest;
mod handler;
mod server;
mod shared;
mod target;

pub use dump::{DumpError, Dumps};
pub use handler::Debuggee;
pub use server::Debugger;

/// A debugger that cannot be served.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The address is taken, or not ours.
    #[error("cannot listen for a debugger on {address}")]
    Listen {
        /// Where.
        address: std::net::SocketAddr,
        /// Why not.
        source: std::io::Error,
    },
    /// The engine that compiled the component keeps nothing that a debugger needs.
    #[error("the component cannot be debugged")]
    Code(#[source] Box<dyn std::error::Error + Send + Sync>),
}
