//! Turns an event from outside into an invocation, one file for each kind of event.
//!
//! In: a request with its route, from `gateway`, or a call of one component to another, from `host`. Out: a response. Next: `runtime`.

mod body;
mod error_page;
mod forwarded;
mod internal;

pub mod http;

pub use body::{Body, BodyError, Overrun};
pub use error_page::{Asked, ErrorCode, ErrorPage, Problem};
pub use forwarded::Forwarding;
pub use internal::{Chain, Resolve, SameApp};
