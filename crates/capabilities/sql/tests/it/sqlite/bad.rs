//! Disks that are full or read-only, and files that two labels have.

use std::os::unix::fs::PermissionsExt;

use tempfile::TempDir;
use wharf_kit::{BackendError, Namespace};
use wharf_sql::{Database, Error, Value};

use crate::fixture::{Fixture, IMPATIENT, add, begin, execute, ids, open, text, try_execute};

#[tokio::test]
async fn a_full_database_says_so_and_keeps_what_it_has() {
    let fixture = Fixture::sqlite("max-size = \"256KiB\"").unwrap();
    let database = &*fixture.table().await;
    let add = "INSERT INTO t (id, word) VALUES ($1, $2)";
    let mut kept = Vec::new();
    for id in 0..100 {
        match try_execute(database, add, &[Value::Int64(id), text(&"x".repeat(20_000))]).await {
            Ok(_) => kept.push(id),
            Err(error) => assert_eq!(error, Error::Full),
        }
    }
    assert!((5..50).contains(&kept.len()), "{} rows", kept.len());
    assert_eq!(ids(database).await, kept);
    let mut transaction = begin(database).await;
    let large = crate::fixture::statement(add, &[Value::Int64(1000), text(&"x".repeat(200_000))]);
    assert_eq!(transaction.execute(large, crate::fixture::call()).await, Err(Error::Full));
    drop(transaction);
    execute(database, "DELETE FROM t", &[]).await;
    execute(database, add, &[Value::Int64(1), text(&"x".repeat(20_000))]).await;
}

#[tokio::test]
async fn a_folder_that_cannot_be_written_is_told_at_the_start() {
    let folder = TempDir::new().unwrap();
    // A file where a folder has to be: nobody can write there, not even who may do everything.
    std::fs::write(folder.path().join("data"), "").unwrap();
    let opened = open("sqlite", "", &folder).unwrap();
    assert!(matches!(opened.store(&Namespace::own("shop", "orders")).err(), Some(BackendError::Open { .. })));
}

#[tokio::test]
async fn a_file_that_became_read_only_can_still_be_read() {
    let fixture = Fixture::sqlite("").unwrap();
    let database = fixture.table().await;
    execute(&*database, "INSERT INTO t (id) VALUES (1)", &[]).await;
    let path = fixture.opened.place(&Namespace::own("shop", "orders"));
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o400)).unwrap();
    assert_eq!(ids(&*database).await, [1]);
}

#[tokio::test]
async fn a_file_that_is_no_database_is_told_at_the_start() {
    let fixture = Fixture::sqlite("").unwrap();
    let name = Namespace::own("shop", "orders");
    let path = fixture.opened.place(&name);
    std::fs::create_dir_all(std::path::Path::new(&path).parent().unwrap()).unwrap();
    std::fs::write(&path, "this is a letter to a friend, and no database at all".repeat(100)).unwrap();
    assert!(matches!(fixture.opened.store(&name).err(), Some(BackendError::Open { .. })));
}

/// Two labels with other settings have a store each, on one file.
#[tokio::test]
async fn two_stores_on_one_file_wait_for_each_other() {
    let fixture = Fixture::sqlite("").unwrap();
    let one = fixture.table().await;
    let opened = open("sqlite", IMPATIENT, &fixture.folder).unwrap();
    let other = opened.store(&Namespace::own("shop", "orders")).unwrap();
    let writes = |database: &'static str, from: i64| (database, from);
    let write = async |database: &dyn Database, (_, from): (&str, i64)| {
        for id in from..from + 50 {
            execute(database, "INSERT INTO t (id) VALUES ($1)", &[Value::Int64(id)]).await;
        }
    };
    tokio::join!(write(&*one, writes("one", 0)), write(&*other, writes("other", 50)));
    assert_eq!(ids(&*one).await, (0..100).collect::<Vec<_>>());
    assert_eq!(ids(&*other).await.len(), 100);

    // A write waits for the transaction of the other one, and no longer than its own time.
    let mut transaction = begin(&*one).await;
    add(&mut *transaction, 1000).await.unwrap();
    let short = crate::fixture::within(std::time::Duration::from_millis(100));
    let late = other.execute(crate::fixture::statement("DELETE FROM t", &[]), short).await;
    assert!(late.as_ref().is_err_and(|error| error.kind().is_retryable()), "{late:?}");
    drop(transaction);
    assert_eq!(execute(&*other, "DELETE FROM t", &[]).await, 100);
}
