//! Cases that reach for something outside: environment, files, sockets, other hosts, random numbers.

use std::fmt::Write as _;
use std::net::SocketAddr;

use query::Query;
use wasip2::cli::environment;
use wasip2::http::outgoing_handler;
use wasip2::http::types::{ErrorCode, Fields, IncomingResponse, OutgoingRequest, ResponseOutparam, Scheme};
use wasip2::random::random;
use wasip2::sockets::network::{
    ErrorCode as SocketError, IpAddress, IpAddressFamily, IpSocketAddress, Ipv4SocketAddress, Ipv6SocketAddress,
};
use wasip2::sockets::udp::OutgoingDatagram;
use wasip2::sockets::{instance_network, ip_name_lookup, tcp_create_socket, udp_create_socket};

use crate::reply::{self, Pieces, Reply};

pub(crate) const CASES: &[&str] = &["/env", "/file", "/connect", "/resolve", "/reach", "/udp", "/fetch", "/random"];

pub(crate) fn run(query: &Query, out: ResponseOutparam) {
    match query.path() {
        "/env" => reply::text(out, 200, &environment_text()),
        "/file" => {
            let path = query.text("path").unwrap_or("/etc/passwd");
            said(out, std::fs::read_to_string(path));
        }
        "/connect" => said(out, connect(query.text("addr").unwrap_or("127.0.0.1:80"))),
        "/resolve" => said(out, resolve(query.text("name").unwrap_or("localhost"))),
        "/reach" => said(out, reach(query.text("name").unwrap_or("localhost"), query.number("port", 80) as u16)),
        "/udp" => said(out, datagram(query.text("addr").unwrap_or("127.0.0.1:53"))),
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

fn remote(address: SocketAddr) -> (IpAddressFamily, IpSocketAddress) {
    match address {
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
    }
}

fn connect(address: &str) -> Result<String, SocketError> {
    let (family, remote) = remote(address.parse().map_err(|_| SocketError::InvalidArgument)?);
    connect_to(family, remote)
}

fn connect_to(family: IpAddressFamily, remote: IpSocketAddress) -> Result<String, SocketError> {
    let socket = tcp_create_socket::create_tcp_socket(family)?;
    socket.start_connect(&instance_network::instance_network(), remote)?;
    loop {
        match socket.finish_connect() {
            Err(SocketError::WouldBlock) => socket.subscribe().block(),
            result => return result.map(|_| "connected\n".to_owned()),
        }
    }
}

/// Looks a name up and connects to what it leads to, one address after the other.
fn reach(name: &str, port: u16) -> Result<String, SocketError> {
    let mut last = Err(SocketError::NameUnresolvable);
    for address in look_up(name)? {
        last = match address {
            IpAddress::Ipv4(address) => {
                connect_to(IpAddressFamily::Ipv4, IpSocketAddress::Ipv4(Ipv4SocketAddress { port, address }))
            }
            IpAddress::Ipv6(address) => {
                let remote = Ipv6SocketAddress { port, flow_info: 0, address, scope_id: 0 };
                connect_to(IpAddressFamily::Ipv6, IpSocketAddress::Ipv6(remote))
            }
        };
        if last.is_ok() {
            break;
        }
    }
    last
}

/// Sends a datagram and waits for the answer.
fn datagram(address: &str) -> Result<String, SocketError> {
    let (family, remote) = remote(address.parse().map_err(|_| SocketError::InvalidArgument)?);
    let socket = udp_create_socket::create_udp_socket(family)?;
    let any = IpSocketAddress::Ipv4(Ipv4SocketAddress { port: 0, address: (0, 0, 0, 0) });
    socket.start_bind(&instance_network::instance_network(), any)?;
    socket.finish_bind()?;
    let (incoming, outgoing) = socket.stream(None)?;
    while outgoing.check_send()? == 0 {
        outgoing.subscribe().block();
    }
    outgoing.send(&[OutgoingDatagram { data: b"ping".to_vec(), remote_address: Some(remote) }])?;
    loop {
        if let Some(datagram) = incoming.receive(1)?.into_iter().next() {
            return Ok(String::from_utf8_lossy(&datagram.data).into_owned());
        }
        incoming.subscribe().block();
    }
}

fn resolve(name: &str) -> Result<String, SocketError> {
    let mut text = String::new();
    for address in look_up(name)? {
        let _ = writeln!(text, "{address:?}");
    }
    Ok(text)
}

fn look_up(name: &str) -> Result<Vec<IpAddress>, SocketError> {
    let stream = ip_name_lookup::resolve_addresses(&instance_network::instance_network(), name)?;
    let mut addresses = Vec::new();
    loop {
        match stream.resolve_next_address() {
            Ok(Some(address)) => addresses.push(address),
            Ok(None) => return Ok(addresses),
            Err(SocketError::WouldBlock) => stream.subscribe().block(),
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
