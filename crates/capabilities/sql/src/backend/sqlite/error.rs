//! What SQLite says, as errors of a component or of the host.

use super::connection::Watch;
use crate::api::{Call, Error, Rule};
use rusqlite::{ErrorCode, ffi};

/// Returns the error of a statement. `call` is whose statement it was, if the connection does not know it.
pub(super) fn of(error: rusqlite::Error, watch: &Watch, call: Option<Call>) -> Error {
    let refusal = watch.take_refusal();
    match error {
        rusqlite::Error::SqlInputError { error, msg, offset, .. } => {
            let place = usize::try_from(offset).map(|offset| format!(" (at byte {offset})")).unwrap_or_default();
            failure(error, format!("{msg}{place}"), refusal, call.or(watch.call()))
        }
        rusqlite::Error::SqliteFailure(error, text) => {
            let text = text.unwrap_or_else(|| error.to_string());
            failure(error, text, refusal, call.or(watch.call()))
        }
        rusqlite::Error::MultipleStatement => Error::Syntax("one string holds one statement".to_owned()),
        rusqlite::Error::NulError(_) => Error::Syntax("a statement has no zero byte".to_owned()),
        rusqlite::Error::Utf8Error(..) => Error::TypeMismatch("a text is not UTF-8".to_owned()),
        other => Error::Backend(other.to_string()),
    }
}

fn failure(error: ffi::Error, text: String, refusal: Option<String>, call: Option<Call>) -> Error {
    match error.code {
        ErrorCode::ConstraintViolation => constraint(error.extended_code, text),
        ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => match error.extended_code {
            ffi::SQLITE_BUSY_SNAPSHOT => Error::Serialization(text),
            _ => Error::Unavailable("the database is in use by another process".to_owned()),
        },
        ErrorCode::OperationInterrupted | ErrorCode::OperationAborted => match call {
            Some(call) => call.late(),
            None => Error::Unavailable("the statement was interrupted".to_owned()),
        },
        ErrorCode::DiskFull => Error::Full,
        ErrorCode::TooBig => Error::Limit("a text, a value or a row is too large".to_owned()),
        ErrorCode::OutOfMemory => Error::Limit("the statement needs too much memory".to_owned()),
        ErrorCode::AuthorizationForStatementDenied => Error::Forbidden(refusal.unwrap_or(text)),
        ErrorCode::ReadOnly => Error::ReadOnly,
        ErrorCode::TypeMismatch => Error::TypeMismatch(text),
        ErrorCode::ParameterOutOfRange => Error::Syntax(text),
        // An empty text is no mistake to SQLite until it is run.
        ErrorCode::ApiMisuse => Error::Syntax("there is no statement".to_owned()),
        // The engine's word for everything that is wrong with a statement.
        ErrorCode::Unknown if error.extended_code & 0xff == ffi::SQLITE_ERROR => Error::Syntax(text),
        // These may name the file.
        ErrorCode::CannotOpen | ErrorCode::SystemIoFailure => {
            tracing::warn!(code = error.extended_code, "SQLite: {text}");
            Error::Backend("the file of the database cannot be used".to_owned())
        }
        _ => Error::Backend(text),
    }
}

fn constraint(extended_code: i32, detail: String) -> Error {
    let rule = match extended_code {
        ffi::SQLITE_CONSTRAINT_UNIQUE | ffi::SQLITE_CONSTRAINT_PRIMARYKEY | ffi::SQLITE_CONSTRAINT_ROWID => {
            Rule::Unique
        }
        ffi::SQLITE_CONSTRAINT_FOREIGNKEY => Rule::ForeignKey,
        ffi::SQLITE_CONSTRAINT_NOTNULL => Rule::NotNull,
        ffi::SQLITE_CONSTRAINT_DATATYPE => return Error::TypeMismatch(detail),
        _ => Rule::Check,
    };
    Error::Constraint { rule, detail }
}
