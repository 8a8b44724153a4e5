//! Values in SQLite, which has five kinds of them. The declared type of a column says what a text or a number stands for.

use crate::api::Error;
use crate::value::{Date, Instant, Time, Timestamp, Value, format_uuid, parse_uuid};
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{ToSql, types};

/// What a column's values stand for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stands {
    Plain,
    Boolean,
    Decimal,
    Date,
    Time,
    Timestamp,
    Instant,
    Uuid,
    Json,
}

impl Stands {
    /// Reads a declared type.
    pub(super) fn of(declared: &str) -> Self {
        let words = declared.to_ascii_uppercase();
        let first = words.split([' ', '(']).next().unwrap_or_default();
        match first {
            "BOOLEAN" | "BOOL" => Self::Boolean,
            "DECIMAL" | "NUMERIC" => Self::Decimal,
            "DATE" => Self::Date,
            "TIME" => Self::Time,
            "TIMESTAMP" if words.contains("WITH TIME ZONE") => Self::Instant,
            "TIMESTAMP" | "DATETIME" => Self::Timestamp,
            "TIMESTAMPTZ" => Self::Instant,
            "UUID" => Self::Uuid,
            "JSON" => Self::Json,
            _ => Self::Plain,
        }
    }

    /// Returns a value of the column. What does not fit the declared type is what it is: SQLite lets everything be stored everywhere.
    pub(super) fn read(self, value: ValueRef<'_>) -> Result<Value, Error> {
        let value = match value {
            ValueRef::Null => Value::Null,
            ValueRef::Integer(number) => match (self, number) {
                (Self::Boolean, 0 | 1) => Value::Boolean(number == 1),
                (Self::Decimal, _) => Value::Decimal(number.to_string()),
                (Self::Json, _) => Value::Json(number.to_string()),
                _ => Value::Int64(number),
            },
            ValueRef::Real(number) => match self {
                // The shortest text that is read as the same number.
                Self::Decimal if number.is_finite() => Value::Decimal(number.to_string()),
                Self::Json if number.is_finite() => Value::Json(number.to_string()),
                _ => Value::Float64(number),
            },
            ValueRef::Blob(bytes) => Value::Bytes(bytes.to_vec()),
            ValueRef::Text(bytes) => {
                let text = std::str::from_utf8(bytes);
                self.text(text.map_err(|_| Error::TypeMismatch("a text is not UTF-8".to_owned()))?)
            }
        };
        Ok(value)
    }

    fn text(self, text: &str) -> Value {
        let special = match self {
            Self::Date => Date::parse(text).map(Value::Date),
            Self::Time => Time::parse(text).map(Value::Time),
            Self::Timestamp => Timestamp::parse(text).map(Value::Timestamp),
            Self::Instant => Instant::parse(text).map(Value::Instant),
            Self::Uuid => parse_uuid(text).map(Value::Uuid),
            Self::Decimal => Some(Value::Decimal(text.to_owned())).filter(Value::is_valid),
            Self::Json => Some(Value::Json(text.to_owned())),
            Self::Plain | Self::Boolean => None,
        };
        special.unwrap_or_else(|| Value::Text(text.to_owned()))
    }
}

/// A parameter.
pub(super) struct Param<'a>(pub(super) &'a Value);

impl ToSql for Param<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        let borrowed = |value| Ok(ToSqlOutput::Borrowed(value));
        let text = |text: String| Ok(ToSqlOutput::Owned(types::Value::Text(text)));
        match self.0 {
            Value::Null => borrowed(ValueRef::Null),
            Value::Boolean(value) => borrowed(ValueRef::Integer(i64::from(*value))),
            Value::Int64(number) => borrowed(ValueRef::Integer(*number)),
            Value::Float64(number) => borrowed(ValueRef::Real(*number)),
            Value::Decimal(value) | Value::Text(value) | Value::Json(value) => {
                borrowed(ValueRef::Text(value.as_bytes()))
            }
            Value::Bytes(bytes) => borrowed(ValueRef::Blob(bytes)),
            Value::Date(date) => text(date.to_string()),
            Value::Time(time) => text(time.to_string()),
            Value::Timestamp(at) => text(at.to_string()),
            Value::Instant(at) => {
                let out_of_range = || rusqlite::Error::ToSqlConversionFailure("a point in time is out of range".into());
                text(at.format().ok_or_else(out_of_range)?)
            }
            Value::Uuid(uuid) => text(format_uuid(*uuid)),
        }
    }
}
