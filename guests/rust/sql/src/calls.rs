//! What each path does. An error is the name of its class and what is told to people.

use crate::wharf::sql::database::{self, Error, Isolation, Statement, Transaction, TransactionOptions, Value};

type Answer = Result<String, String>;

fn failed(error: Error) -> String {
    match error {
        Error::AccessDenied(text) => format!("denied: {text}"),
        Error::Constraint(violation) => format!("constraint: {}", violation.detail),
        Error::Serialization(text) => format!("serialization: {text}"),
        Error::Connection(text) => format!("connection: {text}"),
        Error::Syntax(text) => format!("syntax: {text}"),
        Error::Timeout => "timeout".to_owned(),
        Error::Limit(text) => format!("limit: {text}"),
        Error::TypeMismatch(text) => format!("type: {text}"),
        Error::Closed(text) => format!("closed: {text}"),
        Error::Other(text) => format!("other: {text}"),
    }
}

const ADD: &str = "INSERT INTO t (id, word) VALUES ($1, $2)";

fn row(id: i64, word: &str) -> Vec<Value> {
    vec![Value::Int64(id), Value::Text(word.to_owned())]
}

pub(crate) fn make(label: &str) -> Answer {
    run(label, "CREATE TABLE IF NOT EXISTS t (id BIGINT PRIMARY KEY, word TEXT)")
}

pub(crate) fn run(label: &str, sql: &str) -> Answer {
    let changed = database::open(label).and_then(|db| db.execute(sql, &[]));
    Ok(format!("{} changed\n", changed.map_err(failed)?))
}

pub(crate) fn add(label: &str, id: i64, word: &str) -> Answer {
    let changed = database::open(label).and_then(|db| db.execute(ADD, &row(id, word)));
    Ok(format!("{} changed\n", changed.map_err(failed)?))
}

/// Returns a line for each row.
pub(crate) fn rows(label: &str) -> Answer {
    let db = database::open(label).map_err(failed)?;
    let rows = db.query("SELECT id, word FROM t ORDER BY id", &[]).map_err(failed)?;
    let mut text = String::new();
    loop {
        let page = rows.next(2).map_err(failed)?;
        if page.is_empty() {
            return Ok(text);
        }
        for row in page {
            let [Value::Int64(id), Value::Text(word)] = &row[..] else { return Err(format!("{row:?}")) };
            text.push_str(&format!("{id} {word}\n"));
        }
    }
}

/// Counts the rows of a long result.
pub(crate) fn count(label: &str, wanted: u64) -> Answer {
    let db = database::open(label).map_err(failed)?;
    let sql = format!(
        "WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < {wanted}) SELECT n FROM s"
    );
    let rows = db.query(&sql, &[]).map_err(failed)?;
    let mut count = 0;
    loop {
        match rows.next(1000).map_err(failed)?.len() {
            0 => return Ok(format!("{count} rows\n")),
            more => count += more,
        }
    }
}

/// Writes a value of each type and reads it back.
pub(crate) fn types(label: &str) -> Answer {
    let db = database::open(label).map_err(failed)?;
    let table = "CREATE TABLE IF NOT EXISTS v (b BOOLEAN, f DOUBLE PRECISION, d DECIMAL, x BYTEA, day DATE, at TIMESTAMPTZ, u UUID, j JSON)";
    db.execute(table, &[]).map_err(failed)?;
    let values = [
        Value::Boolean(true),
        Value::Float64(0.25),
        Value::Decimal("12.5".to_owned()),
        Value::Bytes(vec![0, 255]),
        Value::Date(database::Date { year: 2024, month: 2, day: 29 }),
        Value::Instant(database::Instant { seconds: -1, microseconds: 999_999 }),
        Value::Uuid("67e55044-10b1-426f-9247-bb680e5fe0c8".to_owned()),
        Value::Json("{\"a\": 1}".to_owned()),
    ];
    let add = "INSERT INTO v VALUES ($1, $2, $3, $4, $5, $6, $7, $8) RETURNING b, f, d, x, day, at, u, j";
    let rows = db.query(add, &values).and_then(|rows| rows.next(1)).map_err(failed)?;
    Ok(format!("{}\n", format!("{:?}", rows[0]) == format!("{:?}", &values[..])))
}

pub(crate) fn batch(label: &str, id: i64) -> Answer {
    let one = |id| Statement { sql: ADD.to_owned(), params: row(id, "batch") };
    let batch = [one(id), one(id + 1), one(id + 2)];
    let changed = database::open(label).and_then(|db| db.batch(&batch)).map_err(failed)?;
    Ok(format!("{changed:?}\n"))
}

/// Adds two rows in a transaction, and ends it.
pub(crate) fn transaction(label: &str, id: i64, end: &str) -> Answer {
    let db = database::open(label).map_err(failed)?;
    let options = TransactionOptions { isolation: Isolation::ReadCommitted, read_only: false };
    let transaction = db.begin(options).map_err(failed)?;
    transaction.execute(ADD, &row(id, end)).map_err(failed)?;
    transaction.execute(ADD, &row(id + 1, end)).map_err(failed)?;
    match end {
        "commit" => Transaction::commit(&transaction).map_err(failed)?,
        "rollback" => transaction.rollback().map_err(failed)?,
        "drop" => drop(transaction),
        "trap" => panic!("in the middle of a transaction"),
        "hold" => loop {
            std::hint::black_box(&transaction);
        },
        _ => return Err(format!("no end {end}")),
    }
    // The connection is free again.
    let rows = db.query("SELECT id FROM t WHERE id = $1", &[Value::Int64(id)]).and_then(|rows| rows.next(1));
    Ok(format!("{} there\n", rows.map_err(failed)?.len()))
}
