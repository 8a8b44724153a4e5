//! What tests of the program need: built guests, apps in temporary folders, a running `wharf`, and clients that can be rude to it.
//!
//! For tests only, so a helper that cannot do its part panics and says why. Nothing here waits for a time to pass: it waits for a
//! condition, and gives up after [`BOUND`].

mod app;
mod authority;
mod certificate;
mod guests;
mod http1;
mod http2;
mod output;
mod program;
mod server;
mod wait;

pub mod frames;
pub mod services;
pub mod tools;

pub use app::{App, service};
pub use authority::{Authority, Identity, Refused};
pub use certificate::Certificate;
pub use guests::guest;
pub use http1::{Broken, Head, Http1, Response};
pub use http2::{Connection, RequestBody, empty, full, piecewise};
pub use program::{Ended, Program};
pub use server::{Server, Up};
pub use wait::{BOUND, eventually, until, within};
