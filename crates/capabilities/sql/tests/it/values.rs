//! Values of every type go in and come back.

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, TestRunner};
use wharf_kit::Refused;
use wharf_sql::{Call, Date, Error, Instant, Time, Timestamp, Value};

use crate::fixture::{Fixture, all, call, execute, for_every_backend, query, statement, text, try_execute};

for_every_backend!("";
    every_type_is_read_back,
    the_edges_of_every_type_are_read_back,
    absent_values_have_every_type,
    columns_say_their_names,
    any_text_and_any_bytes_are_read_back,
    a_value_that_is_not_of_its_type_is_refused,
    a_row_over_the_limit_is_refused,
);

const TABLE: &str = "CREATE TABLE v (b BOOLEAN, i BIGINT, f DOUBLE PRECISION, d DECIMAL, s TEXT, x BYTEA, \
                     day DATE, clock TIME, at TIMESTAMP, point TIMESTAMPTZ, u UUID, j JSON)";
const ADD: &str = "INSERT INTO v VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)";

fn decimal(text: &str) -> Value {
    Value::Decimal(text.to_owned())
}

async fn every_type_is_read_back(fixture: Fixture) {
    let database = &*fixture.database();
    execute(database, TABLE, &[]).await;
    let date = Date { year: 2024, month: 2, day: 29 };
    let time = Time { hour: 23, minute: 59, second: 58, microsecond: 123_456 };
    let row = [
        Value::Boolean(true),
        Value::Int64(-42),
        Value::Float64(0.1),
        decimal("-12.5"),
        text("grüße \u{1F980}"),
        Value::Bytes(vec![0, 255, 39, 92]),
        Value::Date(date),
        Value::Time(time),
        Value::Timestamp(Timestamp { date, time }),
        Value::Instant(Instant { seconds: 1_709_251_198, microseconds: 5 }),
        Value::Uuid(0x67e5_5044_10b1_426f_9247_bb68_0e5f_e0c8),
        Value::Json("{\"a\": [1, null]}".to_owned()),
    ];
    assert_eq!(execute(database, ADD, &row).await, 1);
    assert_eq!(query(database, "SELECT * FROM v", &[]).await, [row.to_vec()]);
    for (column, value) in
        ["b", "i", "d", "s", "x", "day", "clock", "at", "point", "u"].iter().zip([0, 1, 3, 4, 5, 6, 7, 8, 9, 10])
    {
        let found = query(database, &format!("SELECT 1 FROM v WHERE {column} = $1"), &[row[value].clone()]).await;
        assert_eq!(found.len(), 1, "{column}");
    }
}

async fn the_edges_of_every_type_are_read_back(fixture: Fixture) {
    let database = &*fixture.database();
    execute(database, TABLE, &[]).await;
    let midnight = Time { hour: 0, minute: 0, second: 0, microsecond: 0 };
    let old = Date { year: -44, month: 3, day: 15 };
    let late = Date { year: 9999, month: 12, day: 31 };
    for (column, value) in [
        ("b", Value::Boolean(false)),
        ("i", Value::Int64(i64::MIN)),
        ("i", Value::Int64(i64::MAX)),
        ("f", Value::Float64(f64::MIN_POSITIVE)),
        ("f", Value::Float64(f64::MAX)),
        ("f", Value::Float64(f64::INFINITY)),
        ("f", Value::Float64(-1.5e-300)),
        ("d", decimal("0")),
        ("d", decimal("123456789012345")),
        ("d", decimal("0.0001")),
        ("d", decimal("-99999.99999")),
        ("s", text("")),
        ("x", Value::Bytes(Vec::new())),
        ("day", Value::Date(old)),
        ("day", Value::Date(Date { year: 0, month: 1, day: 1 })),
        ("day", Value::Date(Date { year: 12_345, month: 1, day: 1 })),
        ("clock", Value::Time(midnight)),
        ("clock", Value::Time(Time { hour: 24, ..midnight })),
        ("at", Value::Timestamp(Timestamp { date: old, time: midnight })),
        ("at", Value::Timestamp(Timestamp { date: late, time: Time { microsecond: 1, ..midnight } })),
        ("point", Value::Instant(Instant { seconds: 0, microseconds: 0 })),
        ("point", Value::Instant(Instant { seconds: -1, microseconds: 999_999 })),
        ("point", Value::Instant(Instant { seconds: -63_000_000_000, microseconds: 1 })),
        ("u", Value::Uuid(0)),
        ("u", Value::Uuid(u128::MAX)),
        ("j", Value::Json("null".to_owned())),
        ("j", Value::Json("\"text\"".to_owned())),
    ] {
        execute(database, "DELETE FROM v", &[]).await;
        execute(database, &format!("INSERT INTO v ({column}) VALUES ($1)"), std::slice::from_ref(&value)).await;
        assert_eq!(query(database, &format!("SELECT {column} FROM v"), &[]).await, [[value]]);
    }
}

