//! Values and errors: those of the interface to ours and back.

use super::p01::wit;
use crate::api::{Column, Error, Isolation, Options, Rule};
use crate::value::{self, Value};
use wharf_kit::Refused;

/// Returns a value that a component sent, if it is one.
pub(super) fn value(value: wit::Value) -> Result<Value, Error> {
    let value = match value {
        wit::Value::Null => Value::Null,
        wit::Value::Boolean(value) => Value::Boolean(value),
        wit::Value::Int64(value) => Value::Int64(value),
        wit::Value::Float64(value) => Value::Float64(value),
        wit::Value::Decimal(text) => Value::Decimal(text),
        wit::Value::Text(text) => Value::Text(text),
        wit::Value::Bytes(bytes) => Value::Bytes(bytes),
        wit::Value::Date(date) => Value::Date(date.into()),
        wit::Value::Time(time) => Value::Time(time.into()),
        wit::Value::Timestamp(at) => Value::Timestamp(value::Timestamp { date: at.date.into(), time: at.time.into() }),
        wit::Value::Instant(at) => {
            Value::Instant(value::Instant { seconds: at.seconds, microseconds: at.microseconds })
        }
        wit::Value::Uuid(text) => Value::Uuid(value::parse_uuid(&text).ok_or_else(|| invalid("uuid"))?),
        wit::Value::Json(text) => Value::Json(text),
    };
    if value.is_valid() { Ok(value) } else { Err(invalid(value.type_name())) }
}

fn invalid(type_name: &str) -> Error {
    Error::TypeMismatch(format!("a parameter is no {type_name}"))
}

impl From<Value> for wit::Value {
    fn from(value: Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Boolean(value) => Self::Boolean(value),
            Value::Int64(value) => Self::Int64(value),
            Value::Float64(value) => Self::Float64(value),
            Value::Decimal(text) => Self::Decimal(text),
            Value::Text(text) => Self::Text(text),
            Value::Bytes(bytes) => Self::Bytes(bytes),
            Value::Date(date) => Self::Date(date.into()),
            Value::Time(time) => Self::Time(time.into()),
            Value::Timestamp(at) => Self::Timestamp(wit::Timestamp { date: at.date.into(), time: at.time.into() }),
            Value::Instant(at) => Self::Instant(wit::Instant { seconds: at.seconds, microseconds: at.microseconds }),
            Value::Uuid(uuid) => Self::Uuid(value::format_uuid(uuid)),
            Value::Json(text) => Self::Json(text),
        }
    }
}

impl From<wit::Date> for value::Date {
    fn from(wit::Date { year, month, day }: wit::Date) -> Self {
        Self { year, month, day }
    }
}

impl From<value::Date> for wit::Date {
    fn from(value::Date { year, month, day }: value::Date) -> Self {
        Self { year, month, day }
    }
}

impl From<wit::Time> for value::Time {
    fn from(wit::Time { hour, minute, second, microsecond }: wit::Time) -> Self {
        Self { hour, minute, second, microsecond }
    }
}

impl From<value::Time> for wit::Time {
    fn from(value::Time { hour, minute, second, microsecond }: value::Time) -> Self {
        Self { hour, minute, second, microsecond }
    }
}

impl From<&Column> for wit::Column {
    fn from(column: &Column) -> Self {
        Self { name: column.name.clone(), type_name: column.type_name.clone() }
    }
}

impl From<wit::TransactionOptions> for Options {
    fn from(options: wit::TransactionOptions) -> Self {
        let isolation = match options.isolation {
            wit::Isolation::ReadCommitted => Isolation::ReadCommitted,
            wit::Isolation::RepeatableRead => Isolation::RepeatableRead,
            wit::Isolation::Serializable => Isolation::Serializable,
        };
        Self { isolation, read_only: options.read_only }
    }
}

impl From<Error> for wit::Error {
    fn from(error: Error) -> Self {
        let text = error.to_string();
        match error {
            Error::Refused(Refused::Deadline(_)) => Self::Timeout,
            Error::Refused(Refused::Busy(_) | Refused::Fault { kind: wharf_kit::Kind::Unavailable, .. })
            | Error::Unavailable(_) => Self::Connection(text),
            Error::Refused(Refused::Fault { .. }) => Self::Other(text),
            Error::Refused(_) | Error::Limit(_) | Error::Full => Self::Limit(text),
            Error::ReadOnly | Error::Forbidden(_) => Self::AccessDenied(text),
            Error::Constraint { rule, detail } => {
                Self::Constraint(wit::ConstraintViolation { kind: rule.into(), detail })
            }
            Error::Serialization(_) => Self::Serialization(text),
            Error::Syntax(_) => Self::Syntax(text),
            Error::TypeMismatch(_) => Self::TypeMismatch(text),
            Error::Closed(_) => Self::Closed(text),
            Error::Backend(_) => Self::Other(text),
        }
    }
}

impl From<Rule> for wit::ConstraintKind {
    fn from(rule: Rule) -> Self {
        match rule {
            Rule::Unique => Self::Unique,
            Rule::ForeignKey => Self::ForeignKey,
            Rule::NotNull => Self::NotNull,
            Rule::Check => Self::Check,
            Rule::Exclusion => Self::Exclusion,
        }
    }
}
