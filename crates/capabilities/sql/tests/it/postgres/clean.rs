//! Whatever becomes of a component, nothing of it stays on the server or on a connection.

use std::time::Duration;

use wharf_sql::api::{Isolation, Options};
use wharf_sql::{Database, Error, Value};
use wharf_testkit::services::Postgres;
use wharf_testkit::{BOUND, until};

use super::away::active;
use crate::fixture::{
    Fixture, IMPATIENT, USER, add, begin, call, execute, ids, number, query, statement, text, try_execute, within,
};

/// Waits, while our own tasks run, until nothing of ours runs on the server and no lock is held.
async fn quiet(server: &Postgres) {
    let locks = format!(
        "SELECT count(*) FROM pg_locks JOIN pg_stat_activity USING (pid) WHERE usename = '{USER}' AND locktype <> 'virtualxid'"
    );
    let look = async {
        while active(server) > 0 || server.sql(&locks) != "0" {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(BOUND, look).await.expect("nothing is left on the server");
}

#[tokio::test]
async fn who_disappears_in_a_statement_is_cancelled_on_the_server() {
    let Some(fixture) = Fixture::postgres("") else { return };
    let server = fixture.server.as_ref().unwrap();
    let database = fixture.table().await;
    for sql in ["SELECT pg_sleep(1000)", "INSERT INTO t (id) SELECT 1 FROM pg_sleep(1000)"] {
        let asked = database.query(statement(sql, &[]), call());
        let executed = database.execute(statement(sql, &[]), call());
        assert!(tokio::time::timeout(Duration::from_millis(100), asked).await.is_err());
        assert!(tokio::time::timeout(Duration::from_millis(100), executed).await.is_err());
        quiet(server).await;
    }
    assert!(ids(&*database).await.is_empty());
}

#[tokio::test]
async fn who_is_late_is_cancelled_on_the_server() {
    let Some(fixture) = Fixture::postgres("") else { return };
    let server = fixture.server.as_ref().unwrap();
    let database = fixture.table().await;
    let result =
        database.execute(statement("DO 'BEGIN PERFORM pg_sleep(1000); END'", &[]), within(Duration::from_millis(200)));
    assert!(result.await.is_err());
    quiet(server).await;
    let mut transaction = begin(&*database).await;
    let late = transaction.execute(statement("SELECT pg_sleep(1000)", &[]), within(Duration::from_millis(200))).await;
    assert!(late.is_err());
    quiet(server).await;
}

#[tokio::test]
async fn who_disappears_in_a_result_is_cancelled_on_the_server() {
    let Some(fixture) = Fixture::postgres("") else { return };
    let server = fixture.server.as_ref().unwrap();
    let database = fixture.database();
    for max in [1, 300, 5000] {
        let mut results = database.query(statement(fixture.series, &[Value::Int64(1 << 50)]), call()).await.unwrap();
        results.next(max, call()).await.unwrap();
        drop(results);
        quiet(server).await;
    }
}

#[tokio::test]
async fn who_disappears_in_a_transaction_is_rolled_back() {
    let Some(fixture) = Fixture::postgres("") else { return };
    let server = fixture.server.as_ref().unwrap();
    let database = fixture.table().await;
    let mut transaction = begin(&*database).await;
    add(&mut *transaction, 1).await.unwrap();
    until("it is open", || {
        server.sql("SELECT count(*) FROM pg_stat_activity WHERE state = 'idle in transaction'") == "1"
    });
    drop(transaction);
    quiet(server).await;

    let mut transaction = begin(&*database).await;
    add(&mut *transaction, 1).await.unwrap();
    let endless = transaction.execute(statement("SELECT pg_sleep(1000)", &[]), call());
    assert!(tokio::time::timeout(Duration::from_millis(100), endless).await.is_err());
    drop(transaction);
    quiet(server).await;
    assert!(ids(&*database).await.is_empty());
}

#[tokio::test]
async fn a_transaction_held_open_for_ever_is_over_on_the_server() {
    let Some(fixture) = Fixture::postgres(IMPATIENT) else { return };
    let server = fixture.server.as_ref().unwrap();
    let database = fixture.table().await;
    let mut transaction = begin(&*database).await;
    add(&mut *transaction, 1).await.unwrap();
    quiet(server).await;
    assert!(matches!(transaction.commit(call()).await, Err(Error::Closed(_))));
    assert!(ids(&*database).await.is_empty());
}

/// One connection, so that everybody gets the same.
async fn alone(fixture: &Fixture) -> std::sync::Arc<dyn Database> {
    let database = fixture.table().await;
    let pid = query(&*database, "SELECT pg_backend_pid()", &[]).await;
    assert_eq!(query(&*database, "SELECT pg_backend_pid()", &[]).await, pid, "the connection is kept");
    database
}

#[tokio::test]
async fn nothing_of_a_component_stays_on_a_connection() {
    let Some(fixture) = Fixture::postgres("connections = 1") else { return };
    let database = &*alone(&fixture).await;
    for sql in [
        "SELECT set_config('search_path', 'public', false)",
        "SELECT set_config('statement_timeout', '1', false)",
        "SELECT set_config('default_transaction_read_only', 'on', false)",
        "SELECT set_config('timezone', 'Asia/Tokyo', false)",
        "SELECT set_config('my.secret', 'x', false)",
        "SELECT pg_advisory_lock(1)",
        "DO 'BEGIN EXECUTE ''LISTEN x''; END'",
        "CREATE TEMP TABLE t (id BIGINT)",
        "DO 'BEGIN EXECUTE ''CREATE TEMP TABLE s (id BIGINT)''; END'",
    ] {
        execute(database, sql, &[]).await;
        let mut transaction = begin(database).await;
        transaction.execute(statement(sql, &[]), call()).await.unwrap();
        transaction.commit(call()).await.unwrap();
        execute(database, "INSERT INTO t (id) VALUES (1)", &[]).await;
        execute(database, "DELETE FROM t", &[]).await;
        let rows = query(
            database,
            "SELECT current_setting('search_path'), current_setting('timezone'), current_setting('my.secret', true), \
             (SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'), (SELECT count(*) FROM pg_listening_channels())",
            &[],
        )
        .await;
        assert!(matches!(&rows[0][2], Value::Null) || rows[0][2] == text(""), "{sql}: {rows:?}");
        assert_eq!(rows[0][..2], [text("\"shop.orders\""), text("UTC")], "{sql}");
        assert_eq!(rows[0][3..], [Value::Int64(0), Value::Int64(0)], "{sql}");
    }
    let visible = query(database, "SELECT count(*) FROM pg_class WHERE relpersistence = 't'", &[]).await;
    assert_eq!(number(&visible[0][0]), 0);
}

#[tokio::test]
async fn what_only_writes_rows_is_cleaned_up_before_somebody_could_see_it() {
    let Some(fixture) = Fixture::postgres("connections = 1") else { return };
    let server = fixture.server.as_ref().unwrap();
    let database = &*alone(&fixture).await;
    execute(database, "CREATE TABLE numbered (id BIGSERIAL, word TEXT)", &[]).await;
    let last = || server.sql(&format!("SELECT query FROM pg_stat_activity WHERE usename = '{USER}'"));
    until("the table is there and all is clean", || last().contains("DISCARD"));

    let insert = "INSERT INTO numbered (word) VALUES ('x')";
    for _ in 0..3 {
        execute(database, insert, &[]).await;
        assert_eq!(last(), insert, "nothing was undone");
    }
    // The session knows the number that the table gave out, and nobody else learns it.
    let seen = try_execute(database, "SELECT lastval()", &[]).await;
    assert!(matches!(seen, Err(Error::Backend(ref why)) if why.contains("lastval")), "{seen:?}");
    execute(database, insert, &[]).await;
    let mut transaction = begin(database).await;
    let seen = transaction.execute(statement("SELECT lastval()", &[]), call()).await;
    assert!(matches!(seen, Err(Error::Backend(ref why)) if why.contains("lastval")), "{seen:?}");
    drop(transaction);
    assert_eq!(number(&query(database, "SELECT count(*) FROM numbered", &[]).await[0][0]), 4);
}

#[tokio::test]
async fn a_component_that_only_reads_cannot_make_itself_write() {
    let Some(fixture) = Fixture::postgres("connections = 1") else { return };
    let database = &*fixture.table().await;
    execute(database, "INSERT INTO t (id) VALUES (1)", &[]).await;
    execute(database, "CREATE FUNCTION wipe() RETURNS bigint LANGUAGE sql AS 'DELETE FROM t RETURNING 1'", &[]).await;
    for sql in [
        "SELECT wipe()",
        "SELECT set_config('transaction_read_only', 'off', true), wipe()",
        "SELECT set_config('default_transaction_read_only', 'off', false)",
        "DO 'BEGIN COMMIT; DELETE FROM t; END'",
        "DO 'BEGIN SET TRANSACTION READ WRITE; DELETE FROM t; END'",
        "DO 'BEGIN DELETE FROM t; END'",
        "WITH a AS (DELETE FROM t RETURNING 1) SELECT * FROM a",
        "EXPLAIN ANALYZE DELETE FROM t",
        "SET TRANSACTION READ WRITE",
        "COMMIT",
        "SELECT lo_create(1)",
        "SELECT nextval('x')",
        "CREATE TEMP TABLE x AS SELECT wipe()",
    ] {
        let reading = crate::fixture::reading();
        let _ = database.query(statement(sql, &[]), reading).await;
        let options = Options { read_only: true, ..Options::default() };
        let mut transaction = database.begin(options, reading).await.unwrap();
        let _ = transaction.execute(statement(sql, &[]), reading).await;
        let _ = transaction.execute(statement("DELETE FROM t", &[]), reading).await;
        let _ = transaction.commit(reading).await;
        assert_eq!(ids(database).await, [1], "{sql}");
    }
    execute(database, "DELETE FROM t", &[]).await;
}

#[tokio::test]
async fn transactions_that_cross_are_told_to_try_again() {
    let Some(fixture) = Fixture::postgres("") else { return };
    let database = fixture.table().await;
    execute(&*database, "INSERT INTO t (id, word) VALUES (1, 'a'), (2, 'a')", &[]).await;
    let options = Options { isolation: Isolation::Serializable, read_only: false };
    let mut one = database.begin(options, call()).await.unwrap();
    let mut other = database.begin(options, call()).await.unwrap();
    for (transaction, id) in [(&mut one, 1), (&mut other, 2)] {
        transaction.execute(statement("SELECT count(*) FROM t WHERE word = 'a'", &[]), call()).await.unwrap();
        let change = statement("UPDATE t SET word = 'b' WHERE id = $1", &[Value::Int64(id)]);
        transaction.execute(change, call()).await.unwrap();
    }
    one.commit(call()).await.unwrap();
    let crossed = other.commit(call()).await;
    assert!(matches!(crossed, Err(Error::Serialization(_))), "{crossed:?}");
    assert!(crossed.is_err_and(|error| error.kind().is_retryable()));
}

#[tokio::test]
async fn a_constraint_that_waits_for_the_commit_is_told_there() {
    let Some(fixture) = Fixture::postgres("") else { return };
    let database = fixture.table().await;
    let sql = "CREATE TABLE u (t BIGINT REFERENCES t (id) DEFERRABLE INITIALLY DEFERRED)";
    execute(&*database, sql, &[]).await;
    let mut transaction = begin(&*database).await;
    transaction.execute(statement("INSERT INTO u VALUES (1)", &[]), call()).await.unwrap();
    assert!(matches!(transaction.commit(call()).await, Err(Error::Constraint { .. })));
    assert!(query(&*database, "SELECT * FROM u", &[]).await.is_empty());
}

#[tokio::test]
async fn what_would_confuse_the_protocol_is_refused() {
    let Some(fixture) = Fixture::postgres("connections = 1") else { return };
    let database = &*alone(&fixture).await;
    for sql in [
        "COPY t TO STDOUT",
        "COPY t FROM STDIN",
        "/**/copy t to program 'true'",
        "LISTEN x",
        "SET search_path = public",
        "RESET ALL",
        "DISCARD ALL",
        "DEALLOCATE ALL",
        "DECLARE c CURSOR FOR SELECT 1",
        "PREPARE x AS SELECT 1",
        "VACUUM",
        "LOAD 'x'",
    ] {
        let result = try_execute(database, sql, &[]).await;
        assert!(matches!(result, Err(Error::Forbidden(_))), "{sql}: {result:?}");
    }
    for sql in ["SELECT interval '1 day'", "SELECT ARRAY[1]", "SELECT 'infinity'::timestamp", "SELECT point(1, 2)"] {
        let error = crate::fixture::query_error(database, sql, call()).await;
        assert!(matches!(error, Error::TypeMismatch(_)), "{sql}: {error:?}");
    }
    let huge = crate::fixture::query_error(database, "SELECT repeat('x', 500000000)", call()).await;
    assert!(matches!(huge, Error::Refused(_)), "{huge:?}");
    assert_eq!(
        query(database, "SELECT 'NaN'::numeric, 12.50::numeric, 1e20::numeric", &[]).await,
        [[
            Value::Decimal("NaN".to_owned()),
            Value::Decimal("12.50".to_owned()),
            Value::Decimal("100000000000000000000".to_owned()),
        ]]
    );
}
