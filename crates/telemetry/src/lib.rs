//! What happened, told to people: request ids, the log of guests and requests, errors and sizes in words, and the
//! clocks everyone reads.
//!
//! Depends on nothing else of ours, so that every other crate may use it.

mod chain;
pub mod clock;
pub mod log;
mod request_id;
mod size;

pub use chain::chain;
pub use request_id::RequestId;
pub use size::Size;
