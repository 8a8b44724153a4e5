//! Where a guest's outgoing HTTP requests go: to another component of the app, or to a server, if it was granted.
//!
//! In: `wasi:http` requests of a guest, 0.2 and 0.3. Out: a response, or the interface's own "denied". Next: [`Peers`], or
//! [`wharf_http`].
//!
//! Invariant: an in-process call never touches a socket, and the name it goes by is never looked up.

use crate::Caller;
use crate::stand_in::{self, Servers};
use http::Uri;
use http::uri::Scheme;
use std::collections::BTreeSet;
use std::pin::Pin;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use wasmtime_wasi_http::{
    DEFAULT_FORBIDDEN_HEADERS, Error, ForbiddenHeaderFilter, RequestOptions, WasiBody, WasiHttpHooks,
};
use wharf_http::Client;
use wharf_kit::{Counts, Usage};

/// The end of the host names by which components of one app reach each other.
pub const INTERNAL_SUFFIX: &str = ".wharf.internal";

/// How deep components may call each other in process before the chain is taken for a loop.
pub(crate) const DEPTH: u8 = 16;

/// Hosts that a component was refused and that were logged; further ones are refused in silence.
const REMEMBERED: usize = 64;

/// The answer of another component, on its way.
pub type CallFuture = Pin<Box<dyn Future<Output = Result<http::Response<WasiBody>, Error>> + Send>>;

/// Calls another component of the same app.
pub trait Peers: Send + Sync {
    /// Starts the call. The future and the body of its answer are polled inside the caller's store, so neither may run another store
    /// on the spot: implementations hand the work to a task.
    fn call(&self, component: &str, request: http::Request<WasiBody>, caller: Caller) -> CallFuture;
}

/// What one component may call, shared by all its instances.
pub struct Outbound {
    app: Arc<str>,
    component: Arc<str>,
    granted: BTreeSet<String>,
    peers: Arc<dyn Peers>,
    servers: Option<Client>,
    stand_in: Option<Arc<dyn Servers>>,
    refused: Mutex<BTreeSet<String>>,
}

/// Where a request goes.
enum Way<'a> {
    /// To this component.
    Peer(String),
    /// Out.
    Server(&'a Client),
}

impl Outbound {
    /// Returns the outbound side of `component`, which may call the components named in `granted`.
    pub fn new(app: Arc<str>, component: Arc<str>, granted: BTreeSet<String>, peers: Arc<dyn Peers>) -> Self {
        Self { app, component, granted, peers, servers: None, stand_in: None, refused: Mutex::default() }
    }

    /// Adds the way to servers, which has grants of its own.
    #[must_use]
    pub fn with_servers(self, servers: Client) -> Self {
        Self { servers: Some(servers), ..self }
    }

    /// Lets `stand_in` answer what its grants let go to servers.
    #[must_use]
    pub fn standing_in(self, stand_in: Arc<dyn Servers>) -> Self {
        Self { stand_in: Some(stand_in), ..self }
    }

    /// Returns the outbound side of a component that may call nothing.
    pub fn denied(app: Arc<str>, component: Arc<str>) -> Self {
        struct Nobody;
        impl Peers for Nobody {
            fn call(&self, _: &str, _: http::Request<WasiBody>, _: Caller) -> CallFuture {
                Box::pin(async { Err(Error::DestinationNotFound) })
            }
        }
        Self::new(app, component, BTreeSet::new(), Arc::new(Nobody))
    }

