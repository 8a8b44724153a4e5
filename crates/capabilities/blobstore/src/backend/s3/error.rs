//! What went wrong with a request, and whose fault it is.

use crate::api::{Error, ObjectId};
use object_store::client::{HttpError, HttpErrorKind};
use std::error::Error as _;
use wharf_servers::tls;

/// Returns the error of a request that names an object.
pub(super) fn object_error(doing: &'static str, id: &ObjectId, failed: object_store::Error) -> Error {
    match failed {
        object_store::Error::NotFound { .. } => Error::NoObject(id.name.to_string()),
        failed => error(doing, failed),
    }
}

/// Returns the error of a request that writes: what is not there is then the bucket, or the upload.
pub(super) fn write_error(failed: object_store::Error) -> Error {
    error("write an object", failed)
}

/// Returns the error of any request.
pub(super) fn error(doing: &'static str, failed: object_store::Error) -> Error {
    if let Some(why) = tls::explain(&failed) {
        return Error::Insecure { why, source: failed.into() };
    }
    match &failed {
        object_store::Error::PermissionDenied { .. } | object_store::Error::Unauthenticated { .. } => {
            Error::Credentials(failed.into())
        }
        object_store::Error::Generic { .. } => match trouble(&failed) {
            Some(Trouble::Refused) => Error::Credentials(failed.into()),
            Some(Trouble::Unreachable) => Error::Unavailable(failed.into()),
            None => Error::Backend { doing, source: failed.into() },
        },
        _ => Error::Backend { doing, source: failed.into() },
    }
}

/// What is below an error that says little.
enum Trouble {
    /// The server does not know the key, or the key may not do it.
    Refused,
    /// The server did not answer, or had no time.
    Unreachable,
}

fn trouble(failed: &object_store::Error) -> Option<Trouble> {
    let mut cause = failed.source();
    while let Some(error) = cause {
        if let Some(error) = error.downcast_ref::<HttpError>() {
            let is_answer = matches!(error.kind(), HttpErrorKind::Decode | HttpErrorKind::Unknown);
            return (!is_answer).then_some(Trouble::Unreachable);
        }
        // The type that knows the status has no name outside of its crate.
        let text = error.to_string();
        match text.strip_prefix("Server returned non-2xx status code: ").and_then(|status| status.get(..3)) {
            Some("401" | "403") => return Some(Trouble::Refused),
            Some("429") => return Some(Trouble::Unreachable),
            Some(status) if status.starts_with('5') => return Some(Trouble::Unreachable),
            _ => {}
        }
        cause = error.source();
    }
    None
}
