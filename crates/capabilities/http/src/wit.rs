//! The client in the types of `wasi:http`, 0.2 and 0.3: the engine has one set of them for both.
//!
//! In: what the engine's hook gets. Out: what it returns. Next: [`Client`].

use crate::{Asked, Client, Error};
use http_body_util::BodyExt;
use std::io;
use wasmtime_wasi_http::{Error as WasiError, RequestOptions, WasiBody};

/// Completes when the request was sent as a whole.
pub type SentFuture = Box<dyn Future<Output = Result<(), WasiError>> + Send>;

/// Sends a request of a guest. See [`Client::send`].
///
/// # Errors
/// What the interface has for an [`Error`].
pub fn send(
    client: &Client,
    request: http::Request<WasiBody>,
    options: Option<RequestOptions>,
) -> impl Future<Output = Result<(http::Response<WasiBody>, SentFuture), WasiError>> + Send + 'static {
    let options = options.unwrap_or_default();
    let asked = Asked {
        connect: options.connect_timeout,
        first_byte: options.first_byte_timeout,
        between_bytes: options.between_bytes_timeout,
    };
    let answer = client.send(request.map(|body| body.map_err(from_wasi).boxed_unsync()), asked);
    async move {
        let (response, sent) = answer.await.map_err(to_wasi)?;
        let response = response.map(|body| body.map_err(to_wasi).boxed_unsync());
        let sent: SentFuture = Box::new(async move { sent.whole().await.map_err(to_wasi) });
        Ok((response, sent))
    }
}

/// Tells whether the component may send such a request, as [`send`] would.
///
/// # Errors
/// What the interface has for a refusal.
pub fn permit(client: &Client, method: &http::Method, uri: &http::Uri) -> Result<(), WasiError> {
    client.permit(method, uri).map_err(to_wasi)
}

fn from_wasi(error: WasiError) -> Error {
    match error {
        WasiError::HttpRequestBodySize(bytes) => Error::RequestBodySize(bytes),
        other => Error::RequestBody(other.to_string()),
    }
}

/// Returns what the interface has for an error.
fn to_wasi(error: Error) -> WasiError {
    match error {
        Error::Denied { .. } => WasiError::HttpRequestDenied,
        Error::PrivateAddress { .. } => WasiError::DestinationIpProhibited,
        Error::InvalidUrl(_) => WasiError::HttpRequestUriInvalid,
        Error::Method => WasiError::HttpRequestMethodInvalid,
        // The system's resolver does not say what the answer was.
        Error::Lookup { .. } => WasiError::DnsError { rcode: None, info_code: None },
        Error::LookupTimeout { .. } => WasiError::DnsTimeout,
        Error::Connect { source, .. } => match source.kind() {
            io::ErrorKind::ConnectionRefused => WasiError::ConnectionRefused,
            io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable => WasiError::DestinationIpUnroutable,
            io::ErrorKind::TimedOut => WasiError::ConnectionTimeout,
            _ => WasiError::DestinationUnavailable,
        },
        Error::ConnectTimeout { .. } => WasiError::ConnectionTimeout,
        Error::Connections(_) | Error::Requests(_) => WasiError::ConnectionLimitReached,
        Error::Trust(_) => WasiError::ConfigurationError,
        Error::Certificate { .. } => WasiError::TlsCertificateError,
        Error::Alert { id, name } => WasiError::TlsAlertReceived { alert_id: Some(id), alert_message: Some(name) },
        Error::Tls { .. } => WasiError::TlsProtocolError,
        Error::FirstByte(_) => WasiError::HttpResponseTimeout,
        Error::BetweenBytes(_) => WasiError::ConnectionReadTimeout,
        Error::Head { bytes, .. } => WasiError::HttpResponseHeaderSectionSize(Some(bytes)),
        Error::Trailers(_) => WasiError::HttpResponseTrailerSectionSize(None),
        Error::Terminated | Error::NotSent => WasiError::ConnectionTerminated,
        Error::Incomplete => WasiError::HttpResponseIncomplete,
        Error::Protocol(_) | Error::RequestBody(_) | Error::ContentLength => WasiError::HttpProtocolError,
        Error::Upgrade => WasiError::HttpUpgradeFailed,
        Error::RequestBodySize(bytes) => WasiError::HttpRequestBodySize(bytes),
    }
}
