//! A place between client and server that counts how often the server was waited for.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

/// A proxy to a server on loopback.
pub(crate) struct Proxy {
    port: u16,
    turns: Arc<Turns>,
}

#[derive(Default)]
struct Turns {
    /// Whether the client spoke last.
    is_asked: AtomicBool,
    count: AtomicUsize,
}

impl Proxy {
    pub(crate) fn start(server: u16) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let turns = Arc::new(Turns::default());
        let counted = Arc::clone(&turns);
        // Ends with the process; its connections end with the test.
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let Ok(server) = TcpStream::connect((Ipv4Addr::LOCALHOST, server)) else { continue };
                let (asking, answering) = (Arc::clone(&counted), Arc::clone(&counted));
                let (from_client, to_client) = (client.try_clone().unwrap(), client);
                let (from_server, to_server) = (server.try_clone().unwrap(), server);
                thread::spawn(move || pump(from_client, to_server, || asking.is_asked.store(true, Ordering::SeqCst)));
                thread::spawn(move || pump(from_server, to_client, || answering.answer()));
            }
        });
        Self { port, turns }
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Returns how often the server spoke after the client had spoken: round trips, where one call is made at a time.
    pub(crate) fn round_trips(&self) -> usize {
        self.turns.count.load(Ordering::SeqCst)
    }
}

impl Turns {
    fn answer(&self) {
        if self.is_asked.swap(false, Ordering::SeqCst) {
            self.count.fetch_add(1, Ordering::SeqCst);
        }
    }
}

/// Copies until one side ends. `seen` is told before anything is passed on.
fn pump(mut from: TcpStream, mut to: TcpStream, seen: impl Fn()) {
    let mut buffer = vec![0; 64 << 10];
    while let Ok(count @ 1..) = from.read(&mut buffer) {
        seen();
        if to.write_all(&buffer[..count]).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Both);
}
