//! Variables of an app: what the manifest declares, what whoever runs the app gives, and what comes of both.
//!
//! In: an [`App`] with templates, and what is given, from the strongest source to the weakest. Out: the app without a variable in it,
//! or every variable that has no value. Pure: who calls reads the environment and the files.

mod dotenv;
mod file;
mod fill;
mod given;

pub use dotenv::parse_dotenv;
pub use file::parse_variables;
pub use given::{Given, LineError, environment_name};

use wharf_problem::Span;

/// Bytes that the value of a variable, or a text that variables were filled in to, may have: a chain of certificates with its key has
/// 10 KiB.
pub(crate) const VALUE_LEN_MAX: usize = 64 << 10;

/// One variable that the manifest declares.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Variable {
    /// Lower-case letters, digits and `-`; unique.
    pub name: String,
    /// The value when nobody gives one. A secret has none.
    pub default: Option<String>,
    /// Whether the app is not run without a value. Always so for what is neither secret nor has a default.
    pub required: bool,
    /// Whether the value is only shown to components that are granted it by the secrets capability.
    pub secret: bool,
    /// Where the manifest has its name.
    pub span: Span,
}

#[cfg(test)]
mod tests;
