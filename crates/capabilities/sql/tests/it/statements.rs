//! Statements, parameters and batches.

use wharf_kit::Namespace;
use wharf_sql::api::Options;
use wharf_sql::{Error, Value};

use crate::fixture::{
    Fixture, call, execute, for_every_backend, ids, query, query_error, reading, statement, text, try_execute,
    try_query,
};

for_every_backend!("";
    a_row_is_written_and_read_back,
    parameters_come_in_any_order_and_twice,
    a_parameter_is_never_read_as_sql,
    the_number_of_parameters_has_to_fit,
    a_string_holds_one_statement,
    a_wrong_statement_is_a_syntax_error,
    transactions_are_not_opened_with_sql,
    changed_rows_are_counted,
    a_query_that_changes_returns_rows,
    a_batch_happens_whole_or_not_at_all,
    a_batch_may_use_what_it_makes,
    who_only_reads_changes_nothing,
    namespaces_share_nothing,
    two_stores_of_one_namespace_see_the_same,
    a_schema_may_change_under_a_statement,
    many_calls_at_once_are_served,
);

async fn a_row_is_written_and_read_back(fixture: Fixture) {
    let database = &*fixture.table().await;
    let add = "INSERT INTO t (id, word) VALUES ($1, $2)";
    assert_eq!(execute(database, add, &[Value::Int64(1), text("one")]).await, 1);
    assert_eq!(execute(database, add, &[Value::Int64(2), Value::Null]).await, 1);
    let rows = query(database, "SELECT id, word FROM t ORDER BY id", &[]).await;
    assert_eq!(rows, [[Value::Int64(1), text("one")], [Value::Int64(2), Value::Null]]);
    let found = query(database, "SELECT word FROM t WHERE id = $1", &[Value::Int64(1)]).await;
    assert_eq!(found, [[text("one")]]);
    assert!(query(database, "SELECT word FROM t WHERE id = $1", &[Value::Int64(3)]).await.is_empty());
}

async fn parameters_come_in_any_order_and_twice(fixture: Fixture) {
    let database = &*fixture.table().await;
    let sql = "INSERT INTO t (id, word) VALUES ($2, $1), ($3, $1)";
    assert_eq!(execute(database, sql, &[text("w"), Value::Int64(1), Value::Int64(2)]).await, 2);
    let rows = query(database, "SELECT id FROM t WHERE word = $1 AND id > $2", &[text("w"), Value::Int64(1)]).await;
    assert_eq!(rows, [[Value::Int64(2)]]);
}

async fn a_parameter_is_never_read_as_sql(fixture: Fixture) {
    let database = &*fixture.table().await;
    let attempts = [
        "'; DROP TABLE t; --",
        "' OR '1'='1",
        "\\'; DELETE FROM t; --",
        "$1",
        "1); DROP TABLE t; --",
        "'||(SELECT word FROM t)||'",
        "\u{2019} OR 1=1 --",
        "/* */ UNION SELECT 1",
        "",
    ];
    for (id, attempt) in attempts.iter().enumerate() {
        let params = [Value::Int64(i64::try_from(id).unwrap()), text(attempt)];
        execute(database, "INSERT INTO t (id, word) VALUES ($1, $2)", &params).await;
        let rows = query(database, "SELECT word FROM t WHERE word = $1", &[text(attempt)]).await;
        assert_eq!(rows, [[text(attempt)]], "{attempt}");
    }
    assert_eq!(ids(database).await.len(), attempts.len());
    // A text is no number, whatever is in it.
    let found = try_query(database, "SELECT id FROM t WHERE id = $1", &[text("1 OR 1=1")]).await;
    assert!(found.as_ref().is_ok_and(Vec::is_empty) || matches!(found, Err(Error::TypeMismatch(_))), "{found:?}");
}

async fn the_number_of_parameters_has_to_fit(fixture: Fixture) {
    let database = &*fixture.table().await;
    let sql = "INSERT INTO t (id, word) VALUES ($1, $2)";
    let three = [Value::Int64(1), Value::Null, Value::Null];
    for count in [0, 1, 3] {
        let result = try_execute(database, sql, &three[..count]).await;
        assert!(matches!(result, Err(Error::Syntax(_))), "{count}: {result:?}");
    }
    assert!(ids(database).await.is_empty());
}

async fn a_string_holds_one_statement(fixture: Fixture) {
    let database = &*fixture.table().await;
    for sql in ["SELECT 1; SELECT 2", "DELETE FROM t; DROP TABLE t", "SELECT 1; DROP TABLE t"] {
        let error = query_error(database, sql, call()).await;
        assert!(matches!(error, Error::Syntax(_)), "{sql}: {error:?}");
        let result = try_execute(database, sql, &[]).await;
        assert!(matches!(result, Err(Error::Syntax(_))), "{sql}: {result:?}");
    }
    assert!(ids(database).await.is_empty());
    assert_eq!(query(database, "SELECT id FROM t;", &[]).await.len(), 0);
}

