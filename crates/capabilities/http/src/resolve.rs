//! Names to addresses: the system's resolver, and the seam where a test puts its own.

use std::io;
use std::net::{IpAddr, ToSocketAddrs};
use std::pin::Pin;
use std::sync::Arc;
use tokio::sync::Semaphore;

/// Look-ups at a time, over all cores. Each takes a thread of those that serve files too, until the system gives up; a guest that asks for
/// names that nobody answers must leave some.
const AT_ONCE: usize = 8;

/// The addresses of a name, on their way.
pub type Lookup = Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send>>;

/// Looks names up. A connection goes to the addresses that were returned, and to no others: nobody looks a second time.
pub trait Resolver: Send + Sync {
    /// Starts a look-up. The caller has a deadline and drops the future at it.
    fn look_up(&self, name: &str) -> Lookup;
}

/// The system's resolver: `/etc/hosts`, DNS, and what else it is set up for. Remembers nothing.
#[derive(Clone, Debug)]
pub struct System(Arc<Semaphore>);

impl Default for System {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(AT_ONCE)))
    }
}

impl Resolver for System {
    fn look_up(&self, name: &str) -> Lookup {
        let (permits, name) = (Arc::clone(&self.0), name.to_owned());
        Box::pin(async move {
            // The thread cannot be stopped, so that it keeps its permit when nobody waits for it any more.
            let permit = permits.acquire_owned().await.map_err(io::Error::other)?;
            let looking = tokio::task::spawn_blocking(move || {
                let found = (name.as_str(), 0).to_socket_addrs().map(|found| found.map(|at| at.ip()).collect());
                drop(permit);
                found
            });
            looking.await.map_err(io::Error::other)?
        })
    }
}
