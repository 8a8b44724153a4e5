//! The example `notes`: SQL and key-value, embedded and on servers, without a change to the app.

use crate::support::{example, send, wharf};
use wharf_testkit::services::{Postgres, Redis};
use wharf_testkit::{App, Server};

fn notes() -> App {
    example("notes", include_str!("../../../../examples/notes/wharf.toml"), "notes")
}

fn ask(server: &Server, method: &str, path: &str, body: &str) -> (u16, String) {
    let answer = send(server, method, path, body.as_bytes());
    (answer.status(), answer.text().trim_end().to_owned())
}

/// What holds wherever the notes are.
fn keeps_notes(server: &Server) {
    let ok = |text: &str| (200, text.to_owned());
    assert_eq!(ask(server, "GET", "/notes", ""), ok("[]"), "{}", server.log());
    let first = r#"{"id":1,"text":"buy milk","views":0}"#;
    assert_eq!(ask(server, "POST", "/notes", "buy milk"), (201, first.to_owned()));
    let hostile = "'); DROP TABLE notes; --";
    assert_eq!(ask(server, "POST", "/notes", hostile).0, 201);
    assert_eq!(ask(server, "GET", "/notes/2", ""), ok(&format!(r#"{{"id":2,"text":"{hostile}","views":1}}"#)));
    assert_eq!(ask(server, "PUT", "/notes/1", "buy oat milk").0, 200);
    for views in 1..=3 {
        let note = format!(r#"{{"id":1,"text":"buy oat milk","views":{views}}}"#);
        assert_eq!(ask(server, "GET", "/notes/1", ""), ok(&note));
    }
    let history = r#"[{"number":1,"text":"buy milk"},{"number":2,"text":"buy oat milk"}]"#;
    assert_eq!(ask(server, "GET", "/notes/1/history", ""), ok(history));
    assert_eq!(ask(server, "DELETE", "/notes/2", ""), (204, String::new()));
    assert_eq!(ask(server, "GET", "/notes/2", "").0, 404);
    assert_eq!(ask(server, "PUT", "/notes/2", "gone").0, 404);
    assert_eq!(ask(server, "GET", "/notes/2/history", ""), ok("[]"), "a change of nothing leaves nothing");
    assert_eq!(ask(server, "POST", "/notes", &"x".repeat(70_000)).0, 413);
}

/// Two writers add and change at the same time; each note and each revision has a number of its own.
fn keeps_numbers_apart(server: &Server) {
    let before = ask(server, "GET", "/notes/1/history", "").1.matches("number").count();
    std::thread::scope(|scope| {
        for writer in 0..4 {
            scope.spawn(move || {
                for round in 0..5 {
                    let text = format!("{writer} {round}");
                    let (status, answer) = ask(server, "PUT", "/notes/1", &text);
                    assert!(status == 200 || status == 503, "{status} {answer}");
                }
            });
        }
    });
    let history = ask(server, "GET", "/notes/1/history", "").1;
    let numbers: Vec<&str> = history.split("\"number\":").skip(1).filter_map(|rest| rest.split(',').next()).collect();
    let expected: Vec<String> = (1..=numbers.len()).map(|number| number.to_string()).collect();
    assert_eq!(numbers, expected);
    assert!(numbers.len() > before);
}

#[test]
fn notes_are_kept_in_files_and_are_there_after_a_restart() {
    let app = notes();
    let start = || wharf().up(app.folder()).with("--no-build").state(&app.path("state")).start();
    let server = start();
    let banner = server.start.to_string();
    assert!(banner.contains("keyvalue views in redb") && banner.contains("sql notes in sqlite"), "{banner}");
    keeps_notes(&server);
    keeps_numbers_apart(&server);
    let before = ask(&server, "GET", "/notes", "");
    server.stop();
    let server = start();
    assert_eq!(ask(&server, "GET", "/notes", ""), before);
}

#[test]
fn the_same_notes_are_kept_in_postgres_and_redis() {
    let (Some(postgres), Some(redis)) = (Postgres::start(), Redis::start()) else { return };
    let app = notes();
    app.write("servers.toml", include_str!("../../../../examples/notes/servers.toml"));
    // An app's data belongs to a user of its own.
    postgres.sql("CREATE ROLE notes LOGIN PASSWORD 'notes-secret'");
    postgres.sql("CREATE DATABASE notes OWNER notes");
    let url = format!("postgres://notes:notes-secret@127.0.0.1:{}/notes", postgres.port());
    let program = wharf().env("NOTES_POSTGRES_URL", &url).env("NOTES_REDIS_URL", &redis.url());
    let operator = app.path("servers.toml").display().to_string();
    let server = program.up(app.folder()).with(&format!("--no-build --node {operator}")).start();
    let banner = server.start.to_string();
    assert!(banner.contains("keyvalue views in redis") && banner.contains("sql notes in postgres"), "{banner}");
    assert!(!banner.contains("notes-secret"), "{banner}");
    keeps_notes(&server);
    keeps_numbers_apart(&server);
}

#[test]
fn numbers_of_each_label_are_on_the_address_of_the_operator() {
    let app = notes();
    let server = wharf().up(app.folder()).with("--no-build --admin 127.0.0.1:0").start();
    assert_eq!(ask(&server, "POST", "/notes", "counted").0, 201);
    assert_eq!(ask(&server, "GET", "/notes/1", "").0, 200);
    let log = server.logged("metrics at http://");
    let url = log.split_whitespace().find(|word| word.starts_with("http://") && word.ends_with("/metrics")).unwrap();
    let (text, code) = crate::support::curl(&[url]);
    assert_eq!(code, 0, "{text}");
    let line =
        "wharf_capability_calls_total{app=\"notes\",component=\"notes\",capability=\"keyvalue\",label=\"views\"} 1";
    assert!(text.contains(line), "{text}");
    assert_eq!(ask(&server, "GET", "/metrics", "").0, 404, "clients cannot ask");
}
