//! PostgreSQL, by psql and by its own protocol.

use wharf_testkit::services::Postgres;

use crate::wire::{Wire, is_refused};

/// A request for TLS, to which a server without it answers `N`.
const TLS: &[u8] = b"\0\0\0\x08\x04\xd2\x16\x2f";

#[test]
fn keeps_what_was_committed_when_it_is_killed() {
    let Some(postgres) = Postgres::start() else { return };
    postgres.sql("CREATE TABLE t (n int, s text); INSERT INTO t VALUES (1, 'ü'), (2, NULL)");
    let mut client = Wire::to(postgres.port());
    client.ask(TLS, "N");
    postgres.kill();
    assert!(client.is_broken());
    assert!(is_refused(postgres.port()));
    postgres.restart();
    assert_eq!(postgres.sql("SELECT * FROM t ORDER BY n"), "1|ü\n2|");
    assert!(postgres.log().contains("automatic recovery in progress"), "{}", postgres.log());
    postgres.stop();
    postgres.restart();
    assert_eq!(postgres.sql("SELECT count(*) FROM t"), "2");
}

#[test]
fn is_set_as_asked() {
    let Some(postgres) = Postgres::options().with_fsync().setting("max_connections=7").start() else { return };
    assert_eq!(postgres.sql("SHOW fsync"), "on");
    assert_eq!(postgres.sql("SHOW max_connections"), "7");
    assert_eq!(postgres.sql("SHOW server_encoding"), "UTF8");
}

#[test]
fn lets_nobody_in_without_the_password() {
    let Some(postgres) = Postgres::start() else { return };
    assert_eq!(postgres.sql("SHOW fsync"), "off");
    let question = b"\0\0\0\x26\0\x03\0\0user\0wharf\0database\0postgres\0\0";
    assert!(Wire::to(postgres.port()).ask(question, "SCRAM-SHA-256").starts_with('R'));
}

#[test]
fn hangs_while_it_is_paused_with_the_connections_it_has() {
    let Some(postgres) = Postgres::start() else { return };
    let mut client = Wire::to(postgres.port());
    client.ask(TLS, "N");
    postgres.pause();
    assert!(client.is_silent(TLS));
    assert!(Wire::to(postgres.port()).is_silent(TLS));
    postgres.resume();
    assert_eq!(postgres.sql("SELECT 1"), "1");
}
