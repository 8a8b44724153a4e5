//! The outbound HTTP of one component.
//!
//! In: a request. Out: its answer, with a body that streams. Next: [`crate::connect`], or a connection from [`crate::pool`].

use crate::body::{Body, Hold, Outgoing, Progress, ResponseBody, Sent};
use crate::connection;
use crate::grants::Grants;
use crate::meter::Call;
use crate::pool::{Lease, Pool, Shared};
use crate::quota::Quota;
use crate::resolve::{Resolver, System};
use crate::settings::{Asked, Settings, Timeouts};
use crate::tls::Trust;
use crate::{Error, Target, connect};
use http::header::{CONNECTION, CONTENT_LENGTH, HOST, HeaderMap, HeaderName, HeaderValue, TRANSFER_ENCODING, UPGRADE};
use http::uri::PathAndQuery;
use http::{Method, Request, Response, StatusCode, Uri, Version};
use http_body::Body as _;
use hyper::body::Incoming;
use std::convert::Infallible;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout, timeout_at};
use wharf_app::HttpGrant;
use wharf_kit::{PerThread, Usage, Who};
use wharf_telemetry::clock;

/// No one waits longer for a connection, whatever the settings are; an instant has to be one.
const CONNECT_MAX: Duration = Duration::from_secs(3600);

/// Header fields that are between two ends of a connection, and say nothing about the answer.
const HOP_BY_HOP: [HeaderName; 5] = [
    CONNECTION,
    TRANSFER_ENCODING,
    UPGRADE,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
];

/// What all clients of a process share.
pub struct Network {
    /// The numbers.
    pub settings: Settings,
    /// Whom to trust.
    pub trust: Trust,
    /// Who looks names up.
    pub resolver: Arc<dyn Resolver>,
}

impl Default for Network {
    fn default() -> Self {
        Self { settings: Settings::default(), trust: Trust::default(), resolver: Arc::new(System::default()) }
    }
}

/// The outbound HTTP of one component: its grants, its connections, its numbers. Cheap to clone.
#[derive(Clone)]
pub struct Client {
    inner: Arc<Inner>,
    /// The numbers of one invocation.
    invocation: Option<Arc<Usage>>,
}

pub(crate) struct Inner {
    pub(crate) network: Arc<Network>,
    pub(crate) grants: Grants,
    quota: Arc<Quota>,
    usage: Arc<Usage>,
    turns: Arc<Semaphore>,
    pools: PerThread<Arc<Pool>>,
}

impl Client {
    /// Returns the client of a component. Loads the platform's certificates if it is the first that may need them, which blocks on files.
    ///
    /// `quota` is that of the app, `usage` that of the component.
    pub fn new(network: Arc<Network>, who: Who, grants: Vec<HttpGrant>, quota: Arc<Quota>, usage: Arc<Usage>) -> Self {
        let grants = Grants::new(who, grants);
        if grants.has_https() {
            network.trust.warm();
        }
        let turns = Arc::new(Semaphore::new(network.settings.limits.requests.clamp(1, Semaphore::MAX_PERMITS)));
        let inner = Inner { network, grants, quota, usage, turns, pools: PerThread::default() };
        Self { inner: Arc::new(inner), invocation: None }
    }

    /// Returns the same client, which counts its requests here too.
    #[must_use]
    pub fn counting(&self, invocation: Arc<Usage>) -> Self {
        Self { inner: Arc::clone(&self.inner), invocation: Some(invocation) }
    }

    /// Sends a request, and waits for the head of the answer. Needs a tokio runtime; the connection stays on it.
    ///
    /// Redirects are answers like others. Dropping the future, or the body of the answer before its end, ends the exchange: with HTTP/1.1
    /// the connection is closed, with HTTP/2 the stream is reset.
    ///
    /// # Errors
    /// See [`Error`].
    pub fn send(
        &self,
        request: Request<Body>,
        asked: Asked,
    ) -> impl Future<Output = Result<(Response<ResponseBody>, Sent), Error>> + Send + 'static {
        let Self { inner, invocation } = self.clone();
        async move { inner.send(request, asked, invocation).await }
    }

    /// Tells whether the component may send such a request. The address that the name leads to is not looked at.
    ///
    /// # Errors
    /// What [`Self::send`] would say.
    pub fn permit(&self, method: &Method, uri: &Uri) -> Result<(), Error> {
        self.inner.check_grant(&target_of(method, uri)?)
    }
}

