//! Results are streams: what is not asked for is not there, and what is dropped is over.

use std::time::Duration;

use futures_util::future::join_all;
use wharf_kit::Refused;
use wharf_sql::{Error, Row, Value};

use crate::fixture::{
    Fixture, all, call, execute, for_every_backend, number, query, query_error, recovers, statement, within,
};

for_every_backend!("";
    a_long_result_is_read_in_pages,
    ten_million_rows_read_slowly_take_little_memory,
    a_result_that_is_dropped_frees_its_connection,
    a_result_without_rows_has_columns,
    a_query_that_runs_for_ever_is_ended,
    a_query_that_nobody_waits_for_is_ended,
    a_result_that_fails_in_the_middle_says_so,
);

mod idle {
    use super::*;
    for_every_backend!(crate::fixture::IMPATIENT; a_result_that_is_not_read_is_ended);

    async fn a_result_that_is_not_read_is_ended(fixture: Fixture) {
        super::a_result_that_is_not_read_is_ended(fixture).await;
    }
}

/// More than any test waits for.
const ENDLESS: Value = Value::Int64(1 << 60);

async fn a_long_result_is_read_in_pages(fixture: Fixture) {
    let database = &*fixture.database();
    let mut results = database.query(statement(fixture.series, &[Value::Int64(20_000)]), call()).await.unwrap();
    let (mut count, mut sizes) = (0, [1, 7, 100, 1000, usize::MAX].iter().cycle());
    loop {
        let max = *sizes.next().unwrap();
        let page = results.next(max, call()).await.unwrap();
        if page.is_empty() {
            break;
        }
        assert!(page.len() <= max && page.len() <= 10_000, "{} rows at once", page.len());
        for Row(values) in page {
            count += 1;
            assert_eq!(number(&values[0]), count);
        }
    }
    assert_eq!(count, 20_000);
    assert!(results.next(1, call()).await.unwrap().is_empty());
}

async fn ten_million_rows_read_slowly_take_little_memory(fixture: Fixture) {
    let database = &*fixture.database();
    let before = memory_kib();
    let mut results = database.query(statement(fixture.series, &[Value::Int64(10_000_000)]), call()).await.unwrap();
    let mut count = 0;
    for _ in 0..100 {
        count += results.next(1000, call()).await.unwrap().len();
        // Time in which a backend that does not wait for its reader would run away.
        tokio::time::sleep(Duration::from_millis(3)).await;
    }
    assert!(count >= 10_000, "{count} rows");
    let grown = memory_kib().saturating_sub(before);
    // All of it would be more than 500 MiB. Other tests run in the same process.
    assert!(grown < 200 << 10, "{grown} KiB more");
}

/// Returns the memory of this process.
fn memory_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

async fn a_result_that_is_dropped_frees_its_connection(fixture: Fixture) {
    let database = &*fixture.table().await;
    for _ in 0..20 {
        // More of them than there are connections.
        let mut results = database.query(statement(fixture.series, &[ENDLESS]), call()).await.unwrap();
        assert_eq!(results.next(3, call()).await.unwrap().len(), 3);
    }
    execute(database, "INSERT INTO t (id) VALUES (1)", &[]).await;
    let at_once = (0..8).map(|_| query(database, "SELECT id FROM t", &[]));
    assert_eq!(join_all(at_once).await.concat().len(), 8);
}

async fn a_result_without_rows_has_columns(fixture: Fixture) {
    let database = &*fixture.table().await;
    let results = database.query(statement("SELECT word, id FROM t", &[]), call()).await.unwrap();
    assert_eq!(results.columns().len(), 2);
    assert!(all(results).await.unwrap().is_empty());
    let results = database.query(statement("DELETE FROM t", &[]), call()).await.unwrap();
    assert!(results.columns().is_empty());
    assert!(all(results).await.unwrap().is_empty());
}

async fn a_query_that_runs_for_ever_is_ended(fixture: Fixture) {
    let database = &*fixture.table().await;
    let counted = format!("SELECT count(*) FROM ({}) x", fixture.series);
    let time = Duration::from_millis(200);
    for _ in 0..6 {
        let result = database.query(statement(&counted, &[ENDLESS]), within(time)).await;
        assert!(matches!(result, Err(Error::Refused(Refused::Deadline(_)))), "{:?}", result.err());
    }
    let insert = format!("INSERT INTO t (id) SELECT n FROM ({}) x", fixture.series);
    let result = database.execute(statement(&insert, &[ENDLESS]), within(time)).await;
    assert!(matches!(result, Err(Error::Refused(Refused::Deadline(_)))), "{result:?}");
    assert!(query(database, "SELECT id FROM t", &[]).await.is_empty());
    execute(database, "INSERT INTO t (id) VALUES (1)", &[]).await;
}

async fn a_query_that_nobody_waits_for_is_ended(fixture: Fixture) {
    let database = &*fixture.table().await;
    let counted = format!("SELECT count(*) FROM ({}) x", fixture.series);
    let insert = format!("INSERT INTO t (id) SELECT n FROM ({}) x", fixture.series);
    for _ in 0..10 {
        let query = database.query(statement(&counted, &[ENDLESS]), call());
        assert!(tokio::time::timeout(Duration::from_millis(30), query).await.is_err());
        let execute = database.execute(statement(&insert, &[ENDLESS]), call());
        assert!(tokio::time::timeout(Duration::from_millis(30), execute).await.is_err());
    }
    assert!(query(database, "SELECT id FROM t", &[]).await.is_empty());
    execute(database, "INSERT INTO t (id) VALUES (1)", &[]).await;
}

async fn a_result_that_fails_in_the_middle_says_so(fixture: Fixture) {
    let database = &*fixture.database();
    let sql = format!("SELECT n, {} FROM ({}) x", fixture.fails_at_5000, fixture.series);
    let mut results = database.query(statement(&sql, &[Value::Int64(10_000)]), call()).await.unwrap();
    let mut count = 0;
    let error = loop {
        match results.next(500, call()).await {
            Ok(page) if page.is_empty() => panic!("it ended well after {count} rows"),
            Ok(page) => count += page.len(),
            Err(error) => break error,
        }
    };
    assert!(count < 5000, "{count} rows");
    assert_eq!(results.next(1, call()).await.unwrap_err(), error);
    assert!(matches!(query_error(database, "SELEC", call()).await, Error::Syntax(_)));
}

async fn a_result_that_is_not_read_is_ended(fixture: Fixture) {
    let database = &*fixture.database();
    let mut results = database.query(statement(fixture.series, &[ENDLESS]), call()).await.unwrap();
    let error = recovers(async || {
        tokio::time::sleep(Duration::from_millis(150)).await;
        loop {
            match results.next(10_000, call()).await {
                Ok(page) if page.len() < 256 => panic!("it ended well"),
                Ok(_) => tokio::time::sleep(Duration::from_millis(150)).await,
                Err(error) => return Ok(error),
            }
        }
    })
    .await;
    assert!(matches!(error, Error::Closed(_)), "{error:?}");
    assert_eq!(query(database, fixture.series, &[Value::Int64(2)]).await.len(), 2);
}
