//! The types of WASI 0.3 that streams and futures of its interfaces carry.
//!
//! In: a type of an interface. Out: the Rust type that the engine has for it. Next: [`super::find`].
//!
//! They are known by the names of their cases. One that has the same names and other payloads is refused by the engine when it is carried.

use super::{Payload, Visit};
use wasmtime::component::types::Type;
use wasmtime_wasi::p3::bindings::cli::types::ErrorCode as CliError;
use wasmtime_wasi::p3::bindings::filesystem::types::{DirectoryEntry, ErrorCode as FileError};
use wasmtime_wasi::p3::bindings::sockets::types::ErrorCode as SocketError;
use wasmtime_wasi_http::p3::bindings::http::types::ErrorCode as HttpError;

/// `error-code` of `wasi:cli`.
pub(crate) const CLI: [&str; 3] = ["io", "illegal-byte-sequence", "pipe"];

/// `error-code` of `wasi:filesystem`.
#[rustfmt::skip]
pub(crate) const FILE: [&str; 37] = [
    "access", "already", "bad-descriptor", "busy", "deadlock", "quota", "exist", "file-too-large", "illegal-byte-sequence", "in-progress",
    "interrupted", "invalid", "io", "is-directory", "loop", "too-many-links", "message-size", "name-too-long", "no-device", "no-entry",
    "no-lock", "insufficient-memory", "insufficient-space", "not-directory", "not-empty", "not-recoverable", "unsupported", "no-tty",
    "no-such-device", "overflow", "not-permitted", "pipe", "read-only", "invalid-seek", "text-file-busy", "cross-device", "other",
];

/// `error-code` of `wasi:sockets`.
#[rustfmt::skip]
pub(crate) const SOCKET: [&str; 15] = [
    "access-denied", "not-supported", "invalid-argument", "out-of-memory", "timeout", "invalid-state", "address-not-bindable",
    "address-in-use", "remote-unreachable", "connection-refused", "connection-broken", "connection-reset", "connection-aborted",
    "datagram-too-large", "other",
];

/// `error-code` of `wasi:http`.
#[rustfmt::skip]
pub(crate) const HTTP: [&str; 39] = [
    "DNS-timeout", "DNS-error", "destination-not-found", "destination-unavailable", "destination-IP-prohibited",
    "destination-IP-unroutable", "connection-refused", "connection-terminated", "connection-timeout", "connection-read-timeout",
    "connection-write-timeout", "connection-limit-reached", "TLS-protocol-error", "TLS-certificate-error", "TLS-alert-received",
    "HTTP-request-denied", "HTTP-request-length-required", "HTTP-request-body-size", "HTTP-request-method-invalid",
    "HTTP-request-URI-invalid", "HTTP-request-URI-too-long", "HTTP-request-header-section-size", "HTTP-request-header-size",
    "HTTP-request-trailer-section-size", "HTTP-request-trailer-size", "HTTP-response-incomplete", "HTTP-response-header-section-size",
    "HTTP-response-header-size", "HTTP-response-body-size", "HTTP-response-trailer-section-size", "HTTP-response-trailer-size",
    "HTTP-response-transfer-coding", "HTTP-response-content-coding", "HTTP-response-timeout", "HTTP-upgrade-failed",
    "HTTP-protocol-error", "loop-detected", "configuration-error", "internal-error",
];

/// Fields of `directory-entry` of `wasi:filesystem`.
const ENTRY: [&str; 2] = ["type", "name"];

impl Payload for CliError {
    fn error(_text: &str) -> Option<Self> {
        Some(Self::Io)
    }
}

impl Payload for FileError {
    const IS_FLAT: bool = false;

    fn bytes(&self) -> usize {
        size_of::<Self>() + if let Self::Other(Some(text)) = self { text.len() } else { 0 }
    }

    fn error(text: &str) -> Option<Self> {
        Some(Self::Other(Some(text.to_owned())))
    }
}

impl Payload for SocketError {
    const IS_FLAT: bool = false;

    fn bytes(&self) -> usize {
        size_of::<Self>() + if let Self::Other(Some(text)) = self { text.len() } else { 0 }
    }

    fn error(text: &str) -> Option<Self> {
        Some(Self::Other(Some(text.to_owned())))
    }
}

impl Payload for HttpError {
    const IS_FLAT: bool = false;

    fn bytes(&self) -> usize {
        // At most one of its texts is there.
        let texts = match self {
            Self::InternalError(text)
            | Self::HttpResponseTransferCoding(text)
            | Self::HttpResponseContentCoding(text) => text.as_ref(),
            Self::DnsError(payload) => payload.rcode.as_ref(),
            Self::TlsAlertReceived(payload) => payload.alert_message.as_ref(),
            Self::HttpRequestHeaderSize(payload) => payload.as_ref().and_then(|payload| payload.field_name.as_ref()),
            Self::HttpRequestTrailerSize(payload)
            | Self::HttpResponseHeaderSize(payload)
            | Self::HttpResponseTrailerSize(payload) => payload.field_name.as_ref(),
            _ => None,
        };
        size_of::<Self>() + texts.map_or(0, String::len)
    }

    fn error(text: &str) -> Option<Self> {
        Some(Self::InternalError(Some(text.to_owned())))
    }
}

impl Payload for DirectoryEntry {
    const IS_FLAT: bool = false;

    fn bytes(&self) -> usize {
        size_of::<Self>() + self.name.len()
    }
}

/// Visits the Rust type of a type of WASI that streams carry.
pub(crate) fn item<V: Visit>(ty: &Type, visitor: &V) -> Option<V::Out> {
    let Type::Record(record) = ty else { return None };
    record.fields().map(|field| field.name).eq(ENTRY).then(|| visitor.visit::<DirectoryEntry>())
}

/// Visits the Rust type of a result of nothing, or an error of WASI.
pub(crate) fn result<V: Visit>(error: &Type, visitor: &V) -> Option<V::Out> {
    match error {
        Type::Enum(names) => names.names().eq(CLI).then(|| visitor.visit::<Result<(), CliError>>()),
        Type::Variant(variant) => {
            let cases: Vec<&str> = variant.cases().map(|case| case.name).collect();
            match cases.as_slice() {
                names if names == FILE => Some(visitor.visit::<Result<(), FileError>>()),
                names if names == SOCKET => Some(visitor.visit::<Result<(), SocketError>>()),
                names if names == HTTP => Some(visitor.visit::<Result<(), HttpError>>()),
                _ => None,
            }
        }
        _ => None,
    }
}