impl Inner {
    async fn send(
        &self,
        request: Request<Body>,
        asked: Asked,
        invocation: Option<Arc<Usage>>,
    ) -> Result<(Response<ResponseBody>, Sent), Error> {
        let settings = &self.network.settings;
        let progress = Progress::new();
        let mut call = Call::new(Arc::clone(&self.usage), invocation, Arc::clone(&progress));
        let mut request = request.map(|body| Outgoing::new(body, Arc::clone(&progress)));
        let answered = async {
            let target = self.check(&mut request)?;
            let timeouts = settings.timeouts_for(&target).lowered(asked);
            let answered = self.exchange(request, &target, &progress, timeouts).await?;
            Ok((answered, timeouts.between_bytes))
        };
        match answered.await {
            Ok(((response, lease, turn), between_bytes)) => {
                call.answered();
                let hold = Hold { lease, call, turn };
                let body = |body| ResponseBody::new(body, hold, between_bytes, settings.limits.fields);
                Ok((response.map(body), Sent(progress)))
            }
            Err(error) => {
                call.failed(&error);
                Err(error)
            }
        }
    }

    /// Decides whether the request may be sent, and takes out of it what is not the guest's to say.
    fn check(&self, request: &mut Request<Outgoing>) -> Result<Target, Error> {
        let target = target_of(request.method(), request.uri())?;
        remove_hop_by_hop(request.headers_mut());
        if !has_one_length(request.headers()) {
            return Err(Error::ContentLength);
        }
        self.check_grant(&target)?;
        Ok(target)
    }

    fn check_grant(&self, target: &Target) -> Result<(), Error> {
        if self.grants.check_url(target) { Ok(()) } else { Err(Error::Denied { url: target.to_string() }) }
    }

    async fn exchange(
        &self,
        request: Request<Outgoing>,
        target: &Target,
        progress: &Progress,
        timeouts: Timeouts,
    ) -> Result<(Response<Incoming>, Lease, OwnedSemaphorePermit), Error> {
        let deadline = Instant::from_std(clock::now()) + timeouts.connect.min(CONNECT_MAX);
        let turn = timeout_at(deadline, Arc::clone(&self.turns).acquire_owned()).await;
        let busy = || Error::Requests(self.network.settings.limits.requests);
        let turn = turn.map_err(|_| busy())?.map_err(|_| busy())?;
        let pool = self.pool();
        let lease = match Self::kept(&pool, target).await {
            Some(lease) => lease,
            None => self.connect(&pool, target, deadline).await?,
        };
        let (again, uri) = (lease.reused.then(|| repeated(&request)).flatten(), request.uri().clone());
        let may_be_stale = lease.reused;
        let failed = match self.ask(lease, request, target, (progress, timeouts.first_byte)).await {
            Ok((response, lease)) => return Ok((response, lease, turn)),
            Err(failed) => failed,
        };
        // The server may have closed the connection while it was unused: either nothing of the request was written, or it is one that
        // does no more when it comes twice.
        let again = match failed {
            (Error::Terminated | Error::Protocol(_), unsent) if may_be_stale => unsent.or(again).ok_or(failed.0)?,
            (error, _) => return Err(error),
        };
        let mut request = again;
        *request.uri_mut() = uri;
        let lease = self.connect(&pool, target, deadline).await?;
        let asked = self.ask(lease, request, target, (progress, timeouts.first_byte)).await;
        let (response, lease) = asked.map_err(|(error, _)| error)?;
        Ok((response, lease, turn))
    }

    /// Returns a connection that was used before and is free.
    async fn kept(pool: &Arc<Pool>, target: &Target) -> Option<Lease> {
        let mut lease = pool.take(target)?;
        if lease.sender().becomes_free().await {
            return Some(lease);
        }
        lease.put_back();
        None
    }

    fn pool(&self) -> Arc<Pool> {
        let make = || Ok::<_, Infallible>(Arc::new(Pool::new(self.network.settings.limits, Arc::clone(&self.quota))));
        self.pools.get_or_try_make(make).unwrap_or_else(|never| match never {})
    }

    /// Makes a connection, unless one is returned while the app has no place for another.
    async fn connect(&self, pool: &Arc<Pool>, target: &Target, deadline: Instant) -> Result<Lease, Error> {
        let limits = &self.network.settings.limits;
        let mut waiting = pool.wait(target);
        let place = tokio::select! {
            biased;
            place = timeout_at(deadline, self.quota.place()) => place.map_err(|_| self.quota.exhausted())??,
            lease = waiting.returned() => return Ok(lease),
        };
        drop(waiting);
        let stream = connect::open(self, target, place, deadline).await?;
        let shared = Shared::new(target.clone());
        let begun = connection::begin(stream, limits, &shared, Arc::downgrade(pool), &self.quota);
        let late = |_| Error::ConnectTimeout { url: target.to_string() };
        let begun = timeout_at(deadline, begun).await.map_err(late)?;
        let sender = begun.map_err(|error| Error::from_head(error, limits.head_bytes, limits.fields))?;
        Ok(pool.admit(sender, shared))
    }