    fn route(&self, uri: &Uri) -> Result<Way<'_>, Error> {
        let host = uri.host().unwrap_or_default().to_ascii_lowercase();
        let Some(peer) = host.strip_suffix(INTERNAL_SUFFIX) else {
            let refused = || {
                self.refuse(uri, &host);
                Error::HttpRequestDenied
            };
            return self.servers.as_ref().map(Way::Server).ok_or_else(refused);
        };
        if !self.granted.contains(peer) {
            self.refuse(uri, &host);
            return Err(Error::HttpRequestDenied);
        }
        if uri.scheme() != Some(&Scheme::HTTP) {
            tracing::warn!(app = %self.app, component = %self.component, "components call each other by http://, not {uri}");
            return Err(Error::HttpRequestUriInvalid);
        }
        Ok(Way::Peer(peer.to_owned()))
    }

    /// Says once a component and host what was refused and which line of the manifest would allow it.
    fn refuse(&self, uri: &Uri, host: &str) {
        let mut refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        if refused.len() >= REMEMBERED || !refused.insert(host.to_owned()) {
            return;
        }
        drop(refused);
        let (app, component) = (&self.app, &self.component);
        let scheme = uri.scheme_str().unwrap_or("http");
        if host.ends_with(INTERNAL_SUFFIX) {
            tracing::warn!(
                %app, %component,
                "WHARF-0020: a call to {scheme}://{host} was refused: it is not granted. To allow it, add to the manifest:\n\
                 \n  [component.{component}.grants]\n  http = [\"http://{host}\"]\n"
            );
        } else {
            tracing::warn!(
                %app, %component,
                "WHARF-0021: a request to {scheme}://{host} was refused: this component can reach no server"
            );
        }
    }
}

/// The engine's hooks of one store.
pub(crate) struct Hooks {
    outbound: Arc<Outbound>,
    caller: Caller,
    /// What the store sent to servers; absent as long as that is nothing.
    usage: Option<Arc<Usage>>,
}

impl Hooks {
    pub(crate) fn new(outbound: Arc<Outbound>, caller: Caller) -> Self {
        Self { outbound, caller, usage: None }
    }

    /// Returns what the store sent to servers so far, without requests whose answers it still reads.
    pub(crate) fn counts(&self) -> Counts {
        self.usage.as_deref().map(Usage::counts).unwrap_or_default()
    }
}

/// Headers that belong to the connection and not to a guest. One closure for all: the engine's default makes one a header.
static FORBIDDEN: LazyLock<ForbiddenHeaderFilter> =
    LazyLock::new(|| Arc::new(|name| DEFAULT_FORBIDDEN_HEADERS.contains(name)));

pub(crate) type SentFuture = Box<dyn Future<Output = Result<(), Error>> + Send>;
pub(crate) type ResponseFuture = Box<dyn Future<Output = Result<(http::Response<WasiBody>, SentFuture), Error>> + Send>;

pub(crate) fn is_forbidden(name: &http::HeaderName) -> bool {
    DEFAULT_FORBIDDEN_HEADERS.contains(name)
}

pub(crate) fn forbidden() -> ForbiddenHeaderFilter {
    Arc::clone(&FORBIDDEN)
}

impl WasiHttpHooks for Hooks {
    fn is_forbidden_header(&mut self, name: &http::HeaderName) -> bool {
        is_forbidden(name)
    }

    fn forbidden_header_filter(&mut self) -> ForbiddenHeaderFilter {
        forbidden()
    }

    fn send_request(
        &mut self,
        request: http::Request<WasiBody>,
        options: Option<RequestOptions>,
        _sent: SentFuture,
    ) -> ResponseFuture {
        let peer = match self.outbound.route(request.uri()) {
            Ok(Way::Peer(peer)) => peer,
            Ok(Way::Server(servers)) => {
                let servers = servers.counting(Arc::clone(self.usage.get_or_insert_default()));
                let Some(stand_in) = &self.outbound.stand_in else {
                    return Box::new(wharf_http::wit::send(&servers, request, options));
                };
                let answer = stand_in::send(Arc::clone(stand_in), servers, request, options);
                return Box::new(async move { Ok((answer.await?, Box::new(async { Ok(()) }) as SentFuture)) });
            }
            Err(error) => return Box::new(async move { Err(error) }),
        };
        if self.caller.depth >= DEPTH {
            return Box::new(async { Err(Error::LoopDetected) });
        }
        let caller = Caller { request: self.caller.request.clone(), depth: self.caller.depth + 1, next: None };
        let call = self.outbound.peers.call(&peer, request, caller);
        let first_byte = options.and_then(|options| options.first_byte_timeout);
        Box::new(async move {
            let response = match first_byte {
                Some(limit) => tokio::time::timeout(limit, call).await.map_err(|_| Error::HttpResponseTimeout)??,
                None => call.await?,
            };
            Ok((response, Box::new(async { Ok(()) }) as SentFuture))
        })
    }
}

#[cfg(test)]
mod tests;
