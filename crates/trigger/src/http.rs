//! Stop 6 of the walk: a request and its route become an invocation, the outcome becomes a response.
//!
//! In: a request and the [`Target`] that its route names, from `gateway`. Out: a response. Next: `runtime::invoke::http`.

use crate::body::{LimitedBody, Overrun};
use crate::forwarded::Forwarding;
use crate::{Asked, Body, Chain, ErrorPage, Problem};
use bytes::Bytes;
use http::header::{CONTENT_LENGTH, HOST, HeaderMap, HeaderName, HeaderValue};
use http::uri::{Authority, PathAndQuery, Scheme};
use http::{Request, Response, StatusCode, Uri};
use http_body::Body as HttpBody;
use http_body_util::BodyExt;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use wasmtime_wasi_http::Error;
use wharf_host::{Caller, Next};
use wharf_runtime::{Call, Cause, Component, GuestBody, invoke};
use wharf_telemetry::RequestId;

/// Carries the request's id, in and out.
pub const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

const WHARF_ROUTE: HeaderName = HeaderName::from_static("wharf-route");
const WHARF_PATH_INFO: HeaderName = HeaderName::from_static("wharf-path-info");

/// What answers a route.
#[derive(Clone)]
pub enum Target {
    /// A component.
    Component(Arc<Component>),
    /// A component behind others.
    Chain(Chain),
    /// An answer that stands in the manifest.
    Static(Arc<StaticAnswer>),
}

/// An answer that stands in the manifest.
#[derive(Clone, Debug)]
pub struct StaticAnswer {
    /// The status.
    pub status: StatusCode,
    /// All headers but the length.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
}

/// What a route matched, for the guest.
#[derive(Clone, Debug, Default)]
pub struct Matched<'a> {
    /// The route as it stands in the manifest.
    pub route: &'a str,
    /// The values of its `:names`.
    pub params: &'a [(&'a str, &'a str)],
    /// What `...` stands for.
    pub rest: Option<&'a str>,
}

/// What is known of the connection that a request came by.
#[derive(Clone, Debug)]
pub struct Origin {
    /// Whether it is TLS.
    pub secure: bool,
    /// What a guest is told of the way.
    pub forwarding: Forwarding,
    /// How errors look.
    pub page: ErrorPage,
}

impl Origin {
    /// Names a request: as a trusted proxy named it, or anew. A client's own name is taken too, since it opens no door, if it is
    /// safe to print.
    pub fn request_id(&self, headers: &HeaderMap) -> RequestId {
        let sent = headers.get(X_REQUEST_ID).and_then(|value| value.to_str().ok());
        sent.and_then(RequestId::accept).unwrap_or_default()
    }
}

/// The body of a request, wherever it comes from.
pub trait RequestBody: HttpBody<Data = Bytes, Error: Into<Error>> + Send + Unpin + 'static {}

impl<B> RequestBody for B where B: HttpBody<Data = Bytes, Error: Into<Error>> + Send + Unpin + 'static {}

/// Answers one request.
///
/// Dropping the future or the body of the response cancels the guest.
pub async fn answer<B>(
    target: &Target,
    matched: &Matched<'_>,
    request: Request<B>,
    origin: &Origin,
    id: &RequestId,
) -> Response<Body>
where
    B: RequestBody,
{
    match target {
        Target::Static(answer) => answer.respond(),
        Target::Component(component) => call(component, None, matched, request, origin, id).await,
        Target::Chain(chain) => {
            let (first, next) = chain.first();
            call(first, next, matched, request, origin, id).await
        }
    }
}

