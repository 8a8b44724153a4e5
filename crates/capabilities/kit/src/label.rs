//! Where the data of one label lives.

use std::fmt;
use std::sync::Arc;

/// Where the data of one label lives within a backend. Two namespaces never overlap.
///
/// By default it is that of one label of one app. Only an operator makes two labels share one, by giving both bindings a name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Namespace {
    first: Arc<str>,
    second: Arc<str>,
}

impl Namespace {
    /// Returns the namespace of an app's own label. Both are known to be names: of an app, and a [label](crate::check_label).
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
    fn a_shared_namespace_is_nobodys_own() {
        assert_ne!(Namespace::shared("default"), Namespace::own("default", "default"));
        assert_ne!(Namespace::shared("b").joined(':'), Namespace::own("a", "b").joined(':'));
        assert_eq!(Namespace::own("shop", "orders").to_string(), "shop/orders");
    }
}
