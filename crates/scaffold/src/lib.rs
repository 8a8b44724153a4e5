//! What `wharf new` and `wharf add` write: templates, where they come from, and how they become files.
//!
//! In: the name of a template, a folder or a git URL, and values. Out: files in a folder, and a manifest with one more component.
//! Next: `cli`, which says what was written and what to do with it.
//!
//! A template may come from a stranger: no path of it leaves the target folder, nothing of it is run, and everything has a bound.

mod add;
mod bindings;
mod catalog;
mod description;
mod error;
mod files;
mod git;
mod interfaces;
mod path;
mod render;
mod template;
mod write;

pub use add::{Addition, add_component};
pub use bindings::Bindings;
pub use catalog::{Wanted, catalog};
pub use description::{Description, Variable};
pub use error::Error;
pub use render::{Rendered, Values};
pub use template::{Origin, Template};
pub use write::write;

/// The file of a template that says what it is.
pub const DESCRIPTION: &str = "template.toml";

/// The files that the program carries, by their paths.
mod embedded {
    include!(concat!(env!("OUT_DIR"), "/embedded.rs"));
}