async fn a_wrong_statement_is_a_syntax_error(fixture: Fixture) {
    let database = &*fixture.table().await;
    for sql in ["", " ", "-- nothing", "SELEC 1", "SELECT * FROM nothing", "SELECT nothing FROM t", "SELECT 1 +", "\0"]
    {
        let error = query_error(database, sql, call()).await;
        assert!(matches!(error, Error::Syntax(_)), "{sql:?}: {error:?}");
    }
    assert!(ids(database).await.is_empty());
}

async fn transactions_are_not_opened_with_sql(fixture: Fixture) {
    let database = &*fixture.table().await;
    for sql in [
        "BEGIN",
        "begin immediate",
        "/* x */ COMMIT",
        "-- x\n ROLLBACK",
        ";END",
        "SAVEPOINT a",
        "RELEASE a",
        "ROLLBACK TO a",
        "START TRANSACTION",
        "/* /* */ */ BEGIN",
        "(COMMIT)",
        "PREPARE TRANSACTION 'x'",
        "\u{b}COMMIT",
    ] {
        for result in [try_execute(database, sql, &[]).await.map(drop), Err(query_error(database, sql, call()).await)] {
            assert!(matches!(result, Err(Error::Forbidden(_) | Error::Syntax(_))), "{sql}: {result:?}");
        }
    }
    let mut transaction = database.begin(Options::default(), call()).await.unwrap();
    transaction.execute(statement("INSERT INTO t (id) VALUES (1)", &[]), call()).await.unwrap();
    let result = transaction.execute(statement("/*/**/*/--\nCoMMiT", &[]), call()).await;
    assert!(matches!(result, Err(Error::Forbidden(_) | Error::Syntax(_))), "{result:?}");
    drop(transaction);
    assert!(ids(database).await.is_empty());
}

async fn changed_rows_are_counted(fixture: Fixture) {
    let database = &*fixture.table().await;
    assert_eq!(execute(database, "INSERT INTO t (id) VALUES (1), (2), (3)", &[]).await, 3);
    assert_eq!(execute(database, "UPDATE t SET word = 'x' WHERE id > 1", &[]).await, 2);
    assert_eq!(execute(database, "SELECT id FROM t", &[]).await, 0);
    assert_eq!(execute(database, "DELETE FROM t WHERE id > 5", &[]).await, 0);
    assert_eq!(execute(database, "CREATE TABLE u (id BIGINT)", &[]).await, 0);
    assert_eq!(execute(database, "INSERT INTO u (id) SELECT id FROM t RETURNING id", &[]).await, 3);
    assert_eq!(execute(database, "DELETE FROM t", &[]).await, 3);
}

async fn a_query_that_changes_returns_rows(fixture: Fixture) {
    let database = &*fixture.table().await;
    let sql = "INSERT INTO t (id, word) VALUES ($1, $2) RETURNING word, id";
    assert_eq!(query(database, sql, &[Value::Int64(7), text("x")]).await, [[text("x"), Value::Int64(7)]]);
    assert_eq!(ids(database).await, [7]);
    assert!(query(database, "UPDATE t SET id = 8", &[]).await.is_empty());
    assert_eq!(ids(database).await, [8]);
}

async fn a_batch_happens_whole_or_not_at_all(fixture: Fixture) {
    let database = &*fixture.table().await;
    let add = |id| statement("INSERT INTO t (id) VALUES ($1)", &[Value::Int64(id)]);
    let counts = database.batch(vec![add(1), add(2), statement("UPDATE t SET word = 'x'", &[])], call()).await.unwrap();
    assert_eq!(counts, [1, 1, 2]);
    let result = database.batch(vec![add(3), add(1), add(4)], call()).await;
    assert!(matches!(result, Err(Error::Constraint { .. })), "{result:?}");
    let result = database.batch(vec![add(3), statement("SELEC", &[])], call()).await;
    assert!(matches!(result, Err(Error::Syntax(_))), "{result:?}");
    let few = statement("INSERT INTO t (id) VALUES ($1)", &[]);
    let result = database.batch(vec![add(3), few, add(4)], call()).await;
    assert!(matches!(result, Err(Error::Syntax(_))), "{result:?}");
    let result = database.batch(vec![add(3), statement("COMMIT", &[]), add(1)], call()).await;
    assert!(matches!(result, Err(Error::Forbidden(_))), "{result:?}");
    assert_eq!(ids(database).await, [1, 2]);
    assert_eq!(database.batch(Vec::new(), call()).await.unwrap(), [0; 0]);
}

