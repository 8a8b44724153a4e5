//! What is written into a file, and what stays.

use super::*;

const FILE: &str = r#"# Of the shop.
[[test]] # the first
name = "one"
request = { path = "/a" }   # asks
expect = { status = 200, body-contains = "x", body = "old" } # expected

[[test]]
name = "two"
steps = [
  { request = { path = "/b" }, expect = { body-json = { id = 1 } } },
  { call = "add(1, 2)" },
]

[[test]]
name = "three"
run = []
[test.expect]
stdout = "old"
# kept
exit = 0
"#;

fn answer(status: u16, body: &str) -> Outcome {
    Outcome::Answer(Answer { status, body: body.into(), ..Answer::default() })
}

fn learnt(test: usize, step: Option<usize>, outcome: Outcome) -> Learnt {
    Learnt { test, step, outcome, stdout: vec!["hello".to_owned()] }
}

#[test]
fn what_came_of_a_test_replaces_what_it_expects_and_nothing_else() {
    let text = with_outcomes(
        FILE,
        &[
            learnt(0, None, answer(201, "new \"body\"\n")),
            learnt(1, Some(0), answer(200, r#"{"id":2,"tags":["a"]}"#)),
            learnt(1, Some(1), Outcome::Returned("3".to_owned())),
            learnt(2, None, Outcome::Exit(2)),
        ],
    );
    let text = text.unwrap();
    for part in [
        "# Of the shop.\n[[test]] # the first\n",
        "request = { path = \"/a\" }   # asks",
        "expect = { status = 201, body-contains = \"x\", body = ",
        " } # expected",
        "expect = { body-json = { id = 2, tags = [\"a\"] } } },",
        "expect = { result = \"3\" }",
        "# kept\nexit = 2",
    ] {
        assert!(text.contains(part), "{part:?} is not in\n{text}");
    }
    let (suite, problems) = read::parse(&text);
    assert_eq!(problems, []);
    let suite = suite.unwrap();
    assert_eq!(suite.tests[0].steps[0].expect.as_ref().unwrap().body.as_deref(), Some("new \"body\"\n"));
    assert_eq!(suite.tests[2].steps[0].expect.as_ref().unwrap().stdout.as_deref(), Some("hello\n"));
}

#[test]
fn json_that_toml_does_not_have_is_kept_as_its_text() {
    let text = with_outcomes(FILE, &[learnt(1, Some(0), answer(200, r#"{"id":null}"#))]).unwrap();
    let suite = read::parse(&text).0.unwrap();
    assert_eq!(suite.tests[1].steps[0].expect.as_ref().unwrap().body_json, Some(serde_json::json!({ "id": null })));
}

#[test]
fn recorded_answers_are_added_at_the_end_and_are_what_the_next_run_gets() {
    let answer = Answer {
        status: 404,
        headers: vec![("content-type".into(), "text/plain".into()), ("date".into(), "today".into())],
        body: b"none\nat all".to_vec(),
        broken: None,
    };
    let text = with_exchanges(FILE, &[("GET".into(), "https://a.example/x".into(), answer.clone())]).unwrap();
    assert!(text.starts_with(FILE.trim_end()), "{text}");
    let given = read::parse(&text).0.unwrap().tests[0].given.http.clone();
    assert_eq!((given[0].method.as_str(), given[0].url.as_str(), given[0].status), ("GET", "https://a.example/x", 404));
    assert_eq!(given[0].headers, [("content-type".to_owned(), "text/plain".to_owned())]);
    assert_eq!(given[0].body, crate::Body::Text("none\nat all".into()));
    let twice = with_exchanges(&text, &[("PUT".into(), "https://a.example/y".into(), answer)]).unwrap();
    assert_eq!(read::parse(&twice).0.unwrap().tests[0].given.http.len(), 2);
    let binary = Answer { body: vec![0xff], ..Answer::default() };
    assert!(matches!(with_exchanges(FILE, &[("GET".into(), "u".into(), binary)]), Err(EditError::Binary(_))));
}

#[test]
fn a_file_that_changed_meanwhile_is_left_alone() {
    assert!(matches!(with_outcomes(FILE, &[learnt(7, None, answer(200, ""))]), Err(EditError::Gone(7))));
    assert!(matches!(with_outcomes("[[test", &[]), Err(EditError::Syntax(_))));
}

#[test]
fn what_to_write_for_a_request_is_a_part_of_a_test_file() {
    let text = format!("{}{FILE}", exchange_as_toml("GET", "https://a.example/\"x\""));
    assert_eq!(read::parse(&text).0.unwrap().tests[0].given.http[0].url, "https://a.example/\"x\"");
}
