//! TLS: whom we trust, who we say we are, and that nothing is said without it where it is wanted.

use wharf_kit::Namespace;
use wharf_sql::{Error, Value};
use wharf_testkit::services::{Postgres, Tls};
use wharf_testkit::{Authority, Refused};

use crate::fixture::{Fixture, begin, call, execute, open, query, query_error, statement, url};

/// Starts a server that is called by somebody who does not use TLS, to have its user made.
fn serving(tls: Tls) -> Option<Fixture> {
    let server = Postgres::options().tls(tls).start()?;
    Some(Fixture::with(server, "connect-timeout = \"10s\""))
}

fn database(fixture: &Fixture, url: &str, settings: &str) -> std::sync::Arc<dyn wharf_sql::Database> {
    let settings = format!("url = \"{url}\"\nconnect-timeout = \"10s\"\n{settings}");
    let opened = open("postgres", &settings, &fixture.folder).unwrap();
    opened.store(&Namespace::own("shop", "orders")).unwrap()
}

fn trusting(authority: &Authority) -> String {
    format!("authorities = \"{}\"\n", authority.file().display())
}

/// Returns what a query fails with, for good and not because nobody is there.
async fn refusal(fixture: &Fixture, settings: &str) -> String {
    let database = database(fixture, &url(fixture.server.as_ref().unwrap()), settings);
    match query_error(&*database, "SELECT 1", call()).await {
        Error::Backend(why) => why,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_certificate_of_a_known_authority_is_accepted() {
    let authority = Authority::new();
    let Some(fixture) = serving(Tls::new(authority.server())) else { return };
    let server = fixture.server.as_ref().unwrap();
    let by_name = url(server).replace("127.0.0.1", "localhost");
    let as_text = format!("authorities = '''{}'''\ntls = true\n", authority.pem());
    let as_others_say = format!("{by_name}?sslmode=verify-full");
    let trusting = trusting(&authority);
    for (url, settings) in [(url(server), &trusting), (by_name, &as_text), (as_others_say, &trusting)] {
        let database = database(&fixture, &url, settings);
        let encrypted = "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()";
        assert_eq!(query(&*database, encrypted, &[]).await, [[Value::Boolean(true)]], "{url}");
        let mut transaction = begin(&*database).await;
        transaction.execute(statement("CREATE TABLE IF NOT EXISTS t (id BIGINT)", &[]), call()).await.unwrap();
        transaction.commit(call()).await.unwrap();
        assert_eq!(execute(&*database, "INSERT INTO t VALUES (1)", &[]).await, 1);
    }
}

#[tokio::test]
async fn other_certificates_are_refused_in_words() {
    let authority = Authority::new();
    let trusting = trusting(&authority);
    for Refused { identity, trusts, why } in authority.refused() {
        let Some(fixture) = serving(Tls::new(identity)) else { return };
        let refusal = refusal(&fixture, if trusts { &trusting } else { "tls = true" }).await;
        assert_eq!(refusal, format!("the certificate of the server {why}"));
    }
}

#[tokio::test]
async fn a_server_may_want_to_know_who_we_are() {
    let (authority, stranger) = (Authority::new(), Authority::new());
    let Some(fixture) = serving(Tls::new(authority.server()).with_clients_of(&authority)) else { return };
    let trusting = trusting(&authority);
    let server = fixture.server.as_ref().unwrap();
    let known = format!("{trusting}{}", authority.client("shop").settings());
    let database = database(&fixture, &url(server), &known);
    assert_eq!(query(&*database, "SELECT 1", &[]).await, [[Value::Int64(1)]]);
    // It takes the connection, and then tells by its own words that the user may not log in so.
    let why = refusal(&fixture, &trusting).await;
    assert_eq!(why, "the database does not accept the node's user and password");
    let why = refusal(&fixture, &format!("{trusting}{}", stranger.client("shop").settings())).await;
    assert_eq!(why, "the server does not accept the certificate of the host");
}
