//! What is read, and what is said about what cannot be.

use super::*;
use crate::suite::{Body, Error};
use proptest::prelude::*;

const TEST: &str = "\n[[test]]\nname = \"t\"\nrequest = {}\n";

/// Returns the problems of a file, each with the text that it is about.
fn problems(text: &str) -> Vec<String> {
    let (suite, problems) = parse(text);
    assert_eq!(suite.is_none(), !problems.is_empty(), "{text}");
    let shown = |problem: &Problem| {
        let more = problem.help.clone().unwrap_or_default();
        let place = text.get(problem.span.clone()).unwrap_or_default();
        format!("{place}: {} {}{more}", problem.message, problem.label).trim_end().to_owned()
    };
    problems.iter().map(shown).collect()
}

#[test]
fn a_file_is_read_with_what_its_tests_have_in_common() {
    let text = r#"
        [settings]
        variables = { greeting = "hi" }
        clock = 2026-01-01T00:00:00Z
        seed = 7
        [[given.keyvalue]]
        key = "a"
        value-json = { x = 1 }
        [[given.http]]
        request = { url = "https://a.example/*" }
        response = { status = 404, headers = { X-A = ["1", "2"] }, body = "no" }
        [[fault]]
        call = "keyvalue.get"
        nth = 2
        error = "timeout"
        delay = "2s"
        [[test]]
        name = "one"
        settings = { seed = 8 }
        request = { method = "POST", path = "/x?y", headers = { Host = "shop.example" }, body-json = [1] }
        [[test]]
        name = "two"
        steps = [{ name = "later", advance = "1h" }, { call = "add(1, 2)", component = "c" }, { run = ["-v"] }]
        expect = { http-requests = [] }
    "#;
    let (suite, found) = parse(text);
    assert_eq!(found, []);
    let suite = suite.unwrap();
    let [one, two] = suite.tests.as_slice() else { panic!("{suite:?}") };
    assert_eq!((one.settings.seed, two.settings.seed), (Some(8), Some(7)));
    assert_eq!(two.settings.clock, Some(Duration::from_secs(1_767_225_600)));
    assert_eq!(two.given.keyvalue[0].value, Body::Text("{\"x\":1}".into()));
    assert_eq!((two.given.http[0].method.as_str(), two.given.http[0].headers.len()), ("GET", 2));
    let fault = &two.faults[0];
    assert_eq!((fault.operation.as_deref(), fault.error, fault.nth), (Some("get"), Some(Error::Timeout), Some(2)));
    let Action::Request(request) = &one.steps[0].action else { panic!("{one:?}") };
    assert_eq!((request.host.as_str(), request.body.clone()), ("shop.example", Body::Text("[1]".into())));
    assert_eq!(request.headers, [("content-type".to_owned(), "application/json".to_owned())]);
    assert!(two.has_steps && two.expect.is_some());
    assert_eq!(two.steps[0].action, Action::Advance(Duration::from_secs(3600)));
    assert_eq!(two.steps[1].action, Action::Call { component: Some("c".into()), text: "add(1, 2)".into() });
}

#[test]
fn what_is_wrong_is_said_with_what_was_probably_meant() {
    for (text, expected) in [
        ("[[test]]\nnane = \"t\"\n", "nane: unknown key `nane` did you mean `name`?"),
        ("[[test]]\nname = \"t\"\nrequest = { pth = \"/\" }\n", "pth: unknown key `pth` did you mean `path`?"),
        (
            "[[test]]\nname = \"t\"\nrequest = {}\nexpect = { colour = 1 }\n",
            "colour: unknown key `colour` the keys here are",
        ),
        ("[[test]\n", "unclosed"),
        ("[[test]]\nname = 3\n", "3: invalid type: integer `3` expected a string"),
        ("", ": there is no test in this file add `[[test]]`"),
        ("[[test]]\nrequest = {}\n", "there is no `name` here, and it has to be"),
        (
            "[[test]]\nname = \"t\"\n",
            "\"t\": a test has one of `request`, `call`, `run` and `advance`; this one has nothing",
        ),
        ("[[test]]\nname = \"t\"\nrequest = {}\nrun = []\n", "this one has `request`, `run`"),
        ("[[test]]\nname = \"t\"\nrequest = { path = \"a b\" }\n", "\"a b\": a path starts with `/`"),
        ("[[test]]\nname = \"t\"\nrequest = { path = \"/a b\" }\n", "this is no path of a URL percent-encode"),
        ("[[test]]\nname = \"t\"\nrequest = { method = \"get\" }\n", "methods are written in upper case write \"GET\""),
        ("[[test]]\nname = \"t\"\nrequest = { headers = { \"a b\" = \"\" } }\n", "this is no name of a header"),
        (
            "[[test]]\nname = \"t\"\nrequest = { body = \"\", body-file = \"x\" }\n",
            "a body of a request is given in one way",
        ),
        ("[[test]]\nname = \"t\"\nadvance = \"soon\"\n", "\"soon\": this is no duration"),
        ("[[test]]\nname = \"t\"\nrequest = {}\nexpect = { status = 20 }\n", "20: this is no status of HTTP"),
        (
            "[[test]]\nname = \"t\"\nrequest = {}\nexpect = { body-matches = \"(\" }\n",
            "no regular expression: unclosed group",
        ),
        (
            "[[test]]\nname = \"t\"\nrequest = {}\nexpect = { json-path = { \"a[\" = 1 } }\n",
            "this is no path into JSON",
        ),
        (
            "[[fault]]\ncall = \"keyvalue.gett\"\nerror = \"failed\"\n",
            "`keyvalue` has no call `gett` did you mean `get`?",
        ),
        ("[[fault]]\ncall = \"keyvaleu.get\"\nerror = \"failed\"\n", "did you mean `keyvalue`?"),
        ("[[fault]]\ncall = \"sql.*\"\nerror = \"unavailble\"\n", "did you mean `unavailable`?"),
        ("[[fault]]\ncall = \"sql.*\"\n", "neither fails nor is slow"),
        ("[[fault]]\ncall = \"sql\"\nerror = \"failed\"\nnth = 0\n", "calls are counted from 1 on"),
        ("[[fault]]\ncall = \"sql\"\nerror = \"failed\"\nurl = \"*\"\n", "only calls of `http` have a URL"),
        ("[settings]\nclock = \"yesterday\"\n", "\"yesterday\": this is no point in time"),
        ("[[given.http]]\nrequest = { url = \"/x\" }\nresponse = {}\n", "\"/x\": this is no URL"),
    ] {
        let has_test = text.contains("[[test");
        let text = if has_test || text.is_empty() { text.to_owned() } else { format!("{text}{TEST}") };
        let found = problems(&text);
        assert!(found.iter().any(|problem| problem.contains(expected)), "{text}\n{found:#?}");
    }
    let twice = problems(&format!("{TEST}{TEST}"));
    assert_eq!(twice, ["\"t\": two tests of this file have the same name"]);
}

#[test]
fn all_that_values_mean_wrongly_is_said_at_once() {
    let text = "[[test]]\nname = \"\"\nrequest = { method = \"get\", path = \"x\" }\nexpect = { status = 1 }\n";
    assert_eq!(problems(text).len(), 4);
}

proptest! {
    #[test]
    fn no_text_is_too_strange(text in "(\\[\\[test\\]\\]|\\[settings\\]|name|request|expect|fault|=|\"|\\{|\\}|\\[|\\]|\n|.){0,80}") {
        let (suite, problems) = parse(&text);
        prop_assert_eq!(suite.is_none(), problems.iter().any(|problem| problem.severity == Severity::Error));
    }
}
