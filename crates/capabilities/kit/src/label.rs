//! Names: labels of a manifest, and where the data of one label lives.

use std::fmt;
use std::sync::Arc;

/// The longest label. Labels become parts of file names, of schemas and of subjects, where 63 is the least of the limits.
const LABEL_LEN_MAX: usize = 63;

/// A text that cannot be a label.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{label}` is no label: it {why}")]
pub struct LabelError {
    /// The text.
    pub label: String,
    /// What is wrong with it, as the end of a sentence.
    pub why: &'static str,
}

/// Checks that `label` can name a store: a lower-case letter, then lower-case letters, digits, `-` and `_`, 63 characters at most.
///
/// # Errors
/// What is wrong with it.
pub fn check_label(label: &str) -> Result<(), LabelError> {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_';
    let why = if label.is_empty() {
        "is empty"
    } else if label.len() > LABEL_LEN_MAX {
        "is longer than 63 characters"
    } else if !label.starts_with(|c: char| c.is_ascii_lowercase()) {
        "does not start with a lower-case letter"
    } else if !label.chars().all(plain) {
        "has characters other than lower-case letters, digits, `-` and `_`"
    } else {
        return Ok(());
    };
    Err(LabelError { label: label.to_owned(), why })
}

/// Where the data of one label lives within a backend. Two namespaces never overlap.
///
/// By default it is that of one label of one app. Only an operator makes two labels share one, by giving both bindings a name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Namespace {
    first: Arc<str>,
    second: Arc<str>,
}

impl Namespace {
    /// Returns the namespace of an app's own label. Both are known to be names: of an app, and a [label](check_label).
    pub fn own(app: &str, label: &str) -> Self {
        Self { first: app.into(), second: label.into() }
    }

    /// Returns the namespace that an operator named. No app has an empty name, so that it is nobody's own.
    pub fn shared(name: &str) -> Self {
        Self { first: "".into(), second: name.into() }
    }

    /// Returns the app whose own this is; absent for one that an operator named.
    pub fn app(&self) -> Option<&str> {
        (!self.first.is_empty()).then_some(&*self.first)
    }

    /// Returns the label, or the operator's name.
    pub fn name(&self) -> &str {
        &self.second
    }

    /// Returns the namespace with `separator` in the middle, for backends that keep it in front of each key. As neither part can
    /// contain a separator other than `-` and `_`, no namespace is the beginning of another one followed by the separator.
    pub fn joined(&self, separator: char) -> String {
        debug_assert!(!separator.is_ascii_alphanumeric() && separator != '-' && separator != '_');
        format!("{}{separator}{}", self.first, self.second)
    }
}

impl fmt::Display for Namespace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.app() {
            Some(app) => write!(f, "{app}/{}", self.second),
            None => write!(f, "{}", self.second),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_plain() {
        for good in ["default", "a", "orders-2024", "a_b"] {
            assert!(check_label(good).is_ok(), "{good}");
        }
        let long = "a".repeat(64);
        for bad in ["", "Default", "1a", "-a", "a/b", "a.b", "ä", "a b", "..", long.as_str()] {
            assert!(check_label(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_shared_namespace_is_nobodys_own() {
        assert_ne!(Namespace::shared("default"), Namespace::own("default", "default"));
        assert_ne!(Namespace::shared("b").joined(':'), Namespace::own("a", "b").joined(':'));
        assert_eq!(Namespace::own("shop", "orders").to_string(), "shop/orders");
    }
}
