//! A server that is away, goes, comes back, or does not let us in.

use std::time::Duration;

use tempfile::TempDir;
use wharf_kit::{Kind, Namespace};
use wharf_sql::{Error, Value};
use wharf_testkit::services::Postgres;

use crate::fixture::{
    Fixture, PASSWORD, USER, add, begin, execute, ids, open, query, query_error, recovers, statement, try_execute,
    within,
};

#[tokio::test]
async fn a_server_that_is_down_at_the_start_is_no_error_until_it_is_called() {
    let Some(fixture) = Fixture::postgres("") else { return };
    let server = fixture.server.as_ref().unwrap();
    server.kill();
    let database = fixture.database();
    for _ in 0..20 {
        let error = query_error(&*database, "SELECT 1", within(Duration::from_secs(30))).await;
        assert!(matches!(error, Error::Unavailable(_)), "{error:?}");
        assert!(error.kind().is_retryable());
        assert!(!format!("{error} {error:?}").contains(PASSWORD));
    }
    server.restart();
    recovers(async || try_execute(&*database, "CREATE TABLE IF NOT EXISTS t (id BIGINT PRIMARY KEY)", &[]).await).await;
    assert!(ids(&*database).await.is_empty());
}

#[tokio::test]
async fn wrong_credentials_are_told_without_them() {
    let Some(fixture) = Fixture::postgres("") else { return };
    let server = fixture.server.as_ref().unwrap();
    let port = server.port();
    for url in [
        format!("postgres://{USER}:wrong-{PASSWORD}@127.0.0.1:{port}/postgres"),
        format!("postgres://nobody:{PASSWORD}@127.0.0.1:{port}/postgres"),
        format!("postgres://{USER}:{PASSWORD}@127.0.0.1:{port}/nothing"),
    ] {
        let opened = open("postgres", &format!("url = \"{url}\""), &fixture.folder).unwrap();
        let namespace = Namespace::own("shop", "orders");
        let database = opened.store(&namespace).unwrap();
        let error = query_error(&*database, "SELECT 1", crate::fixture::call()).await;
        assert_eq!(error.kind(), Kind::Backend, "{error:?}");
        let shown = format!("{error} {error:?} {}", opened.place(&namespace));
        assert!(!shown.contains(PASSWORD), "{shown}");
    }
    let other = fixture.of(&Namespace::own("shop", "orders"));
    assert_eq!(query(&*other, "SELECT 1", &[]).await, [[Value::Int64(1)]]);
}

#[tokio::test]
async fn a_server_that_asks_for_no_tls_gets_nothing_when_it_is_wanted() {
    let Some(fixture) = Fixture::postgres("") else { return };
    let url = crate::fixture::url(fixture.server.as_ref().unwrap());
    let opened = open("postgres", &format!("url = \"{url}\"\ntls = true"), &fixture.folder).unwrap();
    let database = opened.store(&Namespace::own("shop", "orders")).unwrap();
    let error = query_error(&*database, "SELECT 1", crate::fixture::call()).await;
    assert!(matches!(error, Error::Backend(_)), "{error:?}");
}

#[tokio::test]
async fn a_server_that_dies_in_a_call_fails_it_and_is_found_again() {
    let Some(fixture) = Fixture::postgres("") else { return };
    let server = fixture.server.as_ref().unwrap();
    let database = fixture.table().await;
    execute(&*database, "INSERT INTO t (id) VALUES (1)", &[]).await;
    let mut transaction = begin(&*database).await;
    add(&mut *transaction, 2).await.unwrap();
    let (endless, ()) = tokio::join!(query_error(&*database, "SELECT pg_sleep(1000)", crate::fixture::call()), async {
        wharf_testkit::until("the statement runs", || active(server) == 1);
        server.kill();
    });
    assert!(matches!(endless, Error::Unavailable(_)), "{endless:?}");
    let after = add(&mut *transaction, 3).await;
    assert!(matches!(after, Err(Error::Unavailable(_))), "{after:?}");
    assert!(transaction.commit(crate::fixture::call()).await.is_err());
    server.restart();
    let rows = recovers(async || crate::fixture::try_query(&*database, "SELECT id FROM t", &[]).await);
    assert_eq!(rows.await, [[Value::Int64(1)]]);
}

#[tokio::test]
async fn a_server_that_hangs_costs_no_more_than_the_time_of_a_call() {
    let Some(fixture) = Fixture::postgres("connect-timeout = \"200ms\"") else { return };
    let server = fixture.server.as_ref().unwrap();
    let database = fixture.table().await;
    server.pause();
    let short = || within(Duration::from_millis(100));
    for _ in 0..3 {
        let result = database.execute(statement("INSERT INTO t (id) VALUES (1)", &[]), short()).await;
        assert!(result.as_ref().is_err_and(|error| error.kind().is_retryable()), "{result:?}");
    }
    server.resume();
    recovers(async || try_execute(&*database, "DELETE FROM t", &[]).await).await;
    execute(&*database, "INSERT INTO t (id) VALUES (1)", &[]).await;
}

#[tokio::test]
async fn a_server_without_room_for_connections_is_unavailable() {
    let options = Postgres::options().setting("max_connections=6").setting("superuser_reserved_connections=3");
    let Some(server) = options.start() else { return };
    let fixture = Fixture::with(server, "connections = 20");
    let database = fixture.table().await;
    let mut open = Vec::new();
    let error = loop {
        match database.begin(Default::default(), crate::fixture::call()).await {
            Ok(transaction) => open.push(transaction),
            Err(error) => break error,
        }
    };
    assert!(matches!(error, Error::Unavailable(_)) && open.len() < 6, "{error:?}");
    drop(open);
    recovers(async || try_execute(&*database, "INSERT INTO t (id) VALUES (1)", &[]).await).await;
}

#[tokio::test]
async fn a_pool_without_a_free_connection_says_so() {
    let Some(fixture) = Fixture::postgres("connections = 1") else { return };
    let database = fixture.table().await;
    let transaction = begin(&*database).await;
    let error = query_error(&*database, "SELECT 1", within(Duration::from_millis(100))).await;
    assert!(matches!(error, Error::Unavailable(_)), "{error:?}");
    drop(transaction);
    assert_eq!(query(&*database, "SELECT 1", &[]).await.len(), 1);
}

#[tokio::test]
async fn settings_are_checked_before_anything_is_called() {
    let folder = TempDir::new().unwrap();
    for settings in ["", "url = \"db.example\"", "url = 1", "url = \"postgres://a@b/c\"\nurls = 1"] {
        assert!(open("postgres", settings, &folder).is_err(), "{settings}");
    }
}

/// Connections of ours on which a statement runs.
pub(super) fn active(server: &Postgres) -> usize {
    let sql = format!("SELECT count(*) FROM pg_stat_activity WHERE usename = '{USER}' AND state <> 'idle'");
    server.sql(&sql).parse().unwrap()
}
