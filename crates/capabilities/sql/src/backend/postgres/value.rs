//! Values in PostgreSQL. Parameters are sent as texts, which the server reads as whatever type their place has; rows come in its
//! binary form.

use crate::api::{Column, Error};
use crate::value::{Date, Instant, Row, Time, Value, format_uuid};
use bytes::BytesMut;
use std::error::Error as StdError;
use std::fmt::Write as _;
use std::sync::Arc;
use tokio_postgres::Statement;
use tokio_postgres::types::{Format, FromSql, IsNull, Kind, ToSql, Type, to_sql_checked};
use wharf_kit::{Payload, Refused};

/// Parameters that a statement can have; the protocol counts them in 16 bits.
const PARAMS_MAX: usize = 32_767;

/// From 1970-01-01 to 2000-01-01, where the server begins to count.
const EPOCH_DAYS: i64 = 10_957;
const EPOCH_SECONDS: i64 = EPOCH_DAYS * 86_400;

// === parameters ===

/// Parameters as they are sent. Sending them cannot fail.
pub(super) struct Params(Vec<Param>);

/// One of them.
#[derive(Debug)]
pub(super) struct Param {
    bytes: Option<Vec<u8>>,
    is_binary: bool,
}

impl Params {
    pub(super) fn new(statement: &Statement, values: &[Value]) -> Result<Self, Error> {
        let types = statement.params();
        if types.len() != values.len() {
            let (wanted, given) = (types.len(), values.len());
            return Err(Error::Syntax(format!("the statement has {wanted} parameters, and {given} are given")));
        }
        if values.len() > PARAMS_MAX {
            return Err(Error::Limit(format!("{} parameters, of which {PARAMS_MAX} are allowed", values.len())));
        }
        values.iter().zip(types).map(|(value, ty)| Param::new(value, ty)).collect::<Result<_, _>>().map(Self)
    }

    pub(super) fn iter(&self) -> std::slice::Iter<'_, Param> {
        self.0.iter()
    }
}

impl Param {
    fn new(value: &Value, ty: &Type) -> Result<Self, Error> {
        let text = match value {
            Value::Null => return Ok(Self { bytes: None, is_binary: false }),
            Value::Bytes(bytes) if *ty == Type::BYTEA => {
                return Ok(Self { bytes: Some(bytes.clone()), is_binary: true });
            }
            Value::Bytes(_) => return Err(Error::TypeMismatch(format!("a parameter is bytes, and its place is {ty}"))),
            Value::Boolean(value) => value.to_string(),
            Value::Int64(number) => number.to_string(),
            Value::Float64(number) => format!("{number:e}"),
            Value::Decimal(text) | Value::Text(text) | Value::Json(text) => text.clone(),
            Value::Date(date) => with_era(*date, ""),
            Value::Time(time) => time.to_string(),
            Value::Timestamp(at) => with_era(at.date, &format!(" {}", at.time)),
            Value::Instant(at) => {
                let at =
                    at.to_utc().ok_or_else(|| Error::TypeMismatch("a point in time is out of range".to_owned()))?;
                with_era(at.date, &format!(" {}+00", at.time))
            }
            Value::Uuid(uuid) => format_uuid(*uuid),
        };
        Ok(Self { bytes: Some(text.into_bytes()), is_binary: false })
    }
}

/// Writes a day as the server reads it: it has no year 0.
fn with_era(date: Date, time: &str) -> String {
    let Date { year, month, day } = date;
    match year {
        1.. => format!("{year:04}-{month:02}-{day:02}{time}"),
        _ => format!("{:04}-{month:02}-{day:02}{time} BC", 1 - i64::from(year)),
    }
}

type Failed = Box<dyn StdError + Sync + Send>;

impl ToSql for Param {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Result<IsNull, Failed> {
        let Some(bytes) = &self.bytes else { return Ok(IsNull::Yes) };
        out.extend_from_slice(bytes);
        Ok(IsNull::No)
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    fn encode_format(&self, _: &Type) -> Format {
        if self.is_binary { Format::Binary } else { Format::Text }
    }

