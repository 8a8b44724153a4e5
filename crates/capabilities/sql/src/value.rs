//! The values that columns and parameters have, the same for every backend.

mod calendar;
mod text;

pub(crate) use text::{format_uuid, parse_uuid};

use wharf_kit::Payload;

/// A value of a column or of a parameter.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// No value.
    Null,
    /// True or false.
    Boolean(bool),
    /// A whole number.
    Int64(i64),
    /// A binary fraction.
    Float64(f64),
    /// An exact number, such as `-12.50`; also `NaN`, `Infinity` and `-Infinity`.
    Decimal(String),
    /// A text.
    Text(String),
    /// Bytes.
    Bytes(Vec<u8>),
    /// A day.
    Date(Date),
    /// A time of a day.
    Time(Time),
    /// A day and a time, without a zone.
    Timestamp(Timestamp),
    /// A point in time.
    Instant(Instant),
    /// A UUID, first byte first.
    Uuid(u128),
    /// The text of a JSON value.
    Json(String),
}

/// A day of the proleptic Gregorian calendar; year 0 is 1 BC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Date {
    /// The year.
    pub year: i32,
    /// From 1.
    pub month: u8,
    /// From 1.
    pub day: u8,
}

/// A time of a day. Hour 24 is its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Time {
    /// 0 to 24.
    pub hour: u8,
    /// 0 to 59.
    pub minute: u8,
    /// 0 to 59.
    pub second: u8,
    /// 0 to 999,999.
    pub microsecond: u32,
}

/// A day and a time, without a zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timestamp {
    /// The day.
    pub date: Date,
    /// The time.
    pub time: Time,
}

/// A point in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Instant {
    /// Since 1970-01-01T00:00:00Z.
    pub seconds: i64,
    /// After that second: 0 to 999,999.
    pub microseconds: u32,
}

/// One row of a result.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Row(pub Vec<Value>);

impl Value {
    /// Tells whether this is a value of its type, as far as the type of Rust does not say so already.
    pub fn is_valid(&self) -> bool {
        match self {
            Self::Decimal(text) => text::is_decimal(text),
            Self::Date(date) => date.is_valid(),
            Self::Time(time) => time.is_valid(),
            Self::Timestamp(at) => at.date.is_valid() && at.time.is_valid(),
            Self::Instant(at) => at.microseconds < 1_000_000,
            _ => true,
        }
    }

    /// Returns what the interface calls the type.
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Boolean(_) => "boolean",
            Self::Int64(_) => "int64",
            Self::Float64(_) => "float64",
            Self::Decimal(_) => "decimal",
            Self::Text(_) => "text",
            Self::Bytes(_) => "bytes",
            Self::Date(_) => "date",
            Self::Time(_) => "time",
            Self::Timestamp(_) => "timestamp",
            Self::Instant(_) => "instant",
            Self::Uuid(_) => "uuid",
            Self::Json(_) => "json",
        }
    }
}

impl Payload for Value {
    fn size_bytes(&self) -> usize {
        // What a text takes beside its bytes is counted too: a million NULLs are not free.
        size_of::<Self>()
            + match self {
                Self::Decimal(text) | Self::Text(text) | Self::Json(text) => text.len(),
                Self::Bytes(bytes) => bytes.len(),
                _ => 0,
            }
    }
}

impl Payload for Row {
    fn size_bytes(&self) -> usize {
        self.0.iter().map(Payload::size_bytes).sum()
    }
}
