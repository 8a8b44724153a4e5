//! Stop 1: bound socket → accepted connection, one loop for each core.
//!
//! In: a listening socket of this core. Out: a task for each connection. Next: [`crate::connection`].

use crate::{Gateway, connection};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, watch};
use tokio::task::JoinSet;

/// Pause after the operating system had no more descriptors: accepting at once would spin.
const PAUSE: Duration = Duration::from_millis(50);

/// Tells all loops and connections to finish.
#[derive(Clone)]
pub struct Drain(watch::Receiver<bool>);

/// Returns a drain and what starts it: send `true`, or drop it.
pub fn drain() -> (watch::Sender<bool>, Drain) {
    let (sender, receiver) = watch::channel(false);
    (sender, Drain(receiver))
}

impl Drain {
    /// Ready when draining has started.
    pub async fn started(&mut self) {
        // An error means that nobody is left to start it: the process is going down.
        let _ = self.0.wait_for(|started| *started).await;
    }
}

/// Accepts connections until `drain` starts, then waits at most `patience` for those that are open.
///
/// Returns how many had to be cut off.
pub async fn run(listener: TcpListener, gateway: Arc<Gateway>, mut drain: Drain, patience: Duration) -> usize {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            biased;
            () = drain.started() => break,
            Some(_) = connections.join_next(), if !connections.is_empty() => {}
            (stream, client, permit) = accept(&listener, &gateway) => {
                connections.spawn(connection::serve(stream, client, Arc::clone(&gateway), drain.clone(), permit));
            }
        }
    }
    drop(listener);
    let rest = async { while connections.join_next().await.is_some() {} };
    if tokio::time::timeout(patience, rest).await.is_err() {
        let cut = connections.len();
        connections.shutdown().await;
        return cut;
    }
    0
}

async fn accept(
    listener: &TcpListener,
    gateway: &Gateway,
) -> (TcpStream, std::net::SocketAddr, Option<OwnedSemaphorePermit>) {
    // Never closed; without a permit the connection would merely not be counted.
    let permit = Arc::clone(&gateway.connections).acquire_owned().await.ok();
    loop {
        match listener.accept().await {
            Ok((stream, client)) => return (stream, client, permit),
            Err(error) => {
                tracing::warn!("cannot accept a connection: {error}");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}
