//! Databases from outside: a guest, wherever the operator keeps its data.

use crate::support::wharf;
use wharf_testkit::services::Postgres;
use wharf_testkit::{App, Response, Server, until};

const GRANTS: &str = "sql = { default = { timeout = \"20s\" }, report = { access = \"read\" } }";

/// The user of the database that the label is bound to.
const USER: &str = "shop";

fn app(node: &str) -> App {
    let app = App::new(&format!(
        "name = \"shop\"\n[component.api]\nsource = \"@sql\"\n[component.api.limits]\nwall = \"20s\"\ncpu = \"2s\"\n\
         [component.api.grants]\n{GRANTS}\n\n[[trigger.http]]\nroute = \"/...\"\ncomponent = \"api\"\n"
    ));
    if !node.is_empty() {
        app.write("node.toml", node);
    }
    app
}

fn ask(server: &Server, path: &str, body: &str) -> Response {
    let mut connection = server.connect();
    let length = body.len();
    connection.send(format!("POST {path} HTTP/1.1\r\nhost: sql\r\ncontent-length: {length}\r\n\r\n{body}"));
    connection.response().unwrap_or_else(|broken| panic!("{path}: {broken:?}\n{}", server.log()))
}

#[track_caller]
fn answers(server: &Server, path: &str, status: u16) -> String {
    let answer = ask(server, path, "");
    assert_eq!(answer.status(), status, "{path}: {}\n{}", answer.text(), server.log());
    answer.text()
}

/// What holds on every backend, over two lives of the server.
fn keeps(start: impl Fn() -> Server) {
    let server = start();
    answers(&server, "/make", 200);
    assert_eq!(answers(&server, "/add?id=1&word=one", 200), "1 changed\n");
    assert!(answers(&server, "/add?id=1&word=one", 500).starts_with("constraint: "));
    assert_eq!(answers(&server, "/move?id=2&end=commit", 200), "1 there\n");
    assert_eq!(answers(&server, "/move?id=10&end=rollback", 200), "0 there\n");
    assert_eq!(answers(&server, "/move?id=10&end=drop", 200), "0 there\n");
    assert!(ask(&server, "/move?id=10&end=trap", "").status() >= 500);
    assert!(ask(&server, "/move?id=10&end=hold", "").status() >= 500);
    assert_eq!(answers(&server, "/batch?id=10", 200), "[1, 1, 1]\n");
    assert!(answers(&server, "/batch?id=8", 500).starts_with("constraint: "));
    assert_eq!(answers(&server, "/count?rows=100000", 200), "100000 rows\n");
    assert_eq!(answers(&server, "/types", 200), "true\n");
    let word = "%27%3B%20DROP%20TABLE%20t%3B%20--";
    assert_eq!(answers(&server, &format!("/add?id=20&word={word}"), 200), "1 changed\n");
    assert!(ask(&server, "/run", "COMMIT").text().starts_with("denied: "));
    assert!(ask(&server, "/run", "SELEC").text().starts_with("syntax: "));
    let rows = "1 one\n2 commit\n3 commit\n10 batch\n11 batch\n12 batch\n20 '; DROP TABLE t; --\n";
    assert_eq!(answers(&server, "/rows", 200), rows);
    drop(server);
    assert_eq!(answers(&start(), "/rows", 200), rows);
}

#[test]
fn data_is_kept_in_the_state_folder_without_any_setting() {
    let app = app("");
    let state = app.path("state");
    keeps(|| wharf().up(app.folder()).state(&state).with("--cores 2").start());
    assert!(state.join("data/sql/shop/default.sqlite").is_file());
}

#[test]
fn data_is_kept_in_postgres_where_the_operator_says_so() {
    let Some(postgres) = Postgres::start() else { return };
    postgres.sql(&format!("CREATE ROLE {USER} LOGIN PASSWORD 'pass-word'"));
    postgres.sql(&format!("GRANT CREATE ON DATABASE postgres TO {USER}"));
    let app = app(&format!(
        "[app.shop.sql.default]\nbackend = \"postgres\"\nurl = \"postgres://{USER}@127.0.0.1:{}/postgres\"\n\
         password = {{ env = \"DB_PASSWORD\" }}\n",
        postgres.port()
    ));
    keeps(|| wharf().env("DB_PASSWORD", "pass-word").up(app.folder()).with("--cores 2").start());
    let busy = format!("SELECT count(*) FROM pg_stat_activity WHERE usename = '{USER}'");
    until("nothing is left on the server", || postgres.sql(&busy) == "0");
}

#[test]
fn what_is_not_granted_is_denied_and_the_log_says_what_would_grant_it() {
    let app = app("");
    let server = wharf().up(app.folder()).start();
    assert!(answers(&server, "/rows?label=orders", 403).starts_with("denied"));
    assert!(answers(&server, "/make?label=report", 403).starts_with("denied"));
    let log = server.stop().to_string();
    assert_eq!(log.matches("WHARF-0023: sql `orders` was refused").count(), 1, "{log}");
    assert_eq!(log.matches("WHARF-0024: a change in sql `report` was refused").count(), 1, "{log}");
}
