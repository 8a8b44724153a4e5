//! A new connection: a free place, the name's addresses, those of them that are granted, TCP, TLS.
//!
//! In: a server whose URL is granted. Out: a [`Stream`]. Next: [`crate::connection`].
//!
//! Invariant: the address that was checked is the one that is connected to. The name is looked up once and not by anybody else.

use crate::client::Inner;
use crate::stream::Stream;
use crate::{Error, Target};
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use rustls::pki_types::ServerName;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, timeout_at};

/// Addresses of one name that are tried. A name can have thousands, and each costs a socket.
const ADDRESSES: usize = 6;

/// How long an address has for itself before the next is tried beside it (RFC 8305): a network whose IPv6 leads nowhere costs this much.
const HEAD_START: Duration = Duration::from_millis(250);

/// Opens a connection on a place that the caller has.
pub(crate) async fn open(
    client: &Inner,
    target: &Target,
    place: OwnedSemaphorePermit,
    deadline: Instant,
) -> Result<Stream, Error> {
    let addresses = granted_addresses(client, target, deadline).await?;
    let late = || Error::ConnectTimeout { url: target.to_string() };
    let dialled = timeout_at(deadline, dial(&addresses)).await.map_err(|_| late())?;
    let unreachable = |source| Error::Connect { url: target.to_string(), source: Arc::new(source) };
    let stream = dialled.map_err(unreachable)?;
    // A request is written whole; waiting for more to send with it only costs time.
    stream.set_nodelay(true).map_err(unreachable)?;
    if !target.https {
        return Ok(Stream::plain(stream, place));
    }
    let name = ServerName::try_from(target.certificate_name().to_owned())
        .map_err(|_| Error::InvalidUrl("no certificate can have its host"))?;
    let connector = tokio_rustls::TlsConnector::from(client.network.trust.config(target)?);
    let shaken = timeout_at(deadline, connector.connect(name, stream)).await.map_err(|_| late())?;
    let stream = shaken.map_err(|error| Error::from_handshake(&target.to_string(), error))?;
    Ok(Stream::tls(stream, place))
}

/// Returns the addresses that the component may reach. If none is left, says which line would grant the first.
async fn granted_addresses(client: &Inner, target: &Target, deadline: Instant) -> Result<Vec<SocketAddr>, Error> {
    let found = match target.address() {
        Some(address) => vec![address],
        None => look_up(client, target, deadline).await?,
    };
    let granted = found.iter().filter(|address| client.grants.allows_address(target, **address));
    let granted: Vec<_> =
        granted.take(ADDRESSES).map(|address| SocketAddr::new(address.to_canonical(), target.port)).collect();
    match found.first() {
        Some(address) if granted.is_empty() => {
            client.grants.refuse_address(target, *address);
            Err(Error::PrivateAddress { url: target.to_string(), address: *address })
        }
        _ => Ok(granted),
    }
}

async fn look_up(client: &Inner, target: &Target, deadline: Instant) -> Result<Vec<IpAddr>, Error> {
    let host = || target.host.clone();
    let failed = |source| Error::Lookup { host: host(), source: Arc::new(source) };
    let looked = timeout_at(deadline, client.network.resolver.look_up(&target.host)).await;
    let found = looked.map_err(|_| Error::LookupTimeout { host: host() })?.map_err(failed)?;
    if found.is_empty() { Err(failed(io::ErrorKind::NotFound.into())) } else { Ok(found) }
}

/// Connects to the first address that answers. Each further one is tried when the one before failed, or did nothing for a while.
async fn dial(addresses: &[SocketAddr]) -> io::Result<TcpStream> {
    let mut rest = addresses.iter();
    let mut attempts = FuturesUnordered::new();
    let mut failed = io::Error::from(io::ErrorKind::AddrNotAvailable);
    loop {
        match rest.next() {
            Some(address) => attempts.push(TcpStream::connect(*address)),
            None if attempts.is_empty() => return Err(failed),
            None => {}
        }
        tokio::select! {
            Some(attempt) = attempts.next() => match attempt {
                Ok(stream) => return Ok(stream),
                Err(error) => failed = error,
            },
            () = tokio::time::sleep(HEAD_START), if rest.len() > 0 => {}
        }
    }
}
