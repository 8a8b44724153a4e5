//! One file for each command.

pub(crate) mod add;
pub(crate) mod build;
pub(crate) mod call;
pub(crate) mod compile;
pub(crate) mod completions;
pub(crate) mod compose;
pub(crate) mod dev;
pub(crate) mod diff;
pub(crate) mod doctor;
pub(crate) mod explain;
pub(crate) mod inspect;
pub(crate) mod new;
pub(crate) mod run;
pub(crate) mod schema;
pub(crate) mod secrets;
pub(crate) mod templates;
pub(crate) mod test;
pub(crate) mod up;
pub(crate) mod wit;
