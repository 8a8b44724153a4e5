//! Cases that reach for something outside: environment, files, sockets, other hosts, random numbers.

use std::fmt::Write as _;
use std::net::SocketAddr;

use query::Query;
use wasip3::cli::environment;
use wasip3::filesystem::preopens;
use wasip3::filesystem::types::{DescriptorFlags, OpenFlags, PathFlags};
use wasip3::http::client;
use wasip3::http::types::{ErrorCode, Fields, Request, Response, Scheme};
use wasip3::random::random;
use wasip3::sockets::ip_name_lookup;
use wasip3::sockets::types::{
    ErrorCode as SocketError, IpAddress, IpAddressFamily, IpSocketAddress, Ipv4SocketAddress, Ipv6SocketAddress,
    TcpSocket, UdpSocket,
};
use wasip3::wit_future;

use crate::reply::{self, Pieces};

pub(crate) const CASES: &[&str] = &["/env", "/file", "/pass-file", "/connect", "/resolve", "/reach", "/udp", "/fetch", "/random"];

pub(crate) async fn run(query: &Query) -> Response {
    match query.path() {
        "/env" => reply::text(200, environment_text()),
        "/file" => said(std::fs::read_to_string(query.text("path").unwrap_or("/etc/passwd"))),
        "/pass-file" => pass_file(query.text("path").unwrap_or("/etc/passwd")).await,
        "/connect" => said(connect(query.text("addr").unwrap_or("127.0.0.1:80")).await),
        "/resolve" => said(resolve(query.text("name").unwrap_or("localhost")).await),
        "/reach" => {
            let (name, port) = (query.text("name").unwrap_or("localhost"), query.number("port", 80));
            reach(name, port as u16).await
        }
        "/udp" => said(datagram(query.text("addr").unwrap_or("127.0.0.1:53")).await),
        "/random" => {
            let hex = random::get_random_bytes(16).iter().map(|byte| format!("{byte:02x}")).collect::<String>();
            reply::text(200, format!("{hex}\n"))
        }
        _ => match fetch(query.text("url").unwrap_or("http://127.0.0.1/")).await {
            Ok(response) => relay(response),
            Err(code) => reply::text(502, format!("error: {code:?}\n")),
        },
    }
}

/// Answers with the host's own stream of a file as the body: nothing of the guest is left to run while it is sent.
async fn pass_file(path: &str) -> Response {
    let name = path.trim_start_matches('/').to_owned();
    let Some((folder, _)) = preopens::get_directories().into_iter().next() else {
        return reply::text(403, "no folder\n".to_owned());
    };
    match folder.open_at(PathFlags::empty(), name, OpenFlags::empty(), DescriptorFlags::READ).await {
        Ok(file) => {
            let (contents, _end) = file.read_via_stream(0);
            let (_end, trailers) = wit_future::new(|| Ok(None));
            let (response, _sent) = Response::new(Fields::new(), Some(contents), trailers);
            response
        }
        Err(error) => said(Err(error)),
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
fn said(result: Result<String, impl std::fmt::Debug>) -> Response {
    match result {
        Ok(text) => reply::text(200, text),
        Err(error) => reply::text(403, format!("error: {error:?}\n")),
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

async fn connect(address: &str) -> Result<String, SocketError> {
    let (family, remote) = remote(address.parse().map_err(|_| SocketError::InvalidArgument)?);
    TcpSocket::create(family)?.connect(remote).await?;
    Ok("connected\n".to_owned())
}

/// Looks a name up and connects to what it leads to, one address after the other.
async fn reach(name: &str, port: u16) -> Response {
    let addresses = match ip_name_lookup::resolve_addresses(name.to_owned()).await {
        Ok(addresses) => addresses,
        Err(error) => return said(Err(error)),
    };
    let mut last = Err(SocketError::RemoteUnreachable);
    for address in addresses {
        let (family, remote) = match address {
            IpAddress::Ipv4(address) => {
                (IpAddressFamily::Ipv4, IpSocketAddress::Ipv4(Ipv4SocketAddress { port, address }))
            }
            IpAddress::Ipv6(address) => {
                let remote = Ipv6SocketAddress { port, flow_info: 0, address, scope_id: 0 };
                (IpAddressFamily::Ipv6, IpSocketAddress::Ipv6(remote))
            }
        };
        last = match TcpSocket::create(family) {
            Ok(socket) => socket.connect(remote).await,
            Err(error) => Err(error),
        };
        if last.is_ok() {
            break;
        }
    }
    said(last.map(|()| "connected\n".to_owned()))
}

/// Sends a datagram and waits for the answer.
async fn datagram(address: &str) -> Result<String, SocketError> {
    let (family, remote) = remote(address.parse().map_err(|_| SocketError::InvalidArgument)?);
    let socket = UdpSocket::create(family)?;
    socket.send(b"ping".to_vec(), Some(remote)).await?;
    let (data, _) = socket.receive().await?;
    Ok(String::from_utf8_lossy(&data).into_owned())
}

async fn resolve(name: &str) -> Result<String, ip_name_lookup::ErrorCode> {
    let addresses = ip_name_lookup::resolve_addresses(name.to_owned()).await?;
    let mut text = String::new();
    for address in addresses {
        let _ = writeln!(text, "{address:?}");
    }
    Ok(text)
}

async fn fetch(url: &str) -> Result<Response, ErrorCode> {
    let invalid = || ErrorCode::HttpRequestUriInvalid;
    let (scheme, rest) = url.split_once("://").ok_or_else(invalid)?;
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let scheme = match scheme {
        "http" => Scheme::Http,
        "https" => Scheme::Https,
        other => Scheme::Other(other.to_owned()),
    };
    let (_, trailers) = wit_future::new(|| Ok(None));
    let (request, _sent) = Request::new(Fields::new(), None, trailers, None);
    request.set_scheme(Some(&scheme)).map_err(|()| invalid())?;
    request.set_authority(Some(authority)).map_err(|()| invalid())?;
    request.set_path_with_query(Some(if path.is_empty() { "/" } else { path })).map_err(|()| invalid())?;
    client::send(request).await
}

/// Passes a response's status, headers and body on; the headers under a prefix, so that none is refused.
fn relay(response: Response) -> Response {
    let headers = Fields::new();
    for (name, value) in response.get_headers().copy_all() {
        let _ = headers.append(&format!("fetched-{name}"), &value);
    }
    reply::start(response.get_status_code(), headers, |mut body| async move {
        let mut pieces = Pieces::of_response(response);
        while let Some(piece) = pieces.next().await {
            if !body.send(&piece).await {
                return;
            }
        }
        body.finish(Ok(None)).await;
    })
}
