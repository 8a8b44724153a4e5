//! Runs the tests of an app: each on trial, with stores, servers and clocks of its own.
//!
//! In: an app and its `tests` folder. Out: [`Ran`], one for each test, and test files with what was learnt. Next: [`wharf_node::Trial`].
//!
//! What tests say and how reports look is in `testing`, which knows no engine; here is what needs one. Prints nothing: whoever runs tests is
//! told of each as soon as it and all before it are done.

mod bench;
mod capture;
mod discover;
mod error;
mod faults;
mod learn;
mod observe;
mod runner;
mod servers;

pub use bench::{Bench, Mode};
pub use discover::{FOLDER, Found, Tests};
pub use error::{Error, WrongFile};
pub use learn::learn;
pub use runner::{Ran, run};
