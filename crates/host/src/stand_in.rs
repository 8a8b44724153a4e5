//! Who answers in the place of servers: for tests of apps, which reach no server.
//!
//! In: requests of guests that their grants allow. Out: what a test has for them. Next: [`Servers`].

use crate::Busy;
use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody};
use wharf_http::Client;

/// Bytes of a request's body, or of a recorded answer.
const BODY_BYTES: usize = 16 << 20;

/// What there is for a request.
pub enum Reply {
    /// This answer.
    Answer(http::Response<Bytes>),
    /// No connection.
    Unreachable,
    /// No answer in time.
    Late,
    /// The connection ends before the answer begins.
    BrokenOff,
    /// Nobody knows the name.
    Unknown,
    /// What the server itself says, which is then [noted](Servers::note). Time stands still meanwhile.
    Ask(Busy),
}

/// The reply, on its way. Polled inside the caller's store, so it may not run another store on the spot.
pub type ReplyFuture = Pin<Box<dyn Future<Output = Reply> + Send>>;

/// Answers in the place of servers.
pub trait Servers: Send + Sync {
    /// Begins to answer a request, whose URI is absolute. `patience` is how long the guest waits for the first byte.
    fn answer(&self, request: http::Request<Bytes>, patience: Option<Duration>) -> ReplyFuture;

    /// Takes note of what a server answered where the reply was [`Reply::Ask`].
    fn note(&self, request: &http::Request<Bytes>, response: &http::Response<Bytes>);
}

/// Sends a request of a guest to those who stand in for servers, if its grants let it go to servers.
pub(crate) async fn send(
    servers: Arc<dyn Servers>,
    real: Client,
    request: http::Request<WasiBody>,
    options: Option<RequestOptions>,
) -> Result<http::Response<WasiBody>, Error> {
    wharf_http::wit::permit(&real, request.method(), request.uri())?;
    let (parts, body) = request.into_parts();
    let body = collect(body).await.map_err(|_| Error::HttpRequestBodySize(None))?;
    let request = http::Request::from_parts(parts, body);
    let patience = options.as_ref().and_then(|options| options.first_byte_timeout);
    match servers.answer(request.clone(), patience).await {
        Reply::Answer(response) => Ok(response.map(whole)),
        Reply::Unreachable => Err(Error::ConnectionRefused),
        Reply::Late => Err(Error::HttpResponseTimeout),
        Reply::BrokenOff => Err(Error::ConnectionTerminated),
        Reply::Unknown => Err(Error::DnsError { rcode: None, info_code: None }),
        Reply::Ask(_busy) => {
            let (response, _sent) = wharf_http::wit::send(&real, request.clone().map(whole), options).await?;
            let (parts, body) = response.into_parts();
            let body = collect(body).await.map_err(|_| Error::HttpResponseIncomplete)?;
            let response = http::Response::from_parts(parts, body);
            servers.note(&request, &response);
            Ok(response.map(whole))
        }
    }
}

async fn collect(body: WasiBody) -> Result<Bytes, Box<dyn std::error::Error + Send + Sync>> {
    Limited::new(body, BODY_BYTES).collect().await.map(http_body_util::Collected::to_bytes)
}

fn whole(bytes: Bytes) -> WasiBody {
    Full::new(bytes).map_err(|never: Infallible| match never {}).boxed_unsync()
}
