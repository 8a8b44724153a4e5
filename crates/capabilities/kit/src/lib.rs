//! What every capability is made with: labels, grants, bindings, the gate that each call passes, and its numbers.
//!
//! In: what a manifest grants and an operator binds. Out: [`Granted`] labels, each a store behind a [`Gate`]. Next: a backend.
//!
//! Nothing here knows the engine, an interface or a backend: a capability brings its own `api` trait and its list of backends.

mod backend;
mod binding;
mod bounds;
mod error;
mod gate;
mod granted;
mod intercept;
mod label;
mod link;
mod names;
mod per_thread;
mod refusal;
mod setting;
mod usage;

pub use backend::{Backend, BackendError, Embedded, Open, Opened, settings};
pub use binding::{Binding, BindingError, Bindings, Bound, Declared};
pub use bounds::{Bounds, BoundsOverride};
pub use error::{Kind, Refused};
pub use gate::{Gate, Held, Payload};
pub use granted::{Access, Grant, Granted, Label, Who};
pub use intercept::{Intercepted, Interceptor, Pass, Site};
pub use label::Namespace;
pub use link::{Dial, Link, Links, Lost, NoConnection, Trouble};
pub use names::Names;
pub use per_thread::PerThread;
pub use refusal::Refusals;
pub use setting::{Period, Size};
pub use usage::{Counts, Tally, Usage, UsageTable};
pub use wharf_app::{LabelError, check_label};
