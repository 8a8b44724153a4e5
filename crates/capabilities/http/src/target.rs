//! The URL of a request as the server that it goes to.

use crate::Error;
use http::Uri;
use http::uri::Scheme;
use std::fmt;
use std::net::IpAddr;

/// The longest name that DNS has.
const NAME_LEN_MAX: usize = 253;

/// A server: what a request is checked by, and what a connection is kept by.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Target {
    /// Whether TLS is spoken.
    pub https: bool,
    /// The name in lower case, or the address without brackets.
    pub host: String,
    /// The port.
    pub port: u16,
}

impl Target {
    /// Reads the server of a URL.
    ///
    /// # Errors
    /// [`Error::InvalidUrl`].
    pub fn of(uri: &Uri) -> Result<Self, Error> {
        let https = match uri.scheme() {
            Some(scheme) if *scheme == Scheme::HTTPS => true,
            Some(scheme) if *scheme == Scheme::HTTP => false,
            _ => return Err(Error::InvalidUrl("its scheme is neither http nor https")),
        };
        let authority = uri.authority().ok_or(Error::InvalidUrl("it has no host"))?;
        // A name before an `@` is for people to be misled by; it would not be sent.
        if authority.as_str().contains('@') {
            return Err(Error::InvalidUrl("it has a user name"));
        }
        let port = match (authority.port(), authority.as_str().ends_with(':')) {
            (Some(port), _) => Some(port.as_u16()),
            (None, true) => return Err(Error::InvalidUrl("its port is empty")),
            (None, false) => None,
        };
        if port == Some(0) {
            return Err(Error::InvalidUrl("its port is 0"));
        }
        let host = match authority.host().strip_prefix('[') {
            Some(rest) => {
                let address = rest.strip_suffix(']').and_then(|bare| bare.parse::<IpAddr>().ok());
                address.ok_or(Error::InvalidUrl("what is in brackets is no address"))?.to_string()
            }
            None => authority.host().to_ascii_lowercase(),
        };
        if host.trim_end_matches('.').is_empty() || host.len() > NAME_LEN_MAX {
            return Err(Error::InvalidUrl("its host is empty or too long"));
        }
        Ok(Self { https, host, port: port.unwrap_or(usual_port(https)) })
    }

    /// Returns the address, if the host is one.
    pub fn address(&self) -> Option<IpAddr> {
        self.host.parse().ok()
    }

    /// Returns the value of the `host` header.
    pub fn authority(&self) -> String {
        let host = self.bracketed();
        if self.port == usual_port(self.https) { host } else { format!("{host}:{}", self.port) }
    }

    /// Returns the name that a certificate must have: without the dot that ends a full name.
    pub(crate) fn certificate_name(&self) -> &str {
        self.host.strip_suffix('.').unwrap_or(&self.host)
    }

    fn bracketed(&self) -> String {
        if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", if self.https { "https" } else { "http" }, self.authority())
    }
}

fn usual_port(https: bool) -> u16 {
    if https { 443 } else { 80 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(url: &str, expected: &str) {
        let found = match Target::of(&url.parse().unwrap()) {
            Ok(target) => format!("{target} {}", target.port),
            Err(error) => error.to_string(),
        };
        assert_eq!(found, expected, "{url}");
    }

    #[test]
    fn urls_are_servers() {
        check("http://Example.COM/a?b", "http://example.com 80");
        check("https://example.com", "https://example.com 443");
        check("https://example.com:80/", "https://example.com:80 80");
        check("https://example.com:443/", "https://example.com 443");
        check("http://[0:0::1]:8080/", "http://[::1]:8080 8080");
        check("http://10.0.0.1/", "http://10.0.0.1 80");
        check("http://example.com./", "http://example.com. 80");
    }

    #[test]
    fn what_is_no_server_is_refused() {
        for (url, why) in [
            ("/path", "its scheme is neither http nor https"),
            ("ftp://example.com/", "its scheme is neither http nor https"),
            ("http://example.com@10.0.0.1/", "it has a user name"),
            ("http://example.com:0/", "its port is 0"),
            ("http://[fe80::1%25eth0]/", "what is in brackets is no address"),
            ("http://./", "its host is empty or too long"),
        ] {
            if let Ok(uri) = url.parse::<Uri>() {
                let found = Target::of(&uri).map_err(|error| error.to_string());
                assert_eq!(found, Err(format!("no request can be sent to this URL: {why}")), "{url}");
            }
        }
        let long = format!("http://{}/", "a.".repeat(127));
        assert!(Target::of(&long.parse().unwrap()).is_err());
    }
}
