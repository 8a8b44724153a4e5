//! Who may look at each call before it is made: for tests of apps, in which calls fail or are slow at will.
//!
//! In: which call it is. Out: whether it is made. Next: the backend.
//!
//! A gate without one pays for the look at an absent pointer.

use crate::{Bounds, Refused};
use std::any::Any;
use std::pin::Pin;

/// Which call it is.
#[derive(Clone, Copy, Debug)]
pub struct Site<'a> {
    /// The capability, such as `keyvalue`.
    pub capability: &'static str,
    /// The label.
    pub label: &'a str,
    /// What the interface calls it, such as `get`.
    pub operation: &'static str,
    /// Within which the call stays.
    pub bounds: Bounds,
}

/// Held until the call is over.
pub type Pass = Box<dyn Any + Send>;

/// What becomes of a call, some time later.
pub type Intercepted<'a> = Pin<Box<dyn Future<Output = Result<Pass, Refused>> + Send + 'a>>;

/// Looks at each call before it is made.
pub trait Interceptor: Send + Sync {
    /// Lets a call through, at once or later, or refuses it. Dropping the future gives the call up.
    fn before<'a>(&'a self, site: Site<'a>) -> Intercepted<'a>;
}
