//! Errors have the class that a component can act on.

use wharf_kit::Kind;
use wharf_sql::api::Rule;
use wharf_sql::{Error, Value};

use crate::fixture::{Fixture, execute, for_every_backend, ids, try_execute};

for_every_backend!("";
    every_rule_of_a_schema_has_its_class,
    a_statement_that_fails_changes_nothing,
    errors_show_no_password_and_no_path,
);

async fn every_rule_of_a_schema_has_its_class(fixture: Fixture) {
    let database = &*fixture.table().await;
    let sql = "CREATE TABLE u (id BIGINT UNIQUE, t BIGINT REFERENCES t (id), n TEXT NOT NULL, c BIGINT CHECK (c > 0))";
    execute(database, sql, &[]).await;
    execute(database, "INSERT INTO t (id) VALUES (1)", &[]).await;
    execute(database, "INSERT INTO u VALUES (1, 1, 'x', 1)", &[]).await;
    for (values, rule) in [
        ("(1, 1, 'x', 1)", Rule::Unique),
        ("(2, 2, 'x', 1)", Rule::ForeignKey),
        ("(2, 1, NULL, 1)", Rule::NotNull),
        ("(2, 1, 'x', 0)", Rule::Check),
    ] {
        let error = try_execute(database, &format!("INSERT INTO u VALUES {values}"), &[]).await.unwrap_err();
        assert!(matches!(&error, Error::Constraint { rule: found, .. } if *found == rule), "{values}: {error:?}");
        assert_eq!(error.kind(), Kind::Invalid);
    }
    let result = try_execute(database, "INSERT INTO t (id) VALUES ($1)", &[Value::Int64(1)]).await;
    assert!(matches!(result, Err(Error::Constraint { rule: Rule::Unique, .. })), "{result:?}");
    let result = try_execute(database, "DELETE FROM t", &[]).await;
    assert!(matches!(result, Err(Error::Constraint { rule: Rule::ForeignKey, .. })), "{result:?}");
}

async fn a_statement_that_fails_changes_nothing(fixture: Fixture) {
    let database = &*fixture.table().await;
    execute(database, "INSERT INTO t (id) VALUES (3)", &[]).await;
    assert!(try_execute(database, "INSERT INTO t (id) VALUES (1), (2), (3)", &[]).await.is_err());
    assert_eq!(ids(database).await, [3]);
}

async fn errors_show_no_password_and_no_path(fixture: Fixture) {
    let database = &*fixture.table().await;
    let path = fixture.folder.path().display().to_string();
    for sql in ["SELEC", "SELECT * FROM nothing", "INSERT INTO t (id) VALUES (NULL)", "COMMIT", "SELECT 1 FROM t WHERE"]
    {
        let Err(error) = try_execute(database, sql, &[]).await else { continue };
        let shown = format!("{error} {error:?}");
        assert!(!shown.contains(&path) && !shown.contains("secret"), "{shown}");
    }
}
