//! Answers one request of a connection: names it, finds its route, hands it on, and sees the answer off.
//!
//! In: `http::Request`. Out: a response whose body is counted, watched and logged. Next: `trigger::http`.

use crate::access_log::Entry;
use crate::dev::{takes_script, with_script};
use crate::presence::Presence;
use crate::router::Match;
use crate::{Gateway, Table};
use bytes::Bytes;
use http::header::{ALLOW, HeaderValue};
use http::{Method, Request, Response};
use http_body::{Body as HttpBody, Frame, SizeHint};
use hyper::body::Incoming;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::task::{Context, Poll, ready};
use tokio::net::TcpStream;
use wharf_runtime::Component;
use wharf_telemetry::RequestId;
use wharf_trigger::http::{Matched, Origin, RequestBody, Target, X_REQUEST_ID, answer};
use wharf_trigger::{Asked, Body, BodyError, Problem};

/// One connection, as its requests see it.
pub(crate) struct Connection {
    gateway: Arc<Gateway>,
    origin: Origin,
    client: SocketAddr,
    watched: Option<Arc<TcpStream>>,
    requests: AtomicU64,
    active: AtomicUsize,
}

/// The client left before there was an answer.
#[derive(Debug, thiserror::Error)]
#[error("the client left")]
pub(crate) struct ClientGone;

impl Connection {
    pub(crate) fn new(
        gateway: Arc<Gateway>,
        origin: Origin,
        client: SocketAddr,
        watched: Option<Arc<TcpStream>>,
    ) -> Self {
        Self { gateway, origin, client, watched, requests: AtomicU64::new(0), active: AtomicUsize::new(0) }
    }

    pub(crate) fn gateway(&self) -> &Gateway {
        &self.gateway
    }

    pub(crate) fn is_watched(&self) -> bool {
        self.watched.is_some()
    }

    /// Returns how many requests came by it.
    pub(crate) fn requests(&self) -> u64 {
        self.requests.load(Relaxed)
    }

    /// Tells whether no request of it is being answered.
    pub(crate) fn is_idle(&self) -> bool {
        self.active.load(Relaxed) == 0
    }

    pub(crate) async fn answer<B: RequestBody>(
        self: Arc<Self>,
        request: Request<B>,
    ) -> Result<Response<Sent>, ClientGone> {
        let active = Active::start(&self);
        let id = self.origin.request_id(request.headers());
        if let Some(own) = self.gateway.dev.as_ref().and_then(|dev| dev.own(&request)) {
            let presence = Presence::new(self.watched.clone(), self.gateway.limits.half_closed);
            return Ok(own.map(|body| Sent::own(body, presence, id, active)));
        }
        let entry = self.gateway.access.as_ref().map(|log| Entry::start(log, &request, self.client, &id));
        let mut presence = Presence::new(self.watched.clone(), self.gateway.limits.half_closed);
        let version = match &self.gateway.dev {
            Some(dev) => Some(dev.first_version().await),
            None => None,
        };
        // After its version: a page that says an older one than it is reloads once more, with a newer one it never would.
        let table = self.gateway.table.load_full();
        let (response, component) = {
            let mut routed = pin!(self.route_or(version, &table, request, &id));
            std::future::poll_fn(|cx| match routed.as_mut().poll(cx) {
                Poll::Ready(answer) => Poll::Ready(Ok(answer)),
                Poll::Pending => presence.poll_gone(cx).map(|()| Err(ClientGone)),
            })
            .await?
        };
        let (mut parts, body) = response.into_parts();
        if let Ok(value) = HeaderValue::from_str(id.as_str()) {
            parts.headers.insert(X_REQUEST_ID, value);
        }
        let entry = entry.map(|entry| Box::new(entry.answered(&parts, component.as_deref())));
        Ok(Response::from_parts(
            parts,
            Sent { body, presence, failed: None, entry, component, id, _table: table, _active: active },
        ))
    }

    /// Routes a request, unless there is nothing yet that it could be routed to. While an app is being developed its pages get a script.
    async fn route_or<B: RequestBody>(
        &self,
        version: Option<Result<u64, Problem>>,
        table: &Table,
        request: Request<B>,
        id: &RequestId,
    ) -> (Response<Body>, Option<Arc<Component>>) {
        let takes_script = version.is_some() && takes_script(request.method(), request.headers());
        let number = version.as_ref().and_then(|version| version.as_ref().ok()).copied();
        let (response, component) = match version {
            Some(Err(problem)) => (self.origin.page.render(&problem, id, &Asked::by(request.headers())), None),
            Some(Ok(_)) | None => self.route(table, request, id).await,
        };
        (if takes_script { with_script(response, number.unwrap_or(0)) } else { response }, component)
    }

