//! What the server says, as errors of a component.

use crate::api::{Call, Error, Rule};
use tokio_postgres::error::{DbError, SqlState};
use wharf_servers::tls;

/// A connection that broke in the middle.
pub(super) const LOST: &str = "the connection to the database was lost";

/// Returns the error of a statement.
pub(super) fn of(error: &tokio_postgres::Error, call: Call) -> Error {
    match error.as_db_error() {
        Some(error) => of_server(error, call),
        None => {
            tracing::debug!(%error, "PostgreSQL");
            Error::Unavailable(LOST.to_owned())
        }
    }
}

fn of_server(error: &DbError, call: Call) -> Error {
    let text = || error.message().to_owned();
    let code = error.code();
    if let Some(rule) = rule(code) {
        return Error::Constraint { rule, detail: text() };
    }
    match code {
        &SqlState::T_R_SERIALIZATION_FAILURE | &SqlState::T_R_DEADLOCK_DETECTED | &SqlState::LOCK_NOT_AVAILABLE => {
            return Error::Serialization(text());
        }
        &SqlState::READ_ONLY_SQL_TRANSACTION => return Error::ReadOnly,
        &SqlState::INSUFFICIENT_PRIVILEGE => return Error::Forbidden(text()),
        &SqlState::QUERY_CANCELED => return call.late(),
        &SqlState::DISK_FULL => return Error::Full,
        &SqlState::OUT_OF_MEMORY => return Error::Limit(text()),
        &SqlState::DATATYPE_MISMATCH => return Error::TypeMismatch(text()),
        _ => {}
    }
    match &code.code()[..2] {
        "08" | "53" | "57" => Error::Unavailable(text()),
        "0A" | "25" | "3D" | "3F" | "42" => Error::Syntax(with_place(error)),
        "22" => Error::TypeMismatch(text()),
        "40" => Error::Serialization(text()),
        "54" => Error::Limit(text()),
        // Raised by the app's own functions and triggers.
        "P0" => Error::Constraint { rule: Rule::Check, detail: text() },
        _ => Error::Backend(text()),
    }
}

fn rule(code: &SqlState) -> Option<Rule> {
    match code {
        &SqlState::UNIQUE_VIOLATION => Some(Rule::Unique),
        &SqlState::FOREIGN_KEY_VIOLATION | &SqlState::RESTRICT_VIOLATION => Some(Rule::ForeignKey),
        &SqlState::NOT_NULL_VIOLATION => Some(Rule::NotNull),
        &SqlState::EXCLUSION_VIOLATION => Some(Rule::Exclusion),
        code if code.code().starts_with("23") => Some(Rule::Check),
        _ => None,
    }
}

fn with_place(error: &DbError) -> String {
    match error.position() {
        Some(tokio_postgres::error::ErrorPosition::Original(place)) => {
            format!("{} (at character {place})", error.message())
        }
        _ => error.message().to_owned(),
    }
}

/// Tells whether a prepared statement is no longer that of the present schema. Nothing has happened then.
pub(super) fn is_stale(error: &tokio_postgres::Error) -> bool {
    let Some(error) = error.as_db_error() else { return false };
    // The server has no code of its own for a plan that returns other columns now.
    let is_plan = *error.code() == SqlState::FEATURE_NOT_SUPPORTED && error.message().contains("cached plan");
    is_plan || *error.code() == SqlState::INVALID_SQL_STATEMENT_NAME
}

/// Returns the error of an attempt to log in. The cause is for the log.
pub(super) fn of_login(error: &tokio_postgres::Error) -> Error {
    if let Some(why) = tls::explain(error) {
        return Error::Backend(why.to_owned());
    }
    let Some(error) = error.as_db_error() else {
        let is_tls = error.to_string().contains("TLS");
        return match is_tls {
            true => Error::Backend("there is no secure connection to the database".to_owned()),
            false => Error::Unavailable("the database cannot be reached".to_owned()),
        };
    };
    match &error.code().code()[..2] {
        "28" => Error::Backend("the database does not accept the node's user and password".to_owned()),
        "3D" => Error::Backend("the server has no such database".to_owned()),
        "42" => Error::Backend("the user of the database may not do what is needed".to_owned()),
        _ => Error::Unavailable("the database is not ready".to_owned()),
    }
}
