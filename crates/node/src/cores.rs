//! One thread for each core: its own sockets, its own event loop, its own timers. A request never changes thread.

use crate::error::Error;
use socket2::{Domain, Protocol, Socket, Type};
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::sync::watch;
use wharf_gateway::{Drain, Gateway};

/// Connections that may wait to be accepted, on each core.
const BACKLOG: i32 = 4096;

/// How the cores are set up.
#[derive(Clone, Copy, Debug)]
pub struct CoresConfig {
    /// Where to listen; port 0 takes a free one.
    pub listen: SocketAddr,
    /// How many threads; at least one.
    pub threads: usize,
    /// How long open requests may take when the process is asked to end.
    pub drain: Duration,
}

/// The threads that serve.
pub struct Cores {
    address: SocketAddr,
    stop: watch::Sender<bool>,
    threads: Vec<JoinHandle<usize>>,
}

impl Cores {
    /// Binds and starts. Answers from the moment it returns.
    ///
    /// # Errors
    /// When the address is taken or not ours, or the operating system refuses a thread.
    pub fn start(config: &CoresConfig, gateway: &Arc<Gateway>) -> Result<Self, Error> {
        let listeners = bind_all(config.listen, config.threads.max(1))
            .map_err(|source| Error::Listen { address: config.listen, source })?;
        let address = listeners.first().and_then(|listener| listener.local_addr().ok()).unwrap_or(config.listen);
        let (stop, drain) = wharf_gateway::drain();
        let mut threads = Vec::new();
        for (number, listener) in listeners.into_iter().enumerate() {
            let core = Core { listener, gateway: Arc::clone(gateway), drain: drain.clone(), patience: config.drain };
            let runtime = event_loop().map_err(|source| Error::Start { what: "an event loop", source })?;
            let thread = std::thread::Builder::new().name(format!("wharf-core-{number}"));
            let thread = thread.spawn(move || core.run(&runtime));
            threads.push(thread.map_err(|source| Error::Start { what: "a thread", source })?);
        }
        Ok(Self { address, stop, threads })
    }

    /// Returns where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Stops accepting, lets open requests finish within the configured time, and ends the threads.
    ///
    /// Returns how many connections had to be cut off.
    pub fn stop(self) -> usize {
        // The threads hold the other end until they end.
        let _ = self.stop.send(true);
        self.threads.into_iter().map(|thread| thread.join().unwrap_or(0)).sum()
    }
}

struct Core {
    listener: TcpListener,
    gateway: Arc<Gateway>,
    drain: Drain,
    patience: Duration,
}

impl Core {
    fn run(self, runtime: &tokio::runtime::Runtime) -> usize {
        wharf_runtime::prepare_thread();
        runtime.block_on(async {
            let mut tasks = tokio::task::JoinSet::new();
            tasks.spawn(wharf_runtime::pump());
            match tokio::net::TcpListener::from_std(self.listener) {
                Ok(listener) => wharf_gateway::run(listener, self.gateway, self.drain, self.patience).await,
                Err(error) => {
                    tracing::error!("a core cannot use its socket: {error}");
                    0
                }
            }
        })
    }
}

fn event_loop() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        // File operations of guests and compilations; not requests.
        .max_blocking_threads(16)
        .build()
}

/// Binds one socket for each core to the same port, so that the kernel spreads connections over them.
fn bind_all(address: SocketAddr, count: usize) -> std::io::Result<Vec<TcpListener>> {
    // Sockets that share a port are shared with other processes of this user too: ask first whether the port is free.
    drop(bind(address, false)?);
    let first = bind(address, true)?;
    let address = first.local_addr()?;
    let mut listeners = vec![first];
    for _ in 1..count {
        listeners.push(bind(address, true)?);
    }
    Ok(listeners)
}

fn bind(address: SocketAddr, shared: bool) -> std::io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_reuse_address(true)?;
    if shared {
        socket.set_reuse_port(true)?;
    }
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    socket.set_nonblocking(true)?;
    Ok(socket.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cores_share_a_port_and_nobody_else_does() {
        let any = SocketAddr::from(([127, 0, 0, 1], 0));
        let listeners = bind_all(any, 3).unwrap();
        let address = listeners[0].local_addr().unwrap();
        assert!(listeners.iter().all(|listener| listener.local_addr().unwrap() == address));
        assert_eq!(bind_all(address, 1).unwrap_err().kind(), std::io::ErrorKind::AddrInUse);
    }
}
