//! Transactions end: by their owner's word, by its going, by a failure, or for lack of time.

use std::future::poll_fn;
use std::task::Poll;
use std::time::Duration;

use wharf_kit::Refused;
use wharf_sql::api::Options;
use wharf_sql::{Error, Row, Transaction, Value};

use crate::fixture::{
    Fixture, add, all, begin, call, execute, for_every_backend, ids, number, query, statement, within,
};

for_every_backend!("";
    what_is_committed_lasts,
    what_is_rolled_back_never_was,
    what_is_dropped_is_rolled_back,
    a_transaction_sees_its_own_changes,
    a_failed_statement_ends_the_transaction,
    results_are_read_while_other_statements_run,
    results_of_a_transaction_end_with_it,
    a_statement_that_runs_for_ever_ends_the_transaction,
    a_call_that_nobody_waits_for_ends_the_transaction,
    a_transaction_may_only_read,
    many_dropped_transactions_leave_nothing_behind,
);

mod idle {
    use super::*;
    for_every_backend!(crate::fixture::IMPATIENT; a_transaction_held_open_for_ever_is_ended);

    async fn a_transaction_held_open_for_ever_is_ended(fixture: Fixture) {
        super::a_transaction_held_open_for_ever_is_ended(fixture).await;
    }
}

mod lifetime {
    use super::*;
    for_every_backend!("lifetime = \"300ms\""; a_busy_transaction_has_an_end);

    async fn a_busy_transaction_has_an_end(fixture: Fixture) {
        super::a_busy_transaction_has_an_end(fixture).await;
    }
}

async fn what_is_committed_lasts(fixture: Fixture) {
    let database = &*fixture.table().await;
    let mut transaction = begin(database).await;
    assert_eq!(add(&mut *transaction, 1).await, Ok(1));
    assert_eq!(add(&mut *transaction, 2).await, Ok(1));
    assert!(ids(database).await.is_empty(), "nobody sees it yet");
    transaction.commit(call()).await.unwrap();
    assert_eq!(ids(database).await, [1, 2]);
    begin(database).await.commit(call()).await.unwrap();
}

async fn what_is_rolled_back_never_was(fixture: Fixture) {
    let database = &*fixture.table().await;
    let mut transaction = begin(database).await;
    add(&mut *transaction, 1).await.unwrap();
    transaction.execute(statement("CREATE TABLE u (id BIGINT)", &[]), call()).await.unwrap();
    transaction.rollback(call()).await.unwrap();
    assert!(ids(database).await.is_empty());
    execute(database, "CREATE TABLE u (id BIGINT)", &[]).await;
}

async fn what_is_dropped_is_rolled_back(fixture: Fixture) {
    let database = &*fixture.table().await;
    for _ in 0..10 {
        let mut transaction = begin(database).await;
        add(&mut *transaction, 1).await.unwrap();
        drop(transaction);
    }
    // The row would be locked, if not there.
    execute(database, "INSERT INTO t (id) VALUES (1)", &[]).await;
    assert_eq!(ids(database).await, [1]);
}

async fn a_transaction_sees_its_own_changes(fixture: Fixture) {
    let database = &*fixture.table().await;
    let mut transaction = begin(database).await;
    add(&mut *transaction, 1).await.unwrap();
    let rows = all(transaction.query(statement("SELECT id FROM t", &[]), call()).await.unwrap()).await.unwrap();
    assert_eq!(rows, [[Value::Int64(1)]]);
    let sql = "INSERT INTO t (id) VALUES (2) RETURNING id";
    let rows = all(transaction.query(statement(sql, &[]), call()).await.unwrap()).await.unwrap();
    assert_eq!(rows, [[Value::Int64(2)]]);
    transaction.commit(call()).await.unwrap();
    assert_eq!(ids(database).await, [1, 2]);
}

async fn a_failed_statement_ends_the_transaction(fixture: Fixture) {
    let database = &*fixture.table().await;
    for sql in ["SELEC", "INSERT INTO t (id) VALUES (1)", "COMMIT", "SELECT * FROM nothing", "SELECT $1"] {
        let mut transaction = begin(database).await;
        add(&mut *transaction, 1).await.unwrap();
        assert!(transaction.query(statement(sql, &[]), call()).await.is_err(), "{sql}");
        let after = add(&mut *transaction, 2).await;
        assert!(matches!(after, Err(Error::Closed(_))), "{sql}: {after:?}");
        let commit = transaction.commit(call()).await;
        assert!(matches!(commit, Err(Error::Closed(_))), "{sql}: {commit:?}");
        assert!(ids(database).await.is_empty(), "{sql}");
    }
    let mut transaction = begin(database).await;
    assert!(transaction.execute(statement("SELEC", &[]), call()).await.is_err());
    transaction.rollback(call()).await.unwrap();
}

async fn results_are_read_while_other_statements_run(fixture: Fixture) {
    let database = &*fixture.table().await;
    let mut transaction = begin(database).await;
    let rows = |count| statement(fixture.series, &[Value::Int64(count)]);
    let mut outer = transaction.query(rows(2000), call()).await.unwrap();
    let mut count = 0;
    loop {
        let page = outer.next(400, call()).await.unwrap();
        if page.is_empty() {
            break;
        }
        count += page.len();
        let Row(first) = &page[0];
        add(&mut *transaction, number(&first[0])).await.unwrap();
        let inner = transaction.query(rows(600), call()).await.unwrap();
        assert_eq!(all(inner).await.unwrap().len(), 600);
    }
    assert_eq!(count, 2000);
    // Some that are not read to their end.
    let mut open = Vec::new();
    for _ in 0..5 {
        open.push(transaction.query(rows(5000), call()).await.unwrap());
    }
    drop(open.remove(2));
    add(&mut *transaction, 0).await.unwrap();
    transaction.commit(call()).await.unwrap();
    assert!(ids(database).await.len() > 5);
}

