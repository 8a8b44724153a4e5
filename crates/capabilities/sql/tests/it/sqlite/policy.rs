//! No statement reaches beyond its database.

use wharf_sql::Error;

use crate::fixture::{Fixture, all, begin, call, execute, query, statement, try_execute};

#[tokio::test]
async fn no_statement_reaches_beyond_its_database() {
    let fixture = Fixture::sqlite("").unwrap();
    let database = &*fixture.table().await;
    let beyond = fixture.folder.path().join("beyond");
    let beyond = beyond.display();
    for sql in [
        format!("ATTACH '{beyond}' AS other"),
        format!("ATTACH DATABASE 'file:{beyond}?mode=rwc' AS other"),
        "ATTACH ':memory:' AS other".to_owned(),
        "ATTACH '' AS other".to_owned(),
        "DETACH main".to_owned(),
        format!("VACUUM INTO '{beyond}'"),
        "SELECT load_extension('libc.so.6')".to_owned(),
        "SELECT fts3_tokenizer('simple')".to_owned(),
        "PRAGMA temp_store_directory = '/tmp'".to_owned(),
        "PRAGMA data_store_directory = '/tmp'".to_owned(),
        "PRAGMA journal_mode = OFF".to_owned(),
        "PRAGMA journal_mode = DELETE".to_owned(),
        "PRAGMA synchronous = OFF".to_owned(),
        "PRAGMA query_only = OFF".to_owned(),
        "PRAGMA max_page_count = 1000000000".to_owned(),
        "PRAGMA writable_schema = ON".to_owned(),
        "PRAGMA trusted_schema = ON".to_owned(),
        "PRAGMA locking_mode = EXCLUSIVE".to_owned(),
        "PRAGMA foreign_keys = OFF".to_owned(),
        "PRAGMA hard_heap_limit = 0".to_owned(),
        "PRAGMA mmap_size = 1000000000000".to_owned(),
        "PRAGMA threads = 8".to_owned(),
        "PRAGMA busy_timeout = 1".to_owned(),
        "PRAGMA wal_checkpoint(TRUNCATE)".to_owned(),
        "PRAGMA database_list".to_owned(),
        "PRAGMA shrink_memory".to_owned(),
        "CREATE TEMP TABLE x (a)".to_owned(),
        "CREATE TEMPORARY VIEW x AS SELECT 1".to_owned(),
        "CREATE TABLE temp.x (a)".to_owned(),
        "CREATE VIRTUAL TABLE x USING csv(filename='/etc/passwd')".to_owned(),
        "CREATE VIRTUAL TABLE x USING dbstat".to_owned(),
        "SAVEPOINT x".to_owned(),
    ] {
        let result = try_execute(database, &sql, &[]).await;
        assert!(matches!(result, Err(Error::Forbidden(_) | Error::Syntax(_))), "{sql}: {result:?}");
        let mut transaction = begin(database).await;
        let result = transaction.execute(statement(&sql, &[]), call()).await;
        assert!(matches!(result, Err(Error::Forbidden(_) | Error::Syntax(_))), "{sql}: {result:?}");
        match database.query(statement(&sql, &[]), call()).await.map(all) {
            Ok(rows) => panic!("{sql}: {:?}", rows.await),
            Err(error) => assert!(matches!(error, Error::Forbidden(_) | Error::Syntax(_)), "{sql}: {error:?}"),
        }
    }
    assert!(!fixture.folder.path().join("beyond").exists());
    assert_eq!(query(database, "PRAGMA journal_mode", &[]).await, [[crate::fixture::text("wal")]]);
}

#[tokio::test]
async fn the_list_of_tables_cannot_be_written() {
    let fixture = Fixture::sqlite("").unwrap();
    let database = &*fixture.table().await;
    for sql in [
        "UPDATE sqlite_schema SET sql = 'CREATE TABLE t (x)'",
        "DELETE FROM sqlite_master",
        "INSERT INTO sqlite_schema VALUES ('table', 'x', 'x', 0, 'CREATE TABLE x (a)')",
    ] {
        assert!(try_execute(database, sql, &[]).await.is_err(), "{sql}");
    }
    assert!(crate::fixture::ids(database).await.is_empty());
}

#[tokio::test]
async fn what_an_app_needs_of_the_engine_is_there() {
    let fixture = Fixture::sqlite("").unwrap();
    let database = &*fixture.table().await;
    for sql in [
        "CREATE INDEX t_word ON t (word)",
        "CREATE VIEW v AS SELECT word FROM t",
        "CREATE TRIGGER g AFTER INSERT ON t BEGIN UPDATE t SET word = 'x' WHERE id = NEW.id; END",
        "PRAGMA user_version = 7",
        "ANALYZE",
        "REINDEX",
    ] {
        execute(database, sql, &[]).await;
    }
    execute(database, "INSERT INTO t (id) VALUES (1)", &[]).await;
    assert_eq!(query(database, "SELECT word FROM v", &[]).await, [[crate::fixture::text("x")]]);
    for sql in [
        "PRAGMA user_version",
        "PRAGMA table_info(t)",
        "SELECT name FROM pragma_table_info('t')",
        "SELECT json_extract('{\"a\": 1}', '$.a')",
        "EXPLAIN QUERY PLAN SELECT * FROM t",
        "WITH a AS (SELECT 1) SELECT row_number() OVER () FROM a",
        "SELECT name FROM sqlite_schema",
    ] {
        assert!(!query(database, sql, &[]).await.is_empty(), "{sql}");
    }
}

#[tokio::test]
async fn a_statement_that_is_too_large_is_refused() {
    let fixture = Fixture::sqlite("").unwrap();
    let database = &*fixture.table().await;
    for sql in [
        format!("SELECT {}1{}", "(".repeat(5000), ")".repeat(5000)),
        format!("SELECT {}", vec!["1"; 5000].join(" + ")),
        format!("SELECT {}", vec!["1"; 3000].join(", ")),
        vec!["SELECT 1"; 1000].join(" UNION ALL "),
        format!("SELECT '{}'", "x".repeat(2 << 20)),
        "SELECT randomblob(1000000000)".to_owned(),
        "SELECT printf('%.*c', 1000000000, 'x')".to_owned(),
        "SELECT replace(hex(zeroblob(4000000)), '00', 'xxxxxxxxxx')".to_owned(),
        format!("SELECT 1 WHERE 'x' LIKE '{}'", "%a".repeat(1000)),
    ] {
        let start = &sql[..sql.len().min(40)];
        let error = crate::fixture::query_error(database, &sql, call()).await;
        assert!(matches!(error, Error::Limit(_) | Error::Syntax(_) | Error::Refused(_)), "{start}: {error:?}");
    }
    assert!(crate::fixture::ids(database).await.is_empty());
}
