//! Swaps two versions of an app in a node of this process, and asks the new one at once.
//!
//! `swap OLD.wasm NEW.wasm STATE COUNT` prints, for each swap, the microseconds until it was done and until the first
//! byte of an answer of the new version. The two components answer differently; both are compiled before the first.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use wharf_app::{App, Operator};
use wharf_gateway::{Config, Gateway, Limits};
use wharf_node::{Backends, Cores, CoresConfig, Node, State};
use wharf_runtime::{Runtime, Settings};
use wharf_telemetry::log::Log;
use wharf_trigger::ErrorPage;

const PATIENCE: Duration = Duration::from_secs(10);

fn main() -> Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [old, new, state, count] = args.as_slice() else { bail!("usage: swap OLD.wasm NEW.wasm STATE COUNT") };
    let count: usize = count.parse().context("COUNT is a number")?;
    let state = State::open(Path::new(state))?;
    let gateway = Arc::new(gateway());
    let runtime = Runtime::new(Settings::default(), state.cache());
    let backends = Backends::new(&Operator::default(), state.path())?;
    let node = Node::new(runtime, Arc::clone(&gateway), Log::discard(), backends);
    let apps = [old, new].map(|file| App::implicit("swapped", file));
    for app in &apps {
        drop(node.swap(app, Path::new("."))?);
    }

    let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let config = CoresConfig { listen, threads: 1, drain: PATIENCE };
    let cores = Cores::start(&config, &gateway)?;
    let mut client = Client::connect(cores.address())?;
    let mut before = client.body()?;
    for round in 0..count {
        let start = Instant::now();
        let (_, old) = node.swap(&apps[round % 2], Path::new("."))?;
        let swapped = start.elapsed();
        let now = client.body()?;
        let answered = start.elapsed();
        ensure!(now != before, "the old version still answers");
        before = now;
        println!("{} {}", swapped.as_micros(), answered.as_micros());
        ensure!(old.wait(PATIENCE), "the old version never ends");
    }
    drop(client);
    cores.stop();
    Ok(())
}

/// Returns a gateway as `wharf up` has it, without an access log.
fn gateway() -> Gateway {
    let (limits, page) = (Limits::default(), ErrorPage { dev: false });
    Gateway::new(Config { limits, tls: None, trusted: Vec::new(), page, access: None, dev: None })
}

/// A keep-alive connection.
struct Client(TcpStream);

impl Client {
    fn connect(address: SocketAddr) -> Result<Client> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        Ok(Client(stream))
    }

    /// Asks and returns the first bytes of the body, whatever frames them.
    fn body(&mut self) -> Result<Vec<u8>> {
        self.0.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")?;
        let mut answer = Vec::new();
        let mut piece = [0; 4096];
        loop {
            let length = self.0.read(&mut piece)?;
            ensure!(length > 0, "the connection was closed");
            answer.extend_from_slice(&piece[..length]);
            let head = answer.windows(4).position(|window| window == b"\r\n\r\n");
            // The components answer with one short line: a body that has begun to arrive has arrived.
            if let Some(head) = head.filter(|head| answer.len() > head + 4) {
                ensure!(answer.starts_with(b"HTTP/1.1 200 "), "answered {}", String::from_utf8_lossy(&answer));
                return Ok(answer[head + 4..].to_vec());
            }
        }
    }
}
