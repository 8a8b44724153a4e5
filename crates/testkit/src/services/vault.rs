//! A double of Vault: the read side of its KV API, version 2, with faults.
//!
//! No registry has the original. This one answers as that does: `GET /v1/MOUNT/data/PATH?version=N`, `GET /v1/sys/health`,
//! `GET /v1/auth/token/lookup-self` and `POST /v1/auth/token/renew-self`, with the same statuses and bodies.

mod answer;
mod secrets;
mod server;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::Value;

use super::ports::Ports;
use super::tls::Tls;
use secrets::Versions;
use server::Server;

/// A running double of Vault. Gone when dropped.
///
/// The methods take `&self` and apply to requests that come after them.
#[derive(Debug)]
pub struct Vault {
    shared: Arc<Mutex<State>>,
    server: Mutex<Option<Server>>,
    tls: Option<Tls>,
    ports: Ports,
}

/// What a Vault does instead of answering.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Every request gets 500.
    Internal,
    /// Every request gets 503, and the health says that it is sealed.
    Sealed,
    /// Every request waits until the connection ends, also when the fault is over.
    Hang,
}

/// How a [`Vault`] is to be.
#[derive(Clone, Debug)]
pub struct Options {
    token: String,
    mounts: Vec<String>,
    lease: Duration,
    is_renewable: bool,
    tls: Option<Tls>,
}

/// What the requests are answered from.
#[derive(Debug)]
struct State {
    token: String,
    lease: Duration,
    is_renewable: bool,
    /// Secrets by mount and path.
    mounts: BTreeMap<String, BTreeMap<String, Versions>>,
    fault: Option<Fault>,
    requests: Vec<String>,
}

// === impl Vault ===

impl Vault {
    /// The token that is let in, unless another one is set.
    pub const TOKEN: &str = "wharf-test-token";

    /// Starts one without secrets, with the mount `secret`.
    pub fn start() -> Vault {
        Vault::options().start()
    }

    /// Returns what can be set before the start.
    pub fn options() -> Options {
        Options {
            token: Self::TOKEN.to_owned(),
            mounts: vec!["secret".to_owned()],
            // What the original gives when nobody says more: 32 days.
            lease: Duration::from_secs(32 * 24 * 60 * 60),
            is_renewable: true,
            tls: None,
        }
    }

    /// Returns the port where it serves.
    pub fn port(&self) -> u16 {
        self.ports.get(0)
    }

    /// Returns `http://127.0.0.1:PORT`, or `https://…` with TLS.
    pub fn url(&self) -> String {
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        format!("{scheme}://127.0.0.1:{}", self.port())
    }

    /// Writes a new version of a secret, a JSON object, and returns its number, from 1 on.
    ///
    /// # Panics
    /// When there is no such mount.
    #[track_caller]
    pub fn put(&self, mount: &str, path: &str, data: Value) -> u64 {
        self.secret(mount, path, |versions| versions.put(data))
    }

    /// Deletes a version as `vault kv delete` does: it is 404 with metadata, until [`Self::undelete`].
    #[track_caller]
    pub fn delete(&self, mount: &str, path: &str, version: u64) {
        self.secret(mount, path, |versions| versions.set_deleted(version, true));
    }

    /// Takes back [`Self::delete`].
    #[track_caller]
    pub fn undelete(&self, mount: &str, path: &str, version: u64) {
        self.secret(mount, path, |versions| versions.set_deleted(version, false));
    }

    /// Destroys a version: it is 404 with metadata for ever.
    #[track_caller]
    pub fn destroy(&self, mount: &str, path: &str, version: u64) {
        self.secret(mount, path, |versions| versions.destroy(version));
    }

    /// Removes a secret with all its versions, as if it had never been.
    pub fn remove(&self, mount: &str, path: &str) {
        self.state().mounts.get_mut(mount).and_then(|secrets| secrets.remove(path));
    }

    /// Lets in this token and no other from now on.
    pub fn set_token(&self, token: &str) {
        self.state().token = token.to_owned();
    }

    /// Begins a fault, or ends it with `None`.
    pub fn set_fault(&self, fault: Option<Fault>) {
        self.state().fault = fault;
    }

    /// Returns every request until now, each as `METHOD PATH?QUERY`, those with faults too.
    pub fn requests(&self) -> Vec<String> {
        self.state().requests.clone()
    }

    /// Ends it at once: connections break, new ones are refused. Secrets and tokens stay.
    pub fn kill(&self) {
        self.server().take();
    }

    /// Starts it again at the same port, with the same secrets. If it runs, kills it first.
    pub fn restart(&self) {
        let mut server = self.server();
        server.take();
        *server = Some(Server::start(self.port(), self.tls.as_ref(), Arc::clone(&self.shared)));
    }

    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.shared)
    }

    fn server(&self) -> MutexGuard<'_, Option<Server>> {
        self.server.lock().unwrap_or_else(PoisonError::into_inner)
    }

    #[track_caller]
    fn secret<T>(&self, mount: &str, path: &str, change: impl FnOnce(&mut Versions) -> T) -> T {
        let mut state = self.state();
        let Some(secrets) = state.mounts.get_mut(mount) else { panic!("there is no mount {mount}") };
        change(secrets.entry(path.to_owned()).or_default())
    }
}

// === impl Options ===

impl Options {
    /// Lets in this token.
    #[must_use]
    pub fn token(mut self, token: &str) -> Self {
        self.token = token.to_owned();
        self
    }

    /// Adds a mount of the KV engine; its name may have slashes.
    #[must_use]
    pub fn mount(mut self, name: &str) -> Self {
        self.mounts.push(name.to_owned());
        self
    }

    /// Says how long the token is said to live. It is let in after that too.
    #[must_use]
    pub fn lease(mut self, lease: Duration) -> Self {
        self.lease = lease;
        self
    }

    /// Refuses to renew the token, as the original does with a root token.
    #[must_use]
    pub fn not_renewable(mut self) -> Self {
        self.is_renewable = false;
        self
    }

    /// Speaks TLS, and nothing else.
    #[must_use]
    pub fn tls(mut self, tls: Tls) -> Self {
        self.tls = Some(tls);
        self
    }

    /// Starts it.
    pub fn start(self) -> Vault {
        let ports = Ports::take(1);
        let state = State {
            token: self.token,
            lease: self.lease,
            is_renewable: self.is_renewable,
            mounts: self.mounts.into_iter().map(|mount| (mount, BTreeMap::new())).collect(),
            fault: None,
            requests: Vec::new(),
        };
        let vault = Vault { shared: Arc::new(Mutex::new(state)), server: Mutex::new(None), tls: self.tls, ports };
        vault.restart();
        vault
    }
}

fn lock(shared: &Mutex<State>) -> MutexGuard<'_, State> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}