async fn results_of_a_transaction_end_with_it(fixture: Fixture) {
    let database = &*fixture.table().await;
    let mut transaction = begin(database).await;
    let mut results = transaction.query(statement(fixture.series, &[Value::Int64(50_000)]), call()).await.unwrap();
    transaction.commit(call()).await.unwrap();
    let error = loop {
        match results.next(1000, call()).await {
            Ok(page) => assert!(!page.is_empty(), "it ended well"),
            Err(error) => break error,
        }
    };
    assert!(matches!(error, Error::Closed(_)), "{error:?}");
    execute(database, "INSERT INTO t (id) VALUES (1)", &[]).await;
}

async fn a_statement_that_runs_for_ever_ends_the_transaction(fixture: Fixture) {
    let database = &*fixture.table().await;
    let mut transaction = begin(database).await;
    add(&mut *transaction, 1).await.unwrap();
    let counted = format!("SELECT count(*) FROM ({}) x", fixture.series);
    let counted = statement(&counted, &[Value::Int64(1 << 60)]);
    let result = transaction.query(counted, within(Duration::from_millis(200))).await;
    assert!(matches!(result, Err(Error::Refused(Refused::Deadline(_)))), "{:?}", result.err());
    assert!(matches!(transaction.commit(call()).await, Err(Error::Closed(_))));
    assert!(ids(database).await.is_empty());
    execute(database, "INSERT INTO t (id) VALUES (1)", &[]).await;
}

async fn a_call_that_nobody_waits_for_ends_the_transaction(fixture: Fixture) {
    let database = &*fixture.table().await;
    let mut transaction = begin(database).await;
    add(&mut *transaction, 1).await.unwrap();
    let counted = format!("SELECT count(*) FROM ({}) x", fixture.series);
    let endless = transaction.query(statement(&counted, &[Value::Int64(1 << 60)]), call());
    assert!(tokio::time::timeout(Duration::from_millis(50), endless).await.is_err());
    let after = add(&mut *transaction, 2).await;
    assert!(after.is_err(), "{after:?}");
    drop(transaction);
    execute(database, "INSERT INTO t (id) VALUES (1)", &[]).await;
    assert_eq!(ids(database).await, [1]);
}

async fn a_transaction_may_only_read(fixture: Fixture) {
    let database = &*fixture.table().await;
    let options = Options { read_only: true, ..Options::default() };
    let mut transaction = database.begin(options, call()).await.unwrap();
    let rows = all(transaction.query(statement("SELECT id FROM t", &[]), call()).await.unwrap()).await.unwrap();
    assert!(rows.is_empty());
    // It is in nobody's way.
    execute(database, "INSERT INTO t (id) VALUES (1)", &[]).await;
    assert_eq!(add(&mut *transaction, 2).await, Err(Error::ReadOnly));
    assert_eq!(ids(database).await, [1]);
}

async fn many_dropped_transactions_leave_nothing_behind(fixture: Fixture) {
    let database = &*fixture.table().await;
    for id in 0..30 {
        let mut transaction = begin(database).await;
        add(&mut *transaction, id).await.unwrap();
        match id % 3 {
            0 => drop(transaction),
            1 => {
                let results = transaction.query(statement(fixture.series, &[Value::Int64(5000)]), call()).await;
                drop(transaction);
                drop(results);
            }
            _ => {
                // Given up between question and answer.
                let question = statement("SELECT id FROM t", &[]);
                let mut asked = transaction.query(question, call());
                let _ = poll_fn(|cx| Poll::Ready(asked.as_mut().poll(cx))).await;
            }
        }
    }
    execute(database, "INSERT INTO t (id) VALUES (1)", &[]).await;
    assert_eq!(query(database, "SELECT id FROM t", &[]).await.len(), 1);
}

async fn ended(transaction: &mut dyn Transaction) -> Error {
    loop {
        match transaction.execute(statement("SELECT 1", &[]), call()).await {
            Ok(_) => tokio::time::sleep(Duration::from_millis(20)).await,
            Err(error) => return error,
        }
    }
}

async fn a_transaction_held_open_for_ever_is_ended(fixture: Fixture) {
    let database = &*fixture.table().await;
    let mut transaction = begin(database).await;
    add(&mut *transaction, 1).await.unwrap();
    // Waits for the row, or for its turn.
    execute(database, "INSERT INTO t (id) VALUES (1)", &[]).await;
    assert!(matches!(ended(&mut *transaction).await, Error::Closed(_)));
    assert!(matches!(transaction.commit(call()).await, Err(Error::Closed(_))));
    assert_eq!(ids(database).await, [1]);
}

async fn a_busy_transaction_has_an_end(fixture: Fixture) {
    let database = &*fixture.table().await;
    let mut transaction = begin(database).await;
    add(&mut *transaction, 1).await.unwrap();
    assert!(matches!(ended(&mut *transaction).await, Error::Closed(_)));
    assert!(ids(database).await.is_empty());
}
