//! A node in this process, put together as `wharf up --cores 1 --access-log off` does it, and a client of it.

mod client;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
pub use client::Client;
use wharf_app::Operator;
use wharf_gateway::{Config, Gateway, Limits};
use wharf_node::{Backends, Cores, CoresConfig, Node, State};
use wharf_runtime::{Runtime, Settings};
use wharf_telemetry::log::Log;
use wharf_trigger::ErrorPage;

/// How long anything may take.
pub const PATIENCE: Duration = Duration::from_secs(10);

/// A node that has no app yet. It takes connections from [`Served::listen`] on.
pub struct Served {
    pub node: Node,
    gateway: Arc<Gateway>,
    _state: State,
}

impl Served {
    /// Opens the state folder, and builds what has no app yet.
    pub fn new(state: &Path, settings: Settings) -> Result<Self> {
        let state = State::open(state)?;
        let (limits, page) = (Limits::default(), ErrorPage { dev: false });
        let config = Config { limits, tls: None, trusted: Vec::new(), page, access: None, dev: None };
        let gateway = Arc::new(Gateway::new(config));
        let backends = Backends::new(&Operator::default(), state.path())?;
        let node = Node::new(Runtime::new(settings, state.cache()), Arc::clone(&gateway), Log::discard(), backends);
        Ok(Self { node, gateway, _state: state })
    }

    /// Starts to listen at a free port of loopback, with one thread.
    pub fn listen(&self) -> Result<Cores> {
        let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        Ok(Cores::start(&CoresConfig { listen, threads: 1, drain: PATIENCE }, &self.gateway)?)
    }
}