async fn absent_values_have_every_type(fixture: Fixture) {
    let database = &*fixture.database();
    execute(database, TABLE, &[]).await;
    let row = vec![Value::Null; 12];
    execute(database, ADD, &row).await;
    assert_eq!(query(database, "SELECT * FROM v", &[]).await, [row]);
}

async fn columns_say_their_names(fixture: Fixture) {
    let database = &*fixture.database();
    execute(database, TABLE, &[]).await;
    let results = database.query(statement("SELECT i AS \"a b\", s FROM v", &[]), call()).await.unwrap();
    let columns: Vec<_> = results.columns().iter().map(|column| column.name.as_str()).collect();
    assert_eq!(columns, ["a b", "s"]);
    assert!(results.columns().iter().all(|column| !column.type_name.is_empty()));
    assert!(all(results).await.unwrap().is_empty());
}

async fn any_text_and_any_bytes_are_read_back(fixture: Fixture) {
    let database = &*fixture.database();
    execute(database, "CREATE TABLE v (s TEXT, x BYTEA)", &[]).await;
    let mut runner = TestRunner::new(Config { cases: 64, failure_persistence: None, ..Config::default() });
    let strategy = ("[^\0]{0,40}", proptest::collection::vec(any::<u8>(), 0..100));
    for _ in 0..64 {
        let (word, bytes) = strategy.new_tree(&mut runner).unwrap().current();
        let row = [text(&word), Value::Bytes(bytes)];
        let rows = query(database, "INSERT INTO v VALUES ($1, $2) RETURNING s, x", &row).await;
        assert_eq!(rows, [row]);
    }
}

async fn a_value_that_is_not_of_its_type_is_refused(fixture: Fixture) {
    let database = &*fixture.database();
    execute(database, TABLE, &[]).await;
    // What a parameter's own type can say is refused by every backend, before it is asked.
    for value in [Value::Instant(Instant { seconds: i64::MAX, microseconds: 0 })] {
        let result = try_execute(database, "INSERT INTO v (point) VALUES ($1)", std::slice::from_ref(&value)).await;
        assert!(matches!(result, Err(Error::TypeMismatch(_))), "{value:?}: {result:?}");
    }
}

async fn a_row_over_the_limit_is_refused(fixture: Fixture) {
    let database = &*fixture.database();
    execute(database, "CREATE TABLE v (id BIGINT, s TEXT)", &[]).await;
    for id in 0..4 {
        let row = [Value::Int64(id), text(&"x".repeat(60_000 * usize::try_from(id).unwrap()))];
        execute(database, "INSERT INTO v VALUES ($1, $2)", &row).await;
    }
    let small = || Call { size_bytes: 100_000, ..call() };
    let read = |id| statement("SELECT s FROM v WHERE id = $1", &[Value::Int64(id)]);
    for id in 0..4 {
        let result = match database.query(read(id), small()).await {
            Ok(mut results) => results.next(1, small()).await.map(|rows| rows.len()),
            Err(error) => Err(error),
        };
        match id {
            0 | 1 => assert_eq!(result, Ok(1)),
            _ => {
                assert!(matches!(result, Err(Error::Refused(Refused::TooLarge { .. }) | Error::Limit(_))), "{result:?}")
            }
        }
    }
    assert_eq!(query(database, "SELECT id FROM v", &[]).await.len(), 4);
}