    to_sql_checked!();
}

// === rows ===

pub(super) fn columns(statement: &Statement) -> Arc<[Column]> {
    let column = |column: &tokio_postgres::Column| Column {
        name: column.name().to_owned(),
        type_name: column.type_().name().to_owned(),
    };
    statement.columns().iter().map(column).collect()
}

/// Reads a row.
pub(super) fn row(row: &tokio_postgres::Row, limit_bytes: usize) -> Result<Row, Error> {
    let mut values = Vec::with_capacity(row.len());
    let mut bytes = 0;
    for index in 0..row.len() {
        let Read(value) = row.try_get(index).map_err(|_| Error::Backend("a value cannot be read".to_owned()))?;
        let column = &row.columns()[index];
        let unknown = || {
            let (name, ty) = (column.name(), column.type_());
            Error::TypeMismatch(format!(
                "the column {name} is {ty}, or has a value, that has no type here: cast it to text"
            ))
        };
        let value = value.ok_or_else(unknown)?;
        bytes += value.size_bytes();
        if bytes > limit_bytes {
            return Err(Refused::TooLarge { bytes, limit_bytes }.into());
        }
        values.push(value);
    }
    Ok(Row(values))
}

/// A value, if there is one for it.
struct Read(Option<Value>);

impl<'a> FromSql<'a> for Read {
    fn from_sql(ty: &Type, raw: &'a [u8]) -> Result<Self, Failed> {
        Ok(Self(read(ty, raw)))
    }

