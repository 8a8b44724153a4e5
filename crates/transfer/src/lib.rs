//! Moves what functions take and return from one store to another: values, resources, streams and futures.
//!
//! In: values of the store that has them, and the [`Signature`] of the function. Out: [`Carried`] between the stores, and the same in the
//! other one. Next: `runtime`, which calls the function there.
//!
//! Values are copied. Resources stay where they are: the other side gets a resource of the host that stands for one ([`Held`]). Streams and
//! futures are carried on, piece by piece, after the call too. What its reader does not take ends, or is dropped, in the store that made it.
//!
//! Both stores are on one thread, and neither waits for the other while it holds a lock.

mod broken;
mod carry;
mod fallback;
mod flow;
mod handed;
mod handles;
mod held;
mod payload;
mod pump;
mod shape;
mod shared;
mod signature;
mod slot;

pub use broken::{Broken, Wait};
pub use carry::Carried;
pub use held::Held;
pub use pump::Workshop;
pub use shared::{AtWork, Busy, Line, Open, Shared};
pub use signature::{Resources, Signature};

/// The other side of a call failed, and its interface has no error to say so.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Failed(pub String);
