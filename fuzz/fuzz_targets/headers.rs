//! Any client and any headers: what a guest is told about the way of a request is what Wharf knows of it.

#![no_main]

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use arbitrary::Arbitrary;
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use libfuzzer_sys::fuzz_target;
use wharf_app::{Methods, PathPattern, Route, RouteHost};
use wharf_telemetry::RequestId;

use forwarded::{Forwarding, OWN_PREFIX};
use router::{Match, Router};

#[path = "../../crates/trigger/src/forwarded.rs"]
mod forwarded;
#[rustfmt::skip]
#[path = "../../crates/gateway/src/router.rs"]
#[allow(dead_code, reason = "only the host of a request matters here")]
mod router;

/// Names that say something about the way of a request, and their neighbours that do not.
const NAMES: [&str; 16] = [
    "forwarded",
    "x-forwarded-for",
    "x-forwarded-proto",
    "x-forwarded-host",
    "x-forwarded-port",
    "x-forwarded-prefix",
    "x-forwarded-ssl",
    "x-forwarded-",
    "x-real-ip",
    "x-forwarded",
    "wharf-",
    "wharf-param-id",
    "wharf",
    "xwharf-a",
    "accept",
    "host",
];

#[derive(Arbitrary, Debug)]
struct Input<'a> {
    client: IpAddr,
    mapped: bool,
    port: u16,
    secure: bool,
    trusted: bool,
    headers: Vec<(Name<'a>, &'a [u8])>,
    authority: &'a str,
    request_id: &'a str,
}

#[derive(Arbitrary, Debug)]
enum Name<'a> {
    Known(u8),
    Own(&'a [u8]),
    Any(&'a [u8]),
}

/// The values of each name, in order.
type Values = BTreeMap<String, Vec<Vec<u8>>>;

fuzz_target!(|input: Input<'_>| {
    check_forwarding(&input);
    check_request_id(input.request_id);
    check_authority(input.authority);
});

fn check_forwarding(input: &Input<'_>) {
    let mut headers = HeaderMap::new();
    for (name, value) in &input.headers {
        let name = match name {
            Name::Known(at) => Ok(HeaderName::from_static(NAMES[usize::from(*at) % NAMES.len()])),
            Name::Own(rest) => HeaderName::from_bytes(&[OWN_PREFIX.as_bytes(), rest].concat()),
            Name::Any(bytes) => HeaderName::from_bytes(bytes),
        };
        if let (Ok(name), Ok(value)) = (name, HeaderValue::from_bytes(value)) {
            headers.append(name, value);
        }
    }
    let client = match input.client {
        IpAddr::V4(ip) if input.mapped => IpAddr::V6(ip.to_ipv6_mapped()),
        ip => ip,
    };
    let forwarding = Forwarding::new(SocketAddr::new(client, input.port), input.secure, input.trusted);
    assert_eq!(forwarding.is_trusted(), input.trusted);
    let sent = values(&headers);
    forwarding.apply(&mut headers);
    assert_eq!(values(&headers), expected(sent, input), "of {input:#?}");
}

fn values(headers: &HeaderMap) -> Values {
    let mut values = Values::new();
    for (name, value) in headers {
        values.entry(name.as_str().to_owned()).or_default().push(value.as_bytes().to_vec());
    }
    values
}

/// Returns what a guest may see of the headers that a client sent.
fn expected(mut sent: Values, input: &Input<'_>) -> Values {
    let is_about_the_way = |name: &str| matches!(name, "forwarded" | "x-real-ip") || name.starts_with("x-forwarded-");
    sent.retain(|name, _| !name.starts_with("wharf-") && (input.trusted || !is_about_the_way(name)));
    let ip = as_shown(input.client);
    let scheme = if input.secure { "https" } else { "http" };
    let node = if ip.contains(':') { format!("\"[{ip}]\"") } else { ip.clone() };
    for (name, own) in [("forwarded", format!("for={node};proto={scheme}")), ("x-forwarded-for", ip)] {
        let mut list = sent.remove(name).unwrap_or_default();
        list.push(own.into_bytes());
        sent.insert(name.to_owned(), vec![list.join(b", ".as_slice())]);
    }
    sent.entry("x-forwarded-proto".to_owned()).or_insert_with(|| vec![scheme.as_bytes().to_vec()]);
    sent
}

/// Returns the address as text; one of IPv4 that came as IPv6 is one of IPv4.
fn as_shown(ip: IpAddr) -> String {
    match ip {
        IpAddr::V6(ip) => match ip.octets() {
            [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, a, b, c, d] => Ipv4Addr::new(a, b, c, d).to_string(),
            _ => ip.to_string(),
        },
        IpAddr::V4(ip) => ip.to_string(),
    }
}

fn check_request_id(text: &str) {
    let allowed = |c: char| matches!(c, 'A'..='Z' | 'a'..='z' | '0'..='9' | '-' | '_' | '.' | ':' | '/' | '+' | '=');
    let expected = (1..=128).contains(&text.len()) && text.chars().all(allowed);
    let accepted = RequestId::accept(text);
    assert_eq!(accepted.is_some(), expected, "{text:?}");
    if let Some(id) = accepted {
        assert_eq!((id.as_str(), id.to_string().as_str()), (text, text));
    }
}

/// Ports, letter case and the trailing dot of an authority change nothing; no text makes the router panic.
fn check_authority(authority: &str) {
    let hosts = ["", "a.com", "*.a.com", "*.com", "[::1]", "[::ffff:1.2.3.4]", "1.2.3.4", "b"];
    let routes = hosts.map(|host| {
        let parsed = if host.is_empty() { RouteHost::Any } else { RouteHost::parse(host).expect("these are hosts") };
        (Route { host: parsed, path: PathPattern::everything(), methods: Methods::Any }, host)
    });
    let router = Router::new([routes]).expect("these do not conflict");
    let find = |authority: &str| match router.find(Some(authority), "/", &Method::GET) {
        Match::Found(found) => *found.target,
        other => panic!("one route fits every request: {other:?}"),
    };
    let found = find(authority);
    let is_bare = !authority.contains([':', '[', ']']) && !authority.ends_with('.') && authority.len() < 250;
    if is_bare {
        for other in [format!("{authority}:80"), format!("{authority}."), format!("{authority}.:1")] {
            assert_eq!(find(&other), found, "{other:?}");
        }
    }
    assert_eq!(find(&authority.to_ascii_uppercase()), found);
    match found.strip_prefix('*') {
        Some(suffix) => assert!(authority.to_ascii_lowercase().contains(suffix), "{authority:?} found {found}"),
        None if found.starts_with('[') => assert!(authority.starts_with('[')),
        None => assert!(authority.to_ascii_lowercase().starts_with(found), "{authority:?} found {found}"),
    }
}
