//! What is told of what was not as expected.

use super::*;
use crate::parse;

/// Compares an answer with what a line of a test file expects, and returns what is told.
fn told(expect: &str, observed: &Observed) -> Vec<String> {
    let text = format!("[[test]]\nname = \"t\"\nrequest = {{}}\nexpect = {expect}\n");
    let (suite, problems) = parse(&text);
    assert_eq!(problems, [], "{text}");
    let mismatches = compare(suite.unwrap().tests[0].steps[0].expect.as_ref(), observed);
    let line = |line: &Line| match line {
        Line::Same(text) => format!("  {text}"),
        Line::Expected(text) => format!("- {text}"),
        Line::Got(text) => format!("+ {text}"),
        Line::Note(text) => format!("! {text}"),
    };
    mismatches.iter().flat_map(|one| std::iter::once(one.what.clone()).chain(one.lines.iter().map(line))).collect()
}

fn answered(status: u16, body: &str) -> Observed {
    let headers = vec![("content-type".to_owned(), "text/plain".to_owned())];
    let answer = Answer { status, headers, body: body.into(), broken: None };
    Observed { outcome: Outcome::Answer(answer), ..Observed::default() }
}

#[test]
fn what_came_true_is_not_told() {
    let observed = answered(200, "{\"id\": 1, \"items\": [1, 2]}\n");
    for expect in [
        "{}",
        "{ status = 200 }",
        "{ headers = { Content-Type = \"text/plain\", x-other = false } }",
        "{ headers = { content-type = true } }",
        "{ body = \"{\\\"id\\\": 1, \\\"items\\\": [1, 2]}\\n\" }",
        "{ body-contains = [\"id\", \"items\"] }",
        "{ body-matches = '\"id\": \\d+' }",
        "{ body-json = { id = 1, items = [1, 2] } }",
        "{ json-path = { \"items[1]\" = 2 } }",
    ] {
        assert_eq!(told(expect, &observed), [""; 0], "{expect}");
    }
}

#[test]
fn what_did_not_is_told_with_what_there_was() {
    let observed = answered(404, "one\ntwo\n");
    for (expect, lines) in [
        ("{ status = 200 }", &["status: expected 200, got 404", "+ one", "+ two"][..]),
        ("{ status = 404, body = \"one\\n2\\n\" }", &["body", "  one", "- 2", "+ two"]),
        ("{ body = \"one\\ntwo\" }", &["body", "  one", "- two (and no line break)", "+ two"]),
        (
            "{ headers = { content-type = false } }",
            &["headers.content-type: expected not to be there, got \"text/plain\""],
        ),
        ("{ headers = { x-a = \"b\" } }", &["headers.x-a: expected \"b\", and it is not there"]),
        ("{ body-contains = \"three\" }", &["body-contains: there is no \"three\"", "+ one", "+ two"]),
        ("{ body-matches = \"^t.*x\" }", &["body-matches: no part fits ^t.*x", "+ one", "+ two"]),
        ("{ body-json = 1 }", &["body-json: the body is no JSON: expected value at line 1 column 1", "+ one", "+ two"]),
    ] {
        assert_eq!(told(expect, &observed), lines, "{expect}");
    }
    let observed = answered(200, r#"{"a": {"b": 2}}"#);
    assert_eq!(told("{ body-json = { a = { b = 1 } } }", &observed), ["body-json", "! $.a.b: expected 1, got 2"]);
    assert_eq!(told("{ json-path = { \"a.b\" = 1 } }", &observed), ["json-path a.b", "! $: expected 1, got 2"]);
}

#[test]
fn a_component_that_fails_makes_the_test_fail_unless_that_is_expected() {
    let failed =
        |status| Observed { failures: vec!["WHARF-0030: it trapped\nunreachable".into()], ..answered(status, "") };
    assert_eq!(told("{}", &failed(200)), ["the component failed: WHARF-0030: it trapped", "! unreachable"]);
    assert_eq!(
        told("{}", &failed(500)),
        ["status: 500, and the test expects no error", "the component failed: WHARF-0030: it trapped", "! unreachable"]
    );
    assert_eq!(told("{ status = 500 }", &failed(500)), [""; 0]);
    assert_eq!(told("{ trap = \"unreachable\" }", &failed(500)), [""; 0]);
    assert_eq!(
        told("{ trap = \"x\" }", &failed(500)),
        ["trap: no failure has \"x\"", "+ WHARF-0030: it trapped", "+ unreachable"]
    );
    assert_eq!(
        told("{ trap = \"x\" }", &answered(200, "")),
        ["trap: expected a failure with \"x\", and there was none"]
    );
}

#[test]
fn what_is_in_stores_and_what_was_sent_is_compared() {
    let mut observed = answered(200, "");
    observed.keyvalue.insert(("default".into(), "a".into()), Some(b"1".to_vec()));
    observed.keyvalue.insert(("default".into(), "gone".into()), None);
    observed.sql.insert(("default".into(), "SELECT 1".into()), vec![vec![serde_json::json!(1)]]);
    let sent =
        |url: &str, body: &str| Exchange { kind: "GET".into(), to: url.into(), body: body.into(), headers: vec![] };
    observed.http_requests = vec![sent("https://a.example/1", "x"), sent("https://a.example/2", "{\"y\":1}")];
    let good = "{ keyvalue.default = { a = \"1\", gone = false }, sql = [{ query = \"SELECT 1\", rows = [[1]] }], \
                http-requests = [{ url = \"https://a.example/1\", body = \"x\" }, { url = \"*/2\", body-json = { y = 1 } }] }";
    assert_eq!(told(good, &observed), [""; 0]);
    let bad = "{ keyvalue.default = { a = false, gone = true }, sql = [{ query = \"SELECT 1\", rows = [] }], http-requests = [] }";
    assert_eq!(
        told(bad, &observed),
        [
            "keyvalue.default.a: expected not to be there, got \"1\"",
            "keyvalue.default.gone: expected to be there, and it is not",
            "sql default: SELECT 1",
            "! $: expected 0 items, got 1",
            "http-requests: expected 0, got 2",
            "+ GET https://a.example/1",
            "+ GET https://a.example/2",
        ]
    );
}
