//! From a socket to a request with a route, and back.
//!
//! In: bound sockets. Out: answers. Next: `trigger::http`.
//!
//! Stops 1 to 5 of the walk, in this order: [`listener`] → [`tls`] → [`connection`] → [`limits`] → [`router`].
//!
//! Invariants: a connection stays on the core that accepted it; every wait for a client has a deadline; the table of routes is an
//! immutable value that is swapped whole, and a request sees one of them from its first byte to its last.

mod access_log;
mod connection;
mod direct;
mod limits;
mod listener;
mod preface;
mod presence;
mod service;
mod socket;

pub mod admin;
pub mod dev;
pub mod router;
pub mod tls;

pub use limits::Limits;
pub use listener::{Drain, drain, run};

use arc_swap::ArcSwap;
use ipnet::IpNet;
use std::any::Any;
use std::net::IpAddr;
use std::sync::Arc;
use tokio::sync::Semaphore;
use wharf_telemetry::log::Log;
use wharf_trigger::ErrorPage;
use wharf_trigger::http::Target;

/// The routes of a node at one moment, and what must live as long as a request that found its way by them.
#[derive(Default)]
pub struct Table {
    router: router::Router<Target>,
    _keep: Vec<Arc<dyn Any + Send + Sync>>,
}

impl Table {
    /// Makes a table. `keep` is dropped with the last request that was routed by it.
    pub fn new(router: router::Router<Target>, keep: Vec<Arc<dyn Any + Send + Sync>>) -> Self {
        Self { router, _keep: keep }
    }
}

/// What all cores share.
pub struct Gateway {
    table: ArcSwap<Table>,
    limits: Limits,
    tls: Option<Arc<rustls::ServerConfig>>,
    trusted: Vec<IpNet>,
    page: ErrorPage,
    access: Option<Log>,
    dev: Option<Arc<dev::Dev>>,
    connections: Arc<Semaphore>,
}

/// How a gateway behaves.
pub struct Config {
    /// Bounds on connections and heads.
    pub limits: Limits,
    /// TLS, if clients are to use it.
    pub tls: Option<Arc<rustls::ServerConfig>>,
    /// Networks of proxies in front, whose word about the way of a request is taken.
    pub trusted: Vec<IpNet>,
    /// How errors look.
    pub page: ErrorPage,
    /// Where requests are logged, if they are.
    pub access: Option<Log>,
    /// What pages are told of the app while it is being developed, if it is.
    pub dev: Option<Arc<dev::Dev>>,
}

impl Gateway {
    /// Makes a gateway that knows no route yet.
    pub fn new(config: Config) -> Self {
        let connections = Arc::new(Semaphore::new(config.limits.connections));
        Self {
            table: ArcSwap::from_pointee(Table::default()),
            limits: config.limits,
            tls: config.tls,
            trusted: config.trusted,
            page: config.page,
            access: config.access,
            dev: config.dev,
            connections,
        }
    }

    /// Replaces the table of routes. Requests that were routed before go on with what they found.
    pub fn swap(&self, table: Table) {
        self.table.store(Arc::new(table));
    }

    fn trusts(&self, client: IpAddr) -> bool {
        let client = client.to_canonical();
        self.trusted.iter().any(|network| network.contains(&client))
    }
}
