//! Cases that reach for something outside: environment, files, sockets, other hosts, random numbers.

use std::fmt::Write as _;
use std::net::SocketAddr;

use query::Query;
use wasip2::cli::environment;
use wasip2::http::outgoing_handler;
use wasip2::http::types::{ErrorCode, Fields, IncomingResponse, OutgoingRequest, ResponseOutparam, Scheme};
use wasip2::random::random;
use wasip2::sockets::network::{
    ErrorCode as SocketError, IpAddressFamily, IpSocketAddress, Ipv4SocketAddress, Ipv6SocketAddress,
};
use wasip2::sockets::{instance_network, ip_name_lookup, tcp_create_socket};

use crate::reply::{self, Pieces, Reply};

pub(crate) const CASES: &[&str] = &["/env", "/file", "/connect", "/resolve", "/fetch", "/random"];

pub(crate) fn run(query: &Query, out: ResponseOutparam) {
    match query.path() {
        "/env" => reply::text(out, 200, &environment_text()),
        "/file" => {
            let path = query.text("path").unwrap_or("/etc/passwd");
            said(out, std::fs::read_to_string(path));
        }
        "/connect" => said(out, connect(query.text("addr").unwrap_or("127.0.0.1:80"))),
        "/resolve" => said(out, resolve(query.text("name").unwrap_or("localhost"))),
        "/random" => {
            let hex = random::get_random_bytes(16).iter().map(|byte| format!("{byte:02x}")).collect::<String>();
            reply::text(out, 200, &format!("{hex}\n"));
        }
        _ => match fetch(query.text("url").unwrap_or("http://127.0.0.1/")) {
            Ok(response) => relay(out, &response),
            Err(code) => reply::text(out, 502, &format!("error: {code:?}\n")),
        },
    }
}

fn environment_text() -> String {
    let mut text = String::new();
    for (name, value) in environment::get_environment() {
        let _ = writeln!(text, "env: {name}={value}");
    }
    for argument in environment::get_arguments() {
        let _ = writeln!(text, "arg: {argument}");
    }
    text
}

/// Answers 200 with what was found, or 403 with the reason why not.
fn said(out: ResponseOutparam, result: Result<String, impl std::fmt::Debug>) {
    match result {
        Ok(text) => reply::text(out, 200, &text),
        Err(error) => reply::text(out, 403, &format!("error: {error:?}\n")),
    }
}

fn connect(address: &str) -> Result<String, SocketError> {
    let address: SocketAddr = address.parse().map_err(|_| SocketError::InvalidArgument)?;
    let (family, remote) = match address {
        SocketAddr::V4(v4) => {
            let [a, b, c, d] = v4.ip().octets();
            let remote = Ipv4SocketAddress { port: v4.port(), address: (a, b, c, d) };
            (IpAddressFamily::Ipv4, IpSocketAddress::Ipv4(remote))
        }
        SocketAddr::V6(v6) => {
            let [a, b, c, d, e, f, g, h] = v6.ip().segments();
            let address = (a, b, c, d, e, f, g, h);
            let remote = Ipv6SocketAddress { port: v6.port(), flow_info: 0, address, scope_id: 0 };
            (IpAddressFamily::Ipv6, IpSocketAddress::Ipv6(remote))
        }
    };
    let socket = tcp_create_socket::create_tcp_socket(family)?;
    socket.start_connect(&instance_network::instance_network(), remote)?;
    loop {
        match socket.finish_connect() {
            Err(SocketError::WouldBlock) => socket.subscribe().block(),
            result => return result.map(|_| "connected\n".to_owned()),
        }
    }
}

fn resolve(name: &str) -> Result<String, SocketError> {
    let addresses = ip_name_lookup::resolve_addresses(&instance_network::instance_network(), name)?;
    let mut text = String::new();
    loop {
        match addresses.resolve_next_address() {
            Ok(Some(address)) => {
                let _ = writeln!(text, "{address:?}");
            }
            Ok(None) => return Ok(text),
            Err(SocketError::WouldBlock) => addresses.subscribe().block(),
            Err(error) => return Err(error),
        }
    }
}

fn fetch(url: &str) -> Result<IncomingResponse, ErrorCode> {
    let invalid = || ErrorCode::HttpRequestUriInvalid;
    let (scheme, rest) = url.split_once("://").ok_or_else(invalid)?;
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let scheme = match scheme {
        "http" => Scheme::Http,
        "https" => Scheme::Https,
        other => Scheme::Other(other.to_owned()),
    };
    let request = OutgoingRequest::new(Fields::new());
    request.set_scheme(Some(&scheme)).map_err(|()| invalid())?;
    request.set_authority(Some(authority)).map_err(|()| invalid())?;
    request.set_path_with_query(Some(if path.is_empty() { "/" } else { path })).map_err(|()| invalid())?;

    let pending = outgoing_handler::handle(request, None)?;
    pending.subscribe().block();
    match pending.get() {
        Some(Ok(result)) => result,
        _ => Err(ErrorCode::InternalError(Some("the answer was taken already".to_owned()))),
    }
}

/// Passes a response's status, headers and body on; the headers under a prefix, so that none is refused.
fn relay(out: ResponseOutparam, response: &IncomingResponse) {
    let headers = Fields::new();
    for (name, value) in response.headers().entries() {
        let _ = headers.append(&format!("fetched-{name}"), &value);
    }
    let Some(mut reply) = Reply::start(out, response.status(), headers) else { return };
    let mut pieces = Pieces::open(response.consume().ok());
    while let Some(piece) = pieces.next() {
        if reply.send(&piece).is_err() {
            return;
        }
    }
    reply.finish(None);
}
