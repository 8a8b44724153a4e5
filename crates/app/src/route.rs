//! Routes: which HTTP requests from outside a trigger answers.
//!
//! A route is a host, a path pattern and methods; a request must fit all three. This is the one place that says which
//! route wins when several fit:
//!
//! 1. **Host.** A route for exactly this host beats a route for `*.suffix`, the longest suffix first; a route without a
//!    host comes last. `*.suffix` stands for one or more names before the suffix, not for the suffix itself.
//! 2. **Path.** Paths are compared segment by segment from the left: a literal segment beats a `:param`, which beats the
//!    trailing `...`; so the longest prefix before `...` wins. The first difference decides.
//! 3. **Method.** Where both fit, a route that names `HEAD` beats one that answers it because it names `GET`.
//!
//! A route whose methods do not fit is passed over as if it were not there. Only when every route that fits host and
//! path is passed over is the answer "method not allowed".
//!
//! An app that names a host owns it: requests for that host never fall through to the routes that *another* app has for
//! a `*.suffix` or for every host. They do fall through to the app's own.
//!
//! Paths are compared byte by byte as they arrive: percent-encoding is not decoded, letter case counts, `//` is an empty
//! segment that only an empty literal segment or `...` fits, `.` and `..` are ordinary segments, and `/a` and `/a/` are
//! two paths. A `:param` stands for exactly one segment that is not empty. `/a/...` fits `/a`, `/a/` and `/a/b/c`, not
//! `/ab`.
//!
//! Two routes that answer the same requests and are equally specific are a conflict, refused when the manifest is read.
//! Names of params make no difference.

use std::fmt;
use std::net::Ipv6Addr;

use crate::pattern::{PatternError, check_host_name};

mod conflicts;
mod path;

pub use conflicts::Conflicts;
pub use path::{PathPattern, Segment};

/// The requests that a trigger answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// The hosts.
    pub host: RouteHost,
    /// The paths.
    pub path: PathPattern,
    /// The methods.
    pub methods: Methods,
}

impl Route {
    /// Returns whether both answer the same requests and neither is more specific.
    pub fn conflicts_with(&self, other: &Self) -> bool {
        self.host == other.host && self.path.has_shape_of(&other.path) && self.methods.overlaps(&other.methods)
    }
}

/// Writes `[METHODS ]HOST/PATH`, as in `GET,POST *.example.com/users/:id`.
impl fmt::Display for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Methods::Only(methods) = &self.methods {
            write!(f, "{} ", methods.join(","))?;
        }
        match &self.host {
            RouteHost::Any => {}
            RouteHost::Exact(name) => f.write_str(name)?,
            RouteHost::Suffix(suffix) => write!(f, "*.{suffix}")?,
        }
        f.write_str(self.path.as_str())
    }
}

/// The hosts of a route; names are in lower case, without port and without trailing dot.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RouteHost {
    /// Every host.
    Any,
    /// Every name that ends with a dot and this suffix, which is kept without its leading `*.`.
    Suffix(String),
    /// This name; an IPv6 address has its brackets.
    Exact(String),
}

impl RouteHost {
    /// Reads `example.com`, `*.example.com` or `[::1]`.
    ///
    /// # Errors
    ///
    /// Why the text is no such host.
    pub fn parse(text: &str) -> Result<Self, PatternError> {
        let whole = 0..text.len();
        if text == "*" {
            return Err(PatternError::new(whole, "a route for every host has no `host`").with_help("leave `host` out"));
        }
        if let Some(address) = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            let address: Ipv6Addr =
                address.parse().map_err(|_| PatternError::new(whole, "is no IPv6 address between its brackets"))?;
            return Ok(Self::Exact(format!("[{address}]")));
        }
        if let Some(colon) = text.find(':') {
            let error = PatternError::new(colon..text.len(), "the host of a route has no port");
            return Err(error.with_help("a route answers on every port that the node listens on; leave the port out"));
        }
        let text = text.strip_suffix('.').unwrap_or(text);
        let (suffix, name) = match text.strip_prefix("*.") {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        check_host_name(name).map_err(|error| error.offset_by(text.len() - name.len()))?;
        let name = name.to_ascii_lowercase();
        Ok(if suffix { Self::Suffix(name) } else { Self::Exact(name) })
    }
}

/// The methods of a route.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Methods {
    /// Every method.
    Any,
    /// These, in upper case, sorted, at least one.
    Only(Vec<String>),
}

impl Methods {
    /// Returns the methods with these names, sorted and without repetitions. An empty list fits no request.
    pub fn only(names: impl IntoIterator<Item = String>) -> Self {
        let mut names: Vec<String> = names.into_iter().collect();
        names.sort_unstable();
        names.dedup();
        Self::Only(names)
    }

    /// Returns whether a method is named, or all are.
    ///
    /// `HEAD` has to be named too: that a route for `GET` answers it as well is the router's doing.
    pub fn contains(&self, method: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Only(names) => names.iter().any(|name| name == method),
        }
    }

    /// Returns whether some method is in both.
    pub fn overlaps(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Any, _) | (_, Self::Any) => true,
            (Self::Only(names), other) => names.iter().any(|name| other.contains(name)),
        }
    }
}

#[cfg(test)]
mod tests;
