//! What can go wrong with a request, in the words of this crate; [`crate::wit`] has those of the interface.

use std::error::Error as _;
use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;
use wharf_kit::Kind;

/// A request that was not made, or an answer that did not come whole. Cheap to clone: several who wait may have to be told.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No grant fits the URL.
    #[error("{url} is not granted")]
    Denied {
        /// Scheme, host and port.
        url: String,
    },
    /// The URL is granted, and leads to an address that only a grant by address reaches.
    #[error("{url} leads to {address}, which is not an address of the public internet and not granted")]
    PrivateAddress {
        /// Scheme, host and port.
        url: String,
        /// The first of the addresses.
        address: IpAddr,
    },
    /// The URL is none that a request can be sent to.
    #[error("no request can be sent to this URL: {0}")]
    InvalidUrl(&'static str),
    /// `CONNECT` makes a connection to what it names, which is not what is granted.
    #[error("the method CONNECT is not for components")]
    Method,
    /// The head of the request says several lengths of its body, or one that is no number.
    #[error("the head of the request does not say one length of its body")]
    ContentLength,
    /// The name cannot be looked up.
    #[error("cannot look up {host}")]
    Lookup {
        /// The name.
        host: String,
        /// Why.
        source: Arc<io::Error>,
    },
    /// The name was not looked up in time.
    #[error("{host} was not looked up in time")]
    LookupTimeout {
        /// The name.
        host: String,
    },
    /// No address of the host could be connected to; the last reason is the source.
    #[error("cannot connect to {url}")]
    Connect {
        /// Scheme, host and port.
        url: String,
        /// Why.
        source: Arc<io::Error>,
    },
    /// The connection, or the TLS handshake on it, was not there in time.
    #[error("no connection to {url} in time")]
    ConnectTimeout {
        /// Scheme, host and port.
        url: String,
    },
    /// The app has as many connections as it may have, and none became free in time.
    #[error("the app has {0} connections, and none became free in time")]
    Connections(usize),
    /// The component has as many requests under way as it may have, and none ended in time.
    #[error("the component has {0} requests under way, and none ended in time")]
    Requests(usize),
    /// There is nothing to check certificates with.
    #[error("cannot set up TLS")]
    Trust(#[source] Arc<rustls::Error>),
    /// The server's certificate is not to be trusted.
    #[error("the certificate of {url} is not trusted")]
    Certificate {
        /// Scheme, host and port.
        url: String,
        /// Why.
        source: Arc<rustls::Error>,
    },
    /// The server refused the TLS connection, such as for want of a client certificate.
    #[error("the server ended TLS with the alert {name} ({id})")]
    Alert {
        /// The alert's number.
        id: u8,
        /// The alert's name.
        name: String,
    },
    /// The other end does not speak TLS, or none that we can.
    #[error("TLS with {url} failed")]
    Tls {
        /// Scheme, host and port.
        url: String,
        /// Why.
        source: Arc<io::Error>,
    },
    /// The server did not begin to answer in time.
    #[error("no answer began within {} ms", .0.as_millis())]
    FirstByte(Duration),
    /// The server stopped in the middle of its answer.
    #[error("nothing of the answer came within {} ms", .0.as_millis())]
    BetweenBytes(Duration),
    /// The head of the answer is too large.
    #[error("the head of the answer has more than {bytes} bytes or {fields} fields")]
    Head {
        /// What it may have.
        bytes: u32,
        /// What it may have.
        fields: usize,
    },
    /// The trailers of the answer are too many.
    #[error("the answer has more than {0} trailers")]
    Trailers(usize),
    /// The connection ended before the answer began.
    #[error("the connection ended before the answer began")]
    Terminated,
    /// The answer ended in the middle.
    #[error("the answer ended in the middle")]
    Incomplete,
    /// The server answered without taking the whole request, or went away.
    #[error("the server did not take the whole request")]
    NotSent,
    /// The other end does not keep to HTTP.
    #[error("the server does not keep to HTTP")]
    Protocol(#[source] Arc<hyper::Error>),
    /// The server switched to another protocol, which nobody asked for.
    #[error("the server switched protocols")]
    Upgrade,
    /// The body of the request has another length than its head says.
    #[error("the body of the request has another length than its head says")]
    RequestBodySize(Option<u64>),
    /// The body of the request failed where it came from.
    #[error("the body of the request failed: {0}")]
    RequestBody(String),
}

impl Error {
    /// Returns whose fault it is.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Denied { .. } | Self::PrivateAddress { .. } => Kind::Denied,
            Self::InvalidUrl(_)
            | Self::Method
            | Self::ContentLength
            | Self::RequestBodySize(_)
            | Self::RequestBody(_) => Kind::Invalid,
            Self::Certificate { .. }
            | Self::Alert { .. }
            | Self::Tls { .. }
            | Self::Trust(_)
            | Self::Head { .. }
            | Self::Trailers(_)
            | Self::Protocol(_)
            | Self::Upgrade => Kind::Backend,
            _ => Kind::Unavailable,
        }
    }

    /// Tells whether the same request may succeed later without anybody doing anything. Whether it is safe to send it twice is another
    /// question.
    pub fn is_retryable(&self) -> bool {
        self.kind().is_retryable()
    }

    /// Returns what a failed handshake was: the certificate, the server's refusal, or something else.
    pub(crate) fn from_handshake(url: &str, error: io::Error) -> Self {
        let url = url.to_owned();
        match tls_cause(&error) {
            Some(rustls::Error::AlertReceived(alert)) => alert_received(*alert),
            Some(cause @ rustls::Error::InvalidCertificate(_)) => {
                Self::Certificate { url, source: Arc::new(cause.clone()) }
            }
            _ => Self::Tls { url, source: Arc::new(error) },
        }
    }

    /// Returns why no answer began.
    pub(crate) fn from_head(error: hyper::Error, bytes: u32, fields: usize) -> Self {
        if let Some(told) = cause_of(&error) {
            return told;
        }
        if error.is_parse_too_large() {
            return Self::Head { bytes, fields };
        }
        let ended = error.is_incomplete_message() || error.is_canceled() || error.is_closed() || error.is_timeout();
        if ended || has_cause::<io::Error>(&error) { Self::Terminated } else { Self::Protocol(Arc::new(error)) }
    }

    /// Returns why an answer that had begun went no further.
    pub(crate) fn from_body(error: &hyper::Error) -> Self {
        cause_of(error).unwrap_or(Self::Incomplete)
    }
}

/// Returns what a request's own body or TLS said, which says more than that the connection failed. With TLS 1.3 a server refuses a
/// client's certificate only after the handshake.
fn cause_of(error: &hyper::Error) -> Option<Error> {
    let mut cause = error.source();
    while let Some(error) = cause {
        if let Some(own) = error.downcast_ref::<Error>() {
            return Some(own.clone());
        }
        if let Some(rustls::Error::AlertReceived(alert)) = error.downcast_ref::<io::Error>().and_then(tls_cause) {
            return Some(alert_received(*alert));
        }
        cause = error.source();
    }
    None
}

fn has_cause<E: std::error::Error + 'static>(error: &hyper::Error) -> bool {
    let mut cause = error.source();
    while let Some(error) = cause {
        if error.is::<E>() {
            return true;
        }
        cause = error.source();
    }
    false
}

fn tls_cause(error: &io::Error) -> Option<&rustls::Error> {
    error.get_ref()?.downcast_ref()
}

fn alert_received(alert: rustls::AlertDescription) -> Error {
    Error::Alert { id: alert.into(), name: format!("{alert:?}") }
}
