//! Where HTTP requests may go: to another component of the app, or out.

use std::fmt;

use super::network::{HostPattern, Ports, split_port};
use crate::app::check_name;
use crate::pattern::PatternError;

/// What follows a component's name in the host name that calls it in process.
pub const INTERNAL_SUFFIX: &str = ".wharf.internal";

/// Returns the component that a request to this host name calls in process, in lower case, if it is such a name.
///
/// Whether the app has a component of that name, and whether it may be called, is another question. Every name below
/// `wharf.internal` is one that must never be looked up or connected to.
pub fn internal_component(host: &str) -> Option<String> {
    let host = host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase();
    host.strip_suffix(INTERNAL_SUFFIX).map(str::to_owned)
}

/// Where a component may send HTTP requests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HttpGrant {
    /// To a component of the same app, in process, at `http://COMPONENT.wharf.internal`.
    Internal {
        /// A component that the app has.
        component: String,
    },
    /// To a server.
    External(HttpPattern),
}

impl HttpGrant {
    /// Reads `http://NAME.wharf.internal` or `SCHEME://HOST[:PORTS]`; `*` is every server.
    ///
    /// Whether the app has a component of that name is for the caller to check.
    ///
    /// # Errors
    ///
    /// Why the text is no such grant.
    pub fn parse(text: &str) -> Result<Self, PatternError> {
        let (_, rest) = text.split_once("://").unwrap_or(("", text));
        let host = rest.trim_end_matches('/');
        let Some(component) = host.to_ascii_lowercase().strip_suffix(INTERNAL_SUFFIX).map(str::to_owned) else {
            return HttpPattern::parse(text).map(Self::External);
        };
        let help = "write `http://COMPONENT.wharf.internal`";
        if !text.starts_with("http://") {
            return Err(PatternError::new(0..text.len(), "a call in process has the scheme `http`").with_help(help));
        }
        check_name(&component).map_err(|why| {
            let start = "http://".len();
            PatternError::new(start..start + component.len(), format!("the name of the component {why}"))
                .with_help(help)
        })?;
        Ok(Self::Internal { component })
    }
}

impl fmt::Display for HttpGrant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Internal { component } => write!(f, "http://{component}{INTERNAL_SUFFIX}"),
            Self::External(pattern) => pattern.fmt(f),
        }
    }
}

/// Servers that HTTP requests may go to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpPattern {
    /// The schemes.
    pub scheme: Scheme,
    /// The hosts.
    pub host: HostPattern,
    /// The ports; `None` is the usual port of the request's scheme.
    pub ports: Option<Ports>,
}

/// The schemes of an HTTP grant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// Both.
    Any,
    /// `http` only.
    Http,
    /// `https` only.
    Https,
}

impl HttpPattern {
    /// Reads `https://example.com`, `http://*.example.com:8000-8100`, `*://10.0.0.0/8:*`, or `*` for everything.
    ///
    /// # Errors
    ///
    /// Why the text is no such pattern.
    pub fn parse(text: &str) -> Result<Self, PatternError> {
        if text == "*" {
            return Ok(Self { scheme: Scheme::Any, host: HostPattern::Any, ports: Some(Ports::ALL) });
        }
        let Some((scheme, rest)) = text.split_once("://") else {
            let error = PatternError::new(0..text.len(), "an HTTP grant needs a scheme");
            return Err(error.with_help(format!("write `https://{text}`")));
        };
        let start = scheme.len() + 3;
        let scheme = match scheme {
            "*" => Scheme::Any,
            "http" => Scheme::Http,
            "https" => Scheme::Https,
            _ => {
                let error = PatternError::new(0..scheme.len(), "the scheme is neither `http` nor `https`");
                return Err(error.with_help("other protocols need sockets: grant them in `net` as `HOST:PORT`"));
            }
        };
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        if let Some(at) = path_start(rest) {
            let error = PatternError::new(start + at..start + rest.len(), "an HTTP grant has no path");
            return Err(error.with_help("a grant covers the whole server; leave the path out"));
        }
        if let Some(at) = rest.find('@') {
            return Err(PatternError::new(start..start + at + 1, "an HTTP grant has no user name"));
        }
        let (host, ports) = split_port(rest);
        let ports_start = start + rest.len() - ports.unwrap_or_default().len();
        Ok(Self {
            scheme,
            host: HostPattern::parse(host).map_err(|error| error.offset_by(start))?,
            ports: ports.map(Ports::parse).transpose().map_err(|error| error.offset_by(ports_start))?,
        })
    }

    /// Returns whether a request to this server fits; `port` is the one that the URL names, if it does.
    ///
    /// Components of the app are no servers: [`HttpGrant::Internal`] grants them by name, and no pattern fits them.
    pub fn matches(&self, https: bool, host: &str, port: Option<u16>) -> bool {
        let usual = if https { 443 } else { 80 };
        let port = port.unwrap_or(usual);
        let scheme_fits = match self.scheme {
            Scheme::Any => true,
            Scheme::Http => !https,
            Scheme::Https => https,
        };
        let port_fits = self.ports.map_or(port == usual, |ports| ports.contains(port));
        scheme_fits && port_fits && self.host.matches(host) && internal_component(host).is_none()
    }
}

/// Returns where a path, query or fragment begins; the slash of a network's length begins none.
fn path_start(rest: &str) -> Option<usize> {
    let at = rest.find(['/', '?', '#'])?;
    let length: String = rest[at + 1..].chars().take_while(|c| !matches!(c, ':' | ']')).collect();
    let is_length = rest[at..].starts_with('/') && !length.is_empty() && length.bytes().all(|b| b.is_ascii_digit());
    let is_address = rest[..at].bytes().all(|b| b.is_ascii_hexdigit() || matches!(b, b'.' | b':' | b'[' | b']'));
    if is_length && is_address { None } else { Some(at) }
}

impl fmt::Display for HttpPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = match self.scheme {
            Scheme::Any => "*",
            Scheme::Http => "http",
            Scheme::Https => "https",
        };
        write!(f, "{scheme}://{}", self.host)?;
        self.ports.map_or(Ok(()), |ports| write!(f, ":{ports}"))
    }
}