    fn from_sql_null(_: &Type) -> Result<Self, Failed> {
        Ok(Self(Some(Value::Null)))
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}

fn read(ty: &Type, raw: &[u8]) -> Option<Value> {
    let text = || std::str::from_utf8(raw).ok().map(str::to_owned);
    let int64 = || raw.try_into().ok().map(i64::from_be_bytes);
    let int32 = || raw.try_into().ok().map(i32::from_be_bytes);
    let value = match *ty {
        Type::BOOL => Value::Boolean(*raw.first()? != 0),
        Type::INT2 => Value::Int64(i16::from_be_bytes(raw.try_into().ok()?).into()),
        Type::INT4 => Value::Int64(int32()?.into()),
        Type::INT8 => Value::Int64(int64()?),
        Type::OID => Value::Int64(u32::from_be_bytes(raw.try_into().ok()?).into()),
        Type::FLOAT4 => Value::Float64(f32::from_be_bytes(raw.try_into().ok()?).into()),
        Type::FLOAT8 => Value::Float64(f64::from_be_bytes(raw.try_into().ok()?)),
        Type::NUMERIC => Value::Decimal(decimal(raw)?),
        Type::TEXT | Type::VARCHAR | Type::BPCHAR | Type::NAME | Type::UNKNOWN | Type::XML | Type::CHAR => {
            Value::Text(text()?)
        }
        Type::BYTEA => Value::Bytes(raw.to_vec()),
        Type::JSON => Value::Json(text()?),
        // A byte with the version of the form, of which there is one.
        Type::JSONB => Value::Json(std::str::from_utf8(raw.strip_prefix(&[1])?).ok()?.to_owned()),
        Type::UUID => Value::Uuid(u128::from_be_bytes(raw.try_into().ok()?)),
        Type::DATE => Value::Date(finite(int32()?.into(), i32::MIN.into(), i32::MAX.into()).and_then(date)?),
        Type::TIME => Value::Time(Time::from_micros(int64()?)?),
        Type::TIMESTAMP => Value::Timestamp(finite(int64()?, i64::MIN, i64::MAX).and_then(instant)?.to_utc()?),
        Type::TIMESTAMPTZ => Value::Instant(finite(int64()?, i64::MIN, i64::MAX).and_then(instant)?),
        Type::VOID => Value::Null,
        _ if matches!(ty.kind(), Kind::Enum(_)) || ty.name() == "citext" => Value::Text(text()?),
        _ => return None,
    };
    Some(value)
}

/// Returns a number that is neither of those that stand for infinity.
fn finite(number: i64, low: i64, high: i64) -> Option<i64> {
    (number != low && number != high).then_some(number)
}

fn date(days: i64) -> Option<Date> {
    Date::from_days(days + EPOCH_DAYS)
}

fn instant(micros: i64) -> Option<Instant> {
    let Instant { seconds, microseconds } = Instant::from_micros(micros);
    Some(Instant { seconds: seconds.checked_add(EPOCH_SECONDS)?, microseconds })
}

/// Reads a number: how many digits to the base of 10,000, the place of the first one, the sign, and how many decimals are shown.
fn decimal(raw: &[u8]) -> Option<String> {
    let (head, digits) = raw.split_at_checked(8)?;
    let head: Vec<[u8; 2]> = head.chunks_exact(2).filter_map(|pair| pair.try_into().ok()).collect();
    let (weight, sign) = (i16::from_be_bytes(head[1]), u16::from_be_bytes(head[2]));
    let scale = usize::from(u16::from_be_bytes(head[3]));
    let digits: Vec<u16> =
        digits.chunks_exact(2).filter_map(|pair| Some(u16::from_be_bytes(pair.try_into().ok()?))).collect();
    let digit = |place: i32| {
        let index = i32::from(weight) - place;
        usize::try_from(index).ok().and_then(|index| digits.get(index)).copied().unwrap_or(0)
    };
    let mut text = match sign {
        0x0000 => String::new(),
        0x4000 => "-".to_owned(),
        0xC000 => return Some("NaN".to_owned()),
        0xD000 => return Some("Infinity".to_owned()),
        0xF000 => return Some("-Infinity".to_owned()),
        _ => return None,
    };
    let first = i32::from(weight).max(0);
    let _ = write!(text, "{}", digit(first));
    for place in (0..first).rev() {
        let _ = write!(text, "{:04}", digit(place));
    }
    if scale > 0 {
        text.push('.');
        let whole = text.len();
        let mut place = -1;
        while text.len() < whole + scale {
            let _ = write!(text, "{:04}", digit(place));
            place -= 1;
        }
        text.truncate(whole + scale);
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_are_read_from_their_digits() {
        for (expected, weight, sign, scale, digits) in [
            ("0", 0, 0, 0, &[][..]),
            ("0.00", 0, 0, 2, &[]),
            ("-12.50", 0, 0x4000, 2, &[12, 5000]),
            ("10000", 1, 0, 0, &[1]),
            ("123456789", 2, 0, 0, &[1, 2345, 6789]),
            ("0.0001", -1, 0, 4, &[1]),
            ("0.00000001", -2, 0, 8, &[1]),
            ("1.1", 0, 0, 1, &[1, 1000]),
            ("NaN", 0, 0xC000, 0, &[]),
            ("-Infinity", 0, 0xF000, 0, &[]),
        ] {
            let head = [u16::try_from(digits.len()).unwrap(), i16::cast_unsigned(weight), sign, scale];
            let raw: Vec<u8> = head.iter().chain(digits).flat_map(|word| word.to_be_bytes()).collect();
            assert_eq!(decimal(&raw).as_deref(), Some(expected));
        }
        assert_eq!(decimal(&[0; 7]), None);
    }

    #[test]
    fn values_that_are_cut_off_are_none() {
        for ty in
            [Type::INT2, Type::INT4, Type::INT8, Type::FLOAT8, Type::UUID, Type::DATE, Type::TIMESTAMPTZ, Type::JSONB]
        {
            assert_eq!(read(&ty, &[]), None, "{ty}");
        }
        assert_eq!(read(&Type::DATE, &i32::MAX.to_be_bytes()), None);
        assert_eq!(read(&Type::TIMESTAMP, &i64::MIN.to_be_bytes()), None);
        assert_eq!(read(&Type::INTERVAL, &[0; 16]), None);
    }

    #[test]
    fn years_before_the_first_are_counted_backwards() {
        assert_eq!(with_era(Date { year: 0, month: 1, day: 2 }, ""), "0001-01-02 BC");
        assert_eq!(with_era(Date { year: -44, month: 3, day: 15 }, " 12:00:00"), "0045-03-15 12:00:00 BC");
    }
}
