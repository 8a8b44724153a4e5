//! What went wrong with a request, and whose fault it is.

use crate::api::{Error, ObjectId};
use object_store::client::{HttpError, HttpErrorKind};
use std::error::Error as _;

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
    match &failed {
        object_store::Error::PermissionDenied { .. } | object_store::Error::Unauthenticated { .. } => {
            Error::Credentials(failed.into())
        }
        object_store::Error::Generic { .. } if is_unreachable(&failed) => Error::Unavailable(failed.into()),
        _ => Error::Backend { doing, source: failed.into() },
    }
}

/// Tells whether the server did not answer, or had no time.
fn is_unreachable(failed: &object_store::Error) -> bool {
    let mut cause = failed.source();
    while let Some(error) = cause {
        if let Some(error) = error.downcast_ref::<HttpError>() {
            let kind = error.kind();
            return !matches!(kind, HttpErrorKind::Decode | HttpErrorKind::Unknown);
        }
        // The type that knows the status has no name outside of its crate.
        let text = error.to_string();
        let status = text.strip_prefix("Server returned non-2xx status code: ");
        if status.is_some_and(|status| status.starts_with('5') || status.starts_with("429")) {
            return true;
        }
        cause = error.source();
    }
    false
}