async fn a_batch_may_use_what_it_makes(fixture: Fixture) {
    let database = &*fixture.database();
    let batch =
        ["CREATE TABLE t (id BIGINT PRIMARY KEY)", "INSERT INTO t (id) VALUES (1)", "INSERT INTO t (id) VALUES (2)"];
    let batch = batch.iter().map(|sql| statement(sql, &[])).collect();
    assert_eq!(database.batch(batch, call()).await.unwrap(), [0, 1, 1]);
    let batch = ["CREATE TABLE u (id BIGINT)", "INSERT INTO u (id) VALUES (1)", "INSERT INTO t (id) VALUES (1)"];
    let batch = batch.iter().map(|sql| statement(sql, &[])).collect();
    assert!(matches!(database.batch(batch, call()).await, Err(Error::Constraint { .. })));
    assert!(matches!(query_error(database, "SELECT id FROM u", call()).await, Error::Syntax(_)));
}

async fn who_only_reads_changes_nothing(fixture: Fixture) {
    let database = &*fixture.table().await;
    execute(database, "INSERT INTO t (id) VALUES (1)", &[]).await;
    let add = || statement("INSERT INTO t (id) VALUES (2)", &[]);
    assert_eq!(database.execute(add(), reading()).await, Err(Error::ReadOnly));
    assert_eq!(database.batch(vec![add()], reading()).await, Err(Error::ReadOnly));
    assert!(matches!(database.begin(Options::default(), reading()).await, Err(Error::ReadOnly)));
    for sql in [
        "INSERT INTO t (id) VALUES (2)",
        "INSERT INTO t (id) VALUES (2) RETURNING id",
        "DELETE FROM t",
        "CREATE TABLE u (id BIGINT)",
        "DROP TABLE t",
    ] {
        assert_eq!(query_error(database, sql, reading()).await, Error::ReadOnly, "{sql}");
    }
    let read = database.query(statement("SELECT id FROM t", &[]), reading()).await.unwrap();
    assert_eq!(crate::fixture::all(read).await.unwrap(), [[Value::Int64(1)]]);

    let options = Options { read_only: true, ..Options::default() };
    for sql in ["INSERT INTO t (id) VALUES (2)", "CREATE TABLE u (id BIGINT)"] {
        let mut transaction = database.begin(options, reading()).await.unwrap();
        transaction.query(statement("SELECT id FROM t", &[]), reading()).await.unwrap();
        assert_eq!(transaction.execute(statement(sql, &[]), reading()).await, Err(Error::ReadOnly), "{sql}");
    }
    assert_eq!(ids(database).await, [1]);
    assert_eq!(execute(database, "INSERT INTO t (id) VALUES (2)", &[]).await, 1);
}

async fn namespaces_share_nothing(fixture: Fixture) {
    let names = [
        Namespace::own("shop", "orders"),
        Namespace::own("shop", "orders-2"),
        Namespace::own("shop-orders", "2"),
        Namespace::own("orders", "shop"),
        Namespace::shared("orders"),
    ];
    let databases: Vec<_> = names.iter().map(|name| fixture.of(name)).collect();
    for (id, database) in databases.iter().enumerate() {
        execute(&**database, "CREATE TABLE t (id BIGINT)", &[]).await;
        execute(&**database, "INSERT INTO t (id) VALUES ($1)", &[Value::Int64(i64::try_from(id).unwrap())]).await;
    }
    for (id, database) in databases.iter().enumerate() {
        assert_eq!(ids(&**database).await, [i64::try_from(id).unwrap()]);
    }
}

async fn two_stores_of_one_namespace_see_the_same(fixture: Fixture) {
    let one = fixture.table().await;
    let other = fixture.database();
    for id in 0..20 {
        let database = if id % 2 == 0 { &*one } else { &*other };
        execute(database, "INSERT INTO t (id) VALUES ($1)", &[Value::Int64(id)]).await;
    }
    assert_eq!(ids(&*one).await, ids(&*other).await);
    assert_eq!(ids(&*one).await.len(), 20);
}

async fn a_schema_may_change_under_a_statement(fixture: Fixture) {
    let database = &*fixture.table().await;
    execute(database, "INSERT INTO t (id, word) VALUES (1, 'x')", &[]).await;
    for columns in 2..5 {
        let rows = query(database, "SELECT * FROM t", &[]).await;
        assert_eq!(rows[0].len(), columns);
        execute(database, &format!("ALTER TABLE t ADD COLUMN c{columns} TEXT"), &[]).await;
    }
    execute(database, "ALTER TABLE t DROP COLUMN word", &[]).await;
    let rows = query(database, "SELECT * FROM t", &[]).await;
    assert_eq!(rows, [[Value::Int64(1), Value::Null, Value::Null, Value::Null]]);
}

async fn many_calls_at_once_are_served(fixture: Fixture) {
    let database = fixture.table().await;
    let calls = (0..100).map(|id| {
        let database = &database;
        async move {
            execute(&**database, "INSERT INTO t (id) VALUES ($1)", &[Value::Int64(id)]).await;
            query(&**database, "SELECT id FROM t WHERE id = $1", &[Value::Int64(id)]).await
        }
    });
    let answers = futures_util::future::join_all(calls).await;
    assert!(answers.iter().enumerate().all(|(id, rows)| rows == &[[Value::Int64(i64::try_from(id).unwrap())]]));
}
