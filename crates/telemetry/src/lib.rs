//! What happened, told to people: request ids, the log of guests and requests, and the clocks everyone reads.
//!
//! Depends on nothing else of ours, so that every other crate may use it.

pub mod clock;
pub mod log;
mod request_id;

pub use request_id::RequestId;
