//! The rules of `wharf_app::route`, one after the other, over all routes: slow, and plain enough to be believed.

use std::collections::BTreeSet;
use std::net::Ipv6Addr;

use http::Method;
use wharf_app::{Methods, PathPattern, Route, RouteHost, Segment};

/// The longest name of 253, a dot, and a port.
const AUTHORITY_LEN_MAX: usize = 260;

/// What answers a request.
#[derive(Debug, PartialEq)]
pub(crate) enum Answer<'a> {
    /// The route at this place of the list.
    Found(usize),
    /// No route, because of the method; these would be answered.
    Refused(BTreeSet<&'a str>),
    /// No route.
    None,
}

/// Returns what answers a request; each route comes with its app.
pub(crate) fn answer<'a>(routes: &'a [(usize, Route)], host: Option<&str>, path: &str, method: &Method) -> Answer<'a> {
    let name = host.and_then(host_name);
    let host_of = |route: &Route| host_rank(&route.host, name.as_deref());
    let best_host = routes.iter().filter_map(|(_, route)| host_of(route)).max();
    let owns = |app: usize| routes.iter().any(|(of, route)| *of == app && host_of(route) == best_host);
    let fitting: Vec<_> = (0..)
        .zip(routes)
        .filter(|(_, (app, _))| best_host.is_some() && owns(*app))
        .filter_map(|(at, (_, route))| Some(((host_of(route)?, path_rank(&route.path, path)?), at, route)))
        .collect();
    let answering =
        fitting.iter().filter_map(|(rank, at, route)| Some(((rank, method_rank(&route.methods, method)?), at)));
    match answering.max() {
        Some((_, at)) => Answer::Found(*at),
        None if fitting.is_empty() => Answer::None,
        None => Answer::Refused(allowed(fitting.iter().map(|(_, _, route)| &route.methods))),
    }
}

fn allowed<'a>(methods: impl Iterator<Item = &'a Methods>) -> BTreeSet<&'a str> {
    let names = methods.filter_map(|methods| match methods {
        Methods::Any => None,
        Methods::Only(names) => Some(names),
    });
    let mut names: BTreeSet<&str> = names.flatten().map(String::as_str).collect();
    if names.contains("GET") {
        names.insert("HEAD");
    }
    names
}

/// Returns the name in an authority as routes have it; none when it is longer than any name.
fn host_name(authority: &str) -> Option<String> {
    if authority.len() > AUTHORITY_LEN_MAX {
        return None;
    }
    if authority.starts_with('[')
        && let Some(end) = authority.find(']')
    {
        let address = authority[1..end].parse::<Ipv6Addr>();
        return Some(address.map_or(authority.to_owned(), |address| format!("[{address}]")));
    }
    let name = &authority[..authority.find(':').unwrap_or(authority.len())];
    let name = name.strip_suffix('.').unwrap_or(name);
    Some(name.to_ascii_lowercase())
}

/// Returns how specific the host of a route is for a host, if it fits at all.
fn host_rank(pattern: &RouteHost, host: Option<&str>) -> Option<usize> {
    match pattern {
        RouteHost::Any => Some(0),
        RouteHost::Suffix(suffix) => host.filter(|host| host.ends_with(&format!(".{suffix}"))).map(|_| suffix.len()),
        RouteHost::Exact(name) => (host == Some(name)).then_some(usize::MAX),
    }
}

/// Returns how specific each segment of a route is, if it fits the path.
fn path_rank(pattern: &PathPattern, path: &str) -> Option<Vec<u8>> {
    let path = if path.is_empty() { "/" } else { path };
    let parts: Vec<&str> = path.strip_prefix('/')?.split('/').collect();
    let mut rank = Vec::new();
    for (at, segment) in pattern.segments().iter().enumerate() {
        match (segment, parts.get(at)?) {
            (Segment::Literal(text), part) if text == part => rank.push(3),
            (Segment::Param(_), part) if !part.is_empty() => rank.push(2),
            _ => return None,
        }
    }
    let is_whole = parts.len() == rank.len();
    let end = if pattern.is_open_ended() { Some(0) } else { is_whole.then_some(1) };
    rank.push(end?);
    Some(rank)
}

/// Returns whether the method is named (1), is `HEAD` where `GET` is named (0), or does not fit.
fn method_rank(methods: &Methods, method: &Method) -> Option<u8> {
    let named = methods.contains(method.as_str());
    let as_get = method == Method::HEAD && methods.contains("GET");
    if named { Some(1) } else { as_get.then_some(0) }
}
