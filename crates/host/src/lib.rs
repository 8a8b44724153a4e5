//! What a guest finds when it calls out: the one store type, and the one list of what is linked.
//!
//! In: an import call of a guest. Out: an answer, or a refusal in the interface's own error type. Next: `capabilities/*`.
//!
//! Invariant: what a [`Recipe`] does not grant cannot be reached. Nothing here reads the process's environment, files or sockets.

mod budget;
mod capabilities;
mod clocks;
mod ctx;
mod logging;
mod members;
mod next;
mod outbound;
mod recipe;
mod simulation;
mod sockets;
mod stand_in;
mod stdio;

pub mod link;

pub use budget::{Budget, Refusal};
pub use capabilities::Capabilities;
pub use ctx::{Caller, Ctx};
pub use members::{MEMBERS, add_to_linker as link_members};
pub use next::Next;
pub use outbound::{CallFuture, INTERNAL_SUFFIX, Outbound, Peers};
pub use recipe::{Environment, Folder, Recipe, RecipeError, Stdio};
pub use simulation::{Busy, Simulation};
pub use sockets::Sockets;
pub use stand_in::{Reply, ReplyFuture, Servers};
pub use stdio::LineSink;