    /// Sends the request on a connection. What was not begun to be written comes back with the error.
    async fn ask(
        &self,
        mut lease: Lease,
        mut request: Request<Outgoing>,
        target: &Target,
        (progress, limit): (&Progress, Duration),
    ) -> Result<(Response<Incoming>, Lease), (Error, Option<Request<Outgoing>>)> {
        let limits = &self.network.settings.limits;
        let sender = lease.sender();
        address(&mut request, target, sender.share().is_some()).map_err(|error| (error, None))?;
        progress.touch();
        let response = match within(progress, limit, sender.send(request)).await {
            Err(error) => return Err((error, None)),
            Ok(Err(mut failed)) => {
                let request = failed.take_message();
                let error = Error::from_head(failed.into_error(), limits.head_bytes, limits.fields);
                return Err((progress.failure().unwrap_or(error), request));
            }
            Ok(Ok(response)) => response,
        };
        let response = checked(response, limits.head_bytes, limits.fields).map_err(|error| (error, None))?;
        Ok((response, lease))
    }
}

fn target_of(method: &Method, uri: &Uri) -> Result<Target, Error> {
    let target = Target::of(uri)?;
    if *method == Method::CONNECT { Err(Error::Method) } else { Ok(target) }
}

/// Returns the same request again, if it may be sent twice: it changes nothing at the server, or the same thing, and has no body.
fn repeated(request: &Request<Outgoing>) -> Option<Request<Outgoing>> {
    let has_body = !request.body().is_end_stream();
    // HTTP/1.1 has no body with these unless its length was said before.
    let is_read = matches!(*request.method(), Method::GET | Method::HEAD);
    let has_none = !has_body || (is_read && !request.headers().contains_key(CONTENT_LENGTH));
    if !request.method().is_idempotent() || !has_none {
        return None;
    }
    let mut again = Request::new(request.body().emptied());
    *again.method_mut() = request.method().clone();
    *again.headers_mut() = request.headers().clone();
    Some(again)
}

/// Waits for an answer, the limit counted anew from each piece of the request that the server takes: a long upload is no slow answer.
async fn within<T>(progress: &Progress, limit: Duration, answer: impl Future<Output = T>) -> Result<T, Error> {
    let mut answer = pin!(answer);
    let mut left = limit;
    loop {
        if let Ok(answer) = timeout(left, answer.as_mut()).await {
            return Ok(answer);
        }
        left = limit.saturating_sub(progress.idle());
        if left.is_zero() {
            return Err(Error::FirstByte(limit));
        }
    }
}

/// Says whom the request is for, as the protocol has it. What a guest said about it elsewhere does not count.
fn address(request: &mut Request<Outgoing>, target: &Target, http2: bool) -> Result<(), Error> {
    if http2 {
        request.headers_mut().remove(HOST);
        *request.version_mut() = Version::HTTP_2;
        return Ok(());
    }
    let host =
        HeaderValue::try_from(target.authority()).map_err(|_| Error::InvalidUrl("its host is no header value"))?;
    request.headers_mut().insert(HOST, host);
    let path = request.uri().path_and_query().cloned();
    *request.uri_mut() = Uri::from(path.unwrap_or_else(|| PathAndQuery::from_static("/")));
    *request.version_mut() = Version::HTTP_11;
    Ok(())
}

fn checked(mut response: Response<Incoming>, bytes: u32, fields: usize) -> Result<Response<Incoming>, Error> {
    if response.status() == StatusCode::SWITCHING_PROTOCOLS {
        return Err(Error::Upgrade);
    }
    if response.headers().len() > fields {
        return Err(Error::Head { bytes, fields });
    }
    remove_hop_by_hop(response.headers_mut());
    response.extensions_mut().clear();
    Ok(response)
}

/// Tells whether all who read the head find the same length of the body: one number, or none. Where they differ, one request is made to
/// look like two.
fn has_one_length(headers: &HeaderMap) -> bool {
    let mut lengths = headers.get_all(CONTENT_LENGTH).iter();
    let length = lengths.next().is_none_or(|length| {
        let digits = length.as_bytes();
        digits.iter().all(u8::is_ascii_digit) && length.to_str().is_ok_and(|digits| digits.parse::<u64>().is_ok())
    });
    length && lengths.next().is_none()
}

fn remove_hop_by_hop(headers: &mut HeaderMap) {
    let named: Vec<HeaderName> = headers
        .get_all(CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|name| HeaderName::try_from(name.trim()).ok())
        .collect();
    for name in HOP_BY_HOP.iter().chain(&named) {
        headers.remove(name);
    }
}