    async fn route<B: RequestBody>(
        &self,
        table: &Table,
        request: Request<B>,
        id: &RequestId,
    ) -> (Response<Body>, Option<Arc<Component>>) {
        let page = self.origin.page;
        let asked = Asked::by(request.headers());
        if request.method() == Method::CONNECT {
            let problem = Problem::bad_request("CONNECT is for proxies, and this is none");
            return (page.render(&problem, id, &asked), None);
        }
        let uri = request.uri().clone();
        let host = request.headers().get(http::header::HOST).cloned();
        let host = uri.host().or_else(|| host.as_ref().and_then(|host| host.to_str().ok()));
        match table.router.find(host, uri.path(), request.method()) {
            Match::Found(found) => {
                let params: Vec<_> = found.params().collect();
                // What `/...` stands for is the path itself, which the guest has.
                let rest = found.rest().filter(|_| !found.route.path.segments().is_empty());
                let described = !params.is_empty() || rest.is_some();
                let route = if described { found.route.path.to_string() } else { String::new() };
                let matched = Matched { route: &route, params: &params, rest };
                let component = match found.target {
                    Target::Component(component) => Some(Arc::clone(component)),
                    Target::Chain(chain) => Some(Arc::clone(chain.first().0)),
                    Target::Static(_) => None,
                };
                (answer(found.target, &matched, request, &self.origin, id).await, component)
            }
            Match::NotFound => (page.render(&Problem::not_found(), id, &asked), None),
            Match::MethodNotAllowed { allow } => {
                let mut response = page.render(&Problem::method_not_allowed(), id, &asked);
                if let Ok(value) = HeaderValue::try_from(allow.join(", ")) {
                    response.headers_mut().insert(ALLOW, value);
                }
                (response, None)
            }
        }
    }
}

/// The service that hyper calls.
pub(crate) struct Service(pub(crate) Arc<Connection>);

impl hyper::service::Service<Request<Incoming>> for Service {
    type Response = Response<Sent>;
    type Error = ClientGone;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Sent>, ClientGone>> + Send>>;

    fn call(&self, request: Request<Incoming>) -> Self::Future {
        Box::pin(Arc::clone(&self.0).answer(request))
    }
}

/// Counts a request as active as long as it is being answered.
struct Active(Arc<Connection>);

impl Active {
    fn start(connection: &Arc<Connection>) -> Self {
        connection.requests.fetch_add(1, Relaxed);
        connection.active.fetch_add(1, Relaxed);
        Self(Arc::clone(connection))
    }
}

impl Drop for Active {
    fn drop(&mut self) {
        self.0.active.fetch_sub(1, Relaxed);
    }
}

/// The body of an answer on its way to the client. Dropped when it was sent, or when the client left.
pub(crate) struct Sent {
    body: Body,
    presence: Presence,
    /// A failure that waits until what was written before it is on its way.
    failed: Option<BodyError>,
    entry: Option<Box<Entry>>,
    component: Option<Arc<Component>>,
    id: RequestId,
    /// Keeps the version of the app that answers: its components may call each other until the last byte.
    _table: Arc<Table>,
    _active: Active,
}

impl Sent {
    /// The body of an answer that no app gives.
    fn own(body: Body, presence: Presence, id: RequestId, active: Active) -> Self {
        let table = Arc::default();
        Self { body, presence, failed: None, entry: None, component: None, id, _table: table, _active: active }
    }

    fn note(&mut self, frame: &Result<Frame<Bytes>, BodyError>) {
        match frame {
            Ok(frame) => {
                if let (Some(entry), Some(data)) = (&mut self.entry, frame.data_ref()) {
                    entry.count(data.len());
                }
            }
            Err(BodyError(failure)) => {
                if let Some(component) = &self.component {
                    failure.report(component.identity(), Some(&self.id));
                }
                if let Some(entry) = &mut self.entry {
                    entry.broke_off(failure.cause.code());
                }
            }
        }
    }
}

impl HttpBody for Sent {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        if let Some(error) = self.failed.take() {
            return Poll::Ready(Some(Err(error)));
        }
        let frame = match Pin::new(&mut self.body).poll_frame(cx) {
            Poll::Ready(frame) => frame,
            Poll::Pending => {
                ready!(self.presence.poll_gone(cx));
                let gone = wharf_runtime::Cause::BrokenBody("the client left".to_owned());
                return Poll::Ready(Some(Err(BodyError(gone.into()))));
            }
        };
        if let Some(frame) = &frame {
            self.note(frame);
        }
        match frame {
            // The connection throws away what it has not written when the body fails. It writes while the body is pending.
            Some(Err(error)) => {
                self.failed = Some(error);
                cx.waker().wake_by_ref();
                Poll::Pending
            }
            frame => Poll::Ready(frame),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
