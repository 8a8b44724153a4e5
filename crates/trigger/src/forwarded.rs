//! Which headers about the way of a request a guest may believe: those that Wharf wrote.
//!
//! In: the headers of a client. Out: the same without what a client could have made up, and with what is known of the connection.
//! Source: RFC 7239 (`Forwarded`), and the `X-Forwarded-*` names that it replaced and everybody still reads.
//!
//! Invariant: unless the client's address is a proxy that the operator trusts, nothing it says about the way is passed on.

use http::header::{FORWARDED, HeaderMap, HeaderName, HeaderValue};
use std::net::{IpAddr, SocketAddr};

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const X_REAL_IP: HeaderName = HeaderName::from_static("x-real-ip");

/// What the names of proxies' headers start with. Beside those above there are `-host`, `-port`, `-prefix`, `-ssl`,
/// `-scheme` and more, and some framework believes each of them.
const X_FORWARDED_PREFIX: &str = "x-forwarded-";

/// Names that belong to Wharf: what a route matched. A client's are removed.
pub(crate) const OWN_PREFIX: &str = "wharf-";

/// What is known of one connection, as header values made once.
#[derive(Clone, Debug)]
pub struct Forwarding {
    trusted: bool,
    address: HeaderValue,
    element: HeaderValue,
    scheme: HeaderValue,
}

impl Forwarding {
    /// Describes a connection from `client`. `trusted`: the client is a proxy whose word is taken.
    pub fn new(client: SocketAddr, secure: bool, trusted: bool) -> Self {
        let ip = client.ip().to_canonical();
        let scheme = if secure { "https" } else { "http" };
        let node = match ip {
            IpAddr::V4(ip) => ip.to_string(),
            IpAddr::V6(ip) => format!("\"[{ip}]\""),
        };
        let value = |text: String| HeaderValue::try_from(text).unwrap_or_else(|_| HeaderValue::from_static("unknown"));
        Self {
            trusted,
            address: value(ip.to_string()),
            element: value(format!("for={node};proto={scheme}")),
            scheme: HeaderValue::from_static(scheme),
        }
    }

    /// Tells whether the client is a proxy whose word is taken.
    pub fn is_trusted(&self) -> bool {
        self.trusted
    }

    /// Rewrites the headers of one request.
    pub(crate) fn apply(&self, headers: &mut HeaderMap) {
        if self.trusted {
            remove(headers, |name| name.as_str().starts_with(OWN_PREFIX));
            extend(headers, FORWARDED, &self.element);
            extend(headers, X_FORWARDED_FOR, &self.address);
            headers.entry(X_FORWARDED_PROTO).or_insert_with(|| self.scheme.clone());
            return;
        }
        remove(headers, |name| {
            let text = name.as_str();
            text.starts_with(OWN_PREFIX) || text.starts_with(X_FORWARDED_PREFIX) || *name == X_REAL_IP
        });
        headers.insert(FORWARDED, self.element.clone());
        headers.insert(X_FORWARDED_FOR, self.address.clone());
        headers.insert(X_FORWARDED_PROTO, self.scheme.clone());
    }
}

/// Appends an element to a list header, as a proxy on the way does.
fn extend(headers: &mut HeaderMap, name: HeaderName, element: &HeaderValue) {
    let mut list = Vec::new();
    for value in headers.get_all(&name) {
        list.extend_from_slice(value.as_bytes());
        list.extend_from_slice(b", ");
    }
    list.extend_from_slice(element.as_bytes());
    let value = HeaderValue::from_bytes(&list).unwrap_or_else(|_| element.clone());
    headers.insert(name, value);
}

/// Removes the headers whose name is one of these. Allocates only when there are some.
fn remove(headers: &mut HeaderMap, is_one: impl Fn(&HeaderName) -> bool) {
    let names: Vec<HeaderName> = headers.keys().filter(|name| is_one(name)).cloned().collect();
    for name in names {
        headers.remove(name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rewritten(client: &str, trusted: bool, headers: &[(&'static str, &'static str)]) -> Vec<String> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        Forwarding::new(client.parse().unwrap(), true, trusted).apply(&mut map);
        let mut lines: Vec<_> =
            map.iter().map(|(name, value)| format!("{name}: {}", value.to_str().unwrap())).collect();
        lines.sort();
        lines
    }

    const SPOOF: &[(&str, &str)] = &[
        ("forwarded", "for=1.1.1.1"),
        ("x-forwarded-for", "1.1.1.1"),
        ("x-forwarded-host", "bank.example"),
        ("x-forwarded-prefix", "/admin"),
        ("x-forwarded-proto", "http"),
        ("x-real-ip", "1.1.1.1"),
        ("wharf-param-id", "7"),
        ("accept", "*/*"),
    ];

    #[test]
    fn a_client_cannot_make_up_where_it_comes_from() {
        assert_eq!(
            rewritten("192.0.2.7:5", false, SPOOF),
            [
                "accept: */*",
                "forwarded: for=192.0.2.7;proto=https",
                "x-forwarded-for: 192.0.2.7",
                "x-forwarded-proto: https"
            ]
        );
    }

    #[test]
    fn a_trusted_proxy_is_believed_and_added_to_the_list() {
        assert_eq!(
            rewritten("[2001:db8::1]:5", true, SPOOF),
            [
                "accept: */*",
                "forwarded: for=1.1.1.1, for=\"[2001:db8::1]\";proto=https",
                "x-forwarded-for: 1.1.1.1, 2001:db8::1",
                "x-forwarded-host: bank.example",
                "x-forwarded-prefix: /admin",
                "x-forwarded-proto: http",
                "x-real-ip: 1.1.1.1",
            ]
        );
    }

    #[test]
    fn a_mapped_address_is_shown_as_the_ipv4_address_it_is() {
        assert_eq!(rewritten("[::ffff:192.0.2.7]:5", false, &[])[0], "forwarded: for=192.0.2.7;proto=https");
    }
}
