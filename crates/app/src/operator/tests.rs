//! The operator's file: what it says, and what is wrong with it.

use super::*;
use wharf_problem::position;

fn problems(text: &str) -> String {
    let (operator, problems) = parse_operator(text);
    assert_eq!(operator.is_none(), !problems.is_empty());
    let line = |problem: &Problem| {
        let (line, column) = position(text, problem.span.start);
        format!("{line}:{column} {} {}", &problem.code[6..], problem.message)
    };
    problems.iter().map(line).collect::<Vec<_>>().join("\n")
}

#[test]
fn binds_a_label_of_every_app_and_of_one() {
    let text = "[keyvalue.default]\nbackend = \"redis\"\nurl = { env = \"REDIS_URL\" }\ntimeout = \"500ms\"\n\
                [app.shop.sql.orders]\nbackend = \"postgres\"\nnamespace = \"all\"\nconcurrency = 8\nsize = \"1MiB\"\npool = { max = 4 }\n";
    let (operator, found) = parse_operator(text);
    assert_eq!(found, []);
    let mut operator = operator.unwrap();
    let known =
        |place: Elsewhere<'_>| if place == Elsewhere::Env("REDIS_URL") { Ok("redis://x".to_owned()) } else { Err(()) };
    operator.resolve(known).unwrap();
    operator.bindings.sort_by_key(|binding| binding.span.start);
    let [redis, postgres] = operator.bindings.try_into().unwrap();
    let redis: OperatorBinding = redis;
    assert_eq!((redis.capability, redis.app.as_deref(), redis.label.as_str()), ("keyvalue", None, "default"));
    assert_eq!((redis.backend.as_str(), redis.timeout), ("redis", Some(Duration::from_millis(500))));
    assert_eq!(redis.settings["url"].as_str(), Some("redis://x"));
    assert_eq!((postgres.capability, postgres.app.as_deref()), ("sql", Some("shop")));
    assert_eq!(
        (postgres.namespace.as_deref(), postgres.concurrency, postgres.size_bytes),
        (Some("all"), Some(8), Some(1 << 20))
    );
    assert_eq!(postgres.settings["pool"]["max"].as_integer(), Some(4));
}

#[test]
fn a_value_that_cannot_be_fetched_is_an_error() {
    for (text, table) in [
        ("[keyvalue.a]\nbackend = \"redis\"\ntls = { key = { file = \"k.pem\" } }\n", "keyvalue.a"),
        ("[app.shop.sql.a]\nbackend = \"postgres\"\nurl = { file = \"k.pem\" }\n", "app.shop.sql.a"),
        ("[http.server.\"https://a\"]\nkey = { file = \"k.pem\" }\n", "http"),
        ("[app.shop.http]\nkey = { file = \"k.pem\" }\n", "app.shop.http"),
    ] {
        let (operator, problems) = parse_operator(text);
        assert_eq!(problems, []);
        let missing = operator.unwrap().resolve(|place| Err::<String, _>(format!("{place:?}")));
        assert_eq!(missing, Err((table.to_owned(), "File(\"k.pem\")".to_owned())));
    }
}

#[test]
fn outbound_http_has_settings_for_all_apps_and_for_one() {
    let text = "[http]\nconnections = 7\n[http.server.\"https://*.corp\"]\nauthorities = \"ca.pem\"\n[app.shop.http]\nconnections = 2\n";
    let (operator, problems) = parse_operator(text);
    assert_eq!(problems, []);
    let operator = operator.unwrap();
    assert_eq!(operator.http["connections"].as_integer(), Some(7));
    assert_eq!(operator.http["server"]["https://*.corp"]["authorities"].as_str(), Some("ca.pem"));
    assert_eq!(operator.app_http["shop"]["connections"].as_integer(), Some(2));
    assert!(operator.bindings.is_empty());
}

#[test]
fn says_everything_that_is_wrong() {
    assert_eq!(
        problems(
            "[keyvalu.default]\nbackend = \"redis\"\n[keyvalue.Default]\n[sql.a]\nurl = 1\n[sql.b]\nbackend = 1\ntimeout = \"1\"\nconcurrency = 0\n[app.shop]\nsql = 1\n"
        ),
        "1:2 0103 unknown capability `keyvalu`\n\
         3:11 0125 `Default` is no label: it does not start with a lower-case letter\n\
         4:6 0101 `sql.a` has no `backend`\n\
         7:11 0102 `backend` has the wrong type\n\
         8:11 0106 `timeout` cannot be `1`\n\
         9:15 0126 `concurrency` is a whole number above zero\n\
         11:7 0102 `sql` has the wrong type"
    );
    assert_eq!(problems("[keyvalue"), "1:10 0100 unclosed table");
}
