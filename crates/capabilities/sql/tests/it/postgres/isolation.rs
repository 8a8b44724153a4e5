//! What keeps labels apart that are on one server: the user of the database.

use tempfile::TempDir;
use wharf_kit::{BackendError, Namespace};
use wharf_sql::Error;
use wharf_testkit::services::Postgres;

use crate::fixture::{Fixture, USER, call, execute, open, query_error, try_execute, url};

#[tokio::test]
async fn one_user_for_two_labels_is_refused() {
    let Some(fixture) = Fixture::postgres("") else { return };
    let url = url(fixture.server.as_ref().unwrap());
    let opened = open("postgres", &format!("url = \"{url}\""), &fixture.folder).unwrap();
    opened.store(&Namespace::own("shop", "orders")).unwrap();
    opened.store(&Namespace::own("shop", "orders")).unwrap();
    for other in [Namespace::own("shop", "users"), Namespace::own("forum", "orders"), Namespace::shared("orders")] {
        let error = opened.store(&other).err();
        assert!(matches!(&error, Some(BackendError::Settings(why)) if why.contains("shared-user")), "{error:?}");
    }
}

#[tokio::test]
async fn a_user_of_its_own_keeps_a_label_from_another_one() {
    let Some(fixture) = Fixture::postgres("") else { return };
    let server = fixture.server.as_ref().unwrap();
    let orders = fixture.table().await;
    server.sql("CREATE ROLE forum LOGIN PASSWORD 'other'");
    server.sql("GRANT CREATE ON DATABASE postgres TO forum");
    let url = format!("postgres://forum:other@127.0.0.1:{}/postgres", server.port());
    let opened = open("postgres", &format!("url = \"{url}\""), &fixture.folder).unwrap();
    let posts = opened.store(&Namespace::own("forum", "posts")).unwrap();
    execute(&*posts, "CREATE TABLE t (id BIGINT)", &[]).await;
    for sql in [
        "SELECT * FROM \"shop.orders\".t",
        "INSERT INTO \"shop.orders\".t VALUES (1)",
        "DROP SCHEMA \"shop.orders\" CASCADE",
        "CREATE TABLE \"shop.orders\".u (id BIGINT)",
        "ALTER ROLE shop PASSWORD 'x'",
        "GRANT shop TO forum",
        "ALTER SYSTEM SET fsync = off",
        "SELECT pg_read_file('/etc/passwd')",
    ] {
        let result = try_execute(&*posts, sql, &[]).await;
        assert!(matches!(result, Err(Error::Forbidden(_))), "{sql}: {result:?}");
    }
    assert!(crate::fixture::ids(&*orders).await.is_empty());
}

#[tokio::test]
async fn a_superuser_is_refused() {
    let Some(server) = Postgres::start() else { return };
    let folder = TempDir::new().unwrap();
    let url = server.url();
    let namespace = Namespace::own("shop", "orders");
    let opened = open("postgres", &format!("url = \"{url}\""), &folder).unwrap();
    let error = query_error(&*opened.store(&namespace).unwrap(), "SELECT 1", call()).await;
    assert!(matches!(error, Error::Backend(_)), "{error:?}");
    let opened = open("postgres", &format!("url = \"{url}\"\nsuperuser = true"), &folder).unwrap();
    execute(&*opened.store(&namespace).unwrap(), "CREATE TABLE t (id BIGINT)", &[]).await;
    assert_ne!(USER, Postgres::USER);
}