async fn call<B>(
    component: &Arc<Component>,
    next: Option<Arc<dyn Next>>,
    matched: &Matched<'_>,
    request: Request<B>,
    origin: &Origin,
    id: &RequestId,
) -> Response<Body>
where
    B: RequestBody,
{
    let asked = Asked::by(request.headers());
    let limit_bytes = component.limits().request_body_bytes;
    if declared_length(request.headers()).is_some_and(|length| length > limit_bytes) {
        return origin.page.failure(&Cause::RequestBody { limit_bytes }.into(), id, &asked);
    }
    let (request, mut overrun) = match prepare(matched, request, origin, id, limit_bytes) {
        Ok(request) => request,
        Err(problem) => return origin.page.render(&problem, id, &asked),
    };
    let caller = Caller { request: Some(id.clone()), depth: 0, next };
    let mut handled = pin!(invoke::http::handle(component, Call { request, caller }));
    let handled = std::future::poll_fn(|cx| {
        let polled = handled.as_mut().poll(cx);
        // Wins over an answer, which would be one to a part of the request; nothing of it was sent yet.
        if let Poll::Ready(failure) = overrun.poll(cx) { Poll::Ready(Err(failure)) } else { polled }
    })
    .await;
    match handled {
        // A guest that has ended reads no more.
        Ok(response) if response.body().is_complete() => guest_response(response, Overrun::default()),
        Ok(response) => guest_response(response, overrun),
        Err(failure) => {
            failure.report(component.identity(), Some(id));
            origin.page.failure(&failure, id, &asked)
        }
    }
}

fn guest_response(response: Response<GuestBody>, overrun: Overrun) -> Response<Body> {
    response.map(|body| Body::Guest { body: Box::new(body), overrun })
}

/// Makes of the client's request what a guest may see.
fn prepare<B>(
    matched: &Matched<'_>,
    request: Request<B>,
    origin: &Origin,
    id: &RequestId,
    limit_bytes: u64,
) -> Result<(Request<wasmtime_wasi_http::WasiBody>, Overrun), Problem>
where
    B: RequestBody,
{
    let (mut parts, body) = request.into_parts();
    parts.uri = absolute(&parts.uri, &parts.headers, origin.secure)?;
    origin.forwarding.apply(&mut parts.headers);
    if let Ok(value) = HeaderValue::from_str(id.as_str()) {
        parts.headers.insert(X_REQUEST_ID, value);
    }
    describe(matched, &mut parts.headers);
    let (body, overrun) = LimitedBody::new(body, limit_bytes);
    Ok((Request::from_parts(parts, body.boxed_unsync()), overrun))
}

/// Tells the guest what its route matched, where that says more than the path does.
fn describe(matched: &Matched<'_>, headers: &mut HeaderMap) {
    if matched.params.is_empty() && matched.rest.is_none() {
        return;
    }
    let mut insert = |name: HeaderName, text: &str| {
        if let Ok(value) = HeaderValue::from_str(text) {
            headers.insert(name, value);
        }
    };
    insert(WHARF_ROUTE, matched.route);
    if let Some(rest) = matched.rest {
        insert(WHARF_PATH_INFO, rest);
    }
    for (name, value) in matched.params {
        if let Ok(name) = HeaderName::try_from(format!("wharf-param-{name}")) {
            insert(name, value);
        }
    }
}

/// Returns the request's URI with scheme and authority: guests of WASI 0.3 get them only from there.
fn absolute(uri: &Uri, headers: &HeaderMap, secure: bool) -> Result<Uri, Problem> {
    let authority = match uri.authority() {
        Some(authority) => authority.clone(),
        None => {
            let host = headers.get(HOST).ok_or_else(|| Problem::bad_request("the request names no host"))?;
            Authority::try_from(host.as_bytes()).map_err(|_| Problem::bad_request("the host header is no host"))?
        }
    };
    let mut parts = http::uri::Parts::default();
    parts.scheme = Some(if secure { Scheme::HTTPS } else { Scheme::HTTP });
    parts.authority = Some(authority);
    // `OPTIONS *` has a path that is none; guests get it as it came.
    parts.path_and_query = uri.path_and_query().cloned().or(Some(PathAndQuery::from_static("/")));
    Uri::from_parts(parts).map_err(|_| Problem::bad_request("the request's target is no URI"))
}

fn declared_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

impl StaticAnswer {
    fn respond(&self) -> Response<Body> {
        let body = if self.body.is_empty() { Body::Empty } else { Body::Whole(self.body.clone()) };
        let mut response = Response::new(body);
        *response.status_mut() = self.status;
        *response.headers_mut() = self.headers.clone();
        response
    }
}

#[cfg(test)]
mod tests;
