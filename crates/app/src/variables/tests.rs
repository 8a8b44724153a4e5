use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::{Given, environment_name};
use crate::{App, Hidden, Problem, parse, render};

const VARIABLES: &str = "name = \"n\"\n[variables]\n\
    greeting = { default = \"hello\" }\n\
    host = { required = true }\n\
    stripe-key = { required = true, secret = true }\n\
    hint = { secret = true }\n\
    [component.a]\nsource = \"a.wasm\"\n[component.a.grants]\n";

/// Returns the code, the underlined text, the message and everything else that is said of each problem.
fn found(manifest: &str) -> Vec<String> {
    shown(manifest, &parse(manifest).1)
}

fn shown(manifest: &str, problems: &[Problem]) -> Vec<String> {
    let one = |problem: &Problem| {
        let Problem { code, message, span, label, related, help, .. } = problem;
        let related: String =
            related.iter().map(|(span, label)| format!(" | {} {label}", &manifest[span.clone()])).collect();
        let help = help.as_ref().map_or(String::new(), |help| format!(" | {help}"));
        format!("{} `{}` {message} | {label}{related}{help}", &code[6..], &manifest[span.clone()])
    };
    problems.iter().map(one).collect()
}

fn app(grants: &str) -> App {
    let manifest = format!("{VARIABLES}{grants}");
    let (app, problems) = parse(&manifest);
    assert_eq!(problems, [], "{}", render(&problems, "wharf.toml", &manifest));
    app.unwrap()
}

fn map(pairs: &[(&str, &str)]) -> BTreeMap<String, Hidden> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), Hidden::new((*value).to_owned()))).collect()
}

/// Everything that is required.
fn enough() -> Given {
    Given { flags: map(&[("host", "a.example"), ("stripe-key", "hunter2")]), ..Given::default() }
}

#[test]
fn a_manifest_declares_variables_and_uses_them() {
    let app = app(
        "environment = { A = \"{{ greeting }}!\", B = \"{{{{ x }}\" }\nconfig = { url = \"https://{{host}}/api\" }\n\
                   secrets = [\"stripe-key\", \"other_key\"]\n",
    );
    let required: Vec<_> = app.variables.iter().map(|v| (v.name.as_str(), v.required, v.secret)).collect();
    let expected =
        [("greeting", true, false), ("host", true, false), ("stripe-key", true, true), ("hint", false, true)];
    assert_eq!(required, expected);
    assert_eq!(
        app.components[0].grants.secrets.iter().map(|s| s.name.as_str()).collect::<Vec<_>>(),
        ["stripe-key", "other_key"]
    );
    assert_eq!(app.components[0].grants.environment[0].value.text(), None, "not filled in yet");
    let app = app.fill(&enough()).unwrap();
    let grants = &app.components[0].grants;
    let environment: Vec<_> = grants.environment.iter().map(|v| (v.name.as_str(), v.value.text())).collect();
    assert_eq!(environment, [("A", Some("hello!")), ("B", Some("{{ x }}"))]);
    assert_eq!(grants.config[0].value.text(), Some("https://a.example/api"));
    assert_eq!(app.secrets, map(&[("stripe-key", "hunter2")]));
}

#[test]
fn variables_that_cannot_be_are_told() {
    for (line, expected) in [
        (
            "a = \"x\"",
            "0102 `\"x\"` `variables.a` has the wrong type | expected table, found a text | write `{ default = \"…\" }`, or `{ required = true }`",
        ),
        (
            "a = {}",
            "0127 `a` the variable `a` has no value if nobody gives one |  | write `{ default = \"…\" }`, or `{ required = true }`",
        ),
        (
            "a = { required = false }",
            "0127 `a` the variable `a` has no value if nobody gives one |  | write `{ default = \"…\" }`, or `{ required = true }`",
        ),
        (
            "a = { required = true, default = \"\" }",
            "0127 `a` the variable `a` is required and has a default |  | leave out one of them",
        ),
        (
            "a = { secret = true, default = \"hunter2\" }",
            "0127 `a` the variable `a` is secret and has a default | a manifest is no place for secrets | write `{ required = true, secret = true }`, and give the value with `wharf secrets set`",
        ),
        (
            "A_b = { default = \"\" }",
            "0104 `A_b` the name of the variable does not start with a lower-case letter |  | write `a-b`",
        ),
        (
            "a = { defualt = \"\", required = true }",
            "0103 `defualt` unknown key `defualt` in `variables.a` | did you mean `default`?",
        ),
        (
            "a = { default = 1 }",
            "0102 `1` `default` has the wrong type | expected text, found a number | put quotes around it",
        ),
    ] {
        let manifest = format!("name = \"n\"\n[variables]\n{line}\n[component.a]\nsource = \"a.wasm\"\n");
        assert_eq!(found(&manifest), [expected], "{line}");
    }
}

#[test]
fn templates_that_cannot_be_are_told_with_their_place() {
    let hidden = "0129 `stripe-key` the variable `stripe-key` is secret | everybody could see it here | stripe-key declared as secret | \
                  grant it with `secrets = [\"stripe-key\"]`; the component gets it by the interface `wharf:secrets`";
    for (grants, expected) in [
        (
            "config = { a = \"ä{{ greting }}\" }",
            &["0128 `greting` the app has no variable `greting` | did you mean `greeting`?"][..],
        ),
        (
            "environment = { A = \"{{ whatever }}\" }",
            &[
                "0128 `whatever` the app has no variable `whatever` |  | declare it: `[variables]` with `whatever = { default = \"…\" }`, or write `{{{{` for two braces",
            ],
        ),
        ("config = { a = \"{{ stripe-key }}\" }", &[hidden]),
        ("environment = { A = 'x{{stripe-key}}' }", &[hidden]),
        (
            "config = { a = \"{{ greeting\" }",
            &[
                "0128 `{{` `{{` begins a variable, and no `}}` follows |  | write `{{{{` for two braces that stand for themselves",
            ],
        ),
        (
            "config = { a = \"{{ Greeting }}\", b = 1 }",
            &[
                "0128 `Greeting` the name of the variable does not start with a lower-case letter |  | write `{{{{` for two braces that stand for themselves",
                "0102 `1` `b` in `config` has the wrong type | expected text, found a number",
            ],
        ),
        ("config = { \"\" = \"\" }", &["0121 `\"\"` the key of a configuration value is empty | "]),
        ("config = [\"a\"]", &["0102 `[\"a\"]` `config` has the wrong type | expected table of texts, found a list"]),
        (
            "secrets = [\"A\"]",
            &["0125 `\"A\"` `A` is no name of a secret: it does not start with a lower-case letter | "],
        ),
        ("secrets = [\"a\", \"a\"]", &["0123 `\"a\"` the secret `a` is there twice | the second | \"a\" the first"]),
        ("environment = { A = \"\\u0000\" }", &["0115 `A` the value of an environment variable has no NUL | "]),
    ] {
        assert_eq!(found(&format!("{VARIABLES}{grants}\n")), expected, "{grants}");
    }
}

#[test]
fn a_secret_in_a_manifest_is_not_shown() {
    for line in [
        "a = { secret = true, default = \"hunter2\" }",
        "a = { default = \"hunter2\", secret = true, x = 1 }",
        "a = { default = \"hunter2\", secret = \"true\" }",
        "a = { default = \"hunter2\", secert = true }",
        "a = { default = [\"hunter2\"], secret = true }",
    ] {
        let manifest = format!("name = \"n\"\n[variables]\n{line}\n[component.a]\nsource = \"a.wasm\"\n");
        let (app, problems) = parse(&manifest);
        assert!(app.is_none(), "{line}");
        let text = render(&problems, "wharf.toml", &manifest);
        assert!(!text.contains("hunter2") && text.contains("a = { "), "{text}");
    }
}

#[test]
fn the_strongest_source_decides() {
    let name = environment_name("greeting");
    assert_eq!(name, "WHARF_VARIABLE_GREETING");
    assert_eq!(environment_name("stripe-key"), "WHARF_VARIABLE_STRIPE_KEY");
    let given = |level: usize| {
        let mut given = enough();
        let sources: [(&mut BTreeMap<_, _>, &str); 4] = [
            (&mut given.file, "greeting"),
            (&mut given.dotenv, &name),
            (&mut given.environment, &name),
            (&mut given.flags, "greeting"),
        ];
        for (number, (source, name)) in sources.into_iter().enumerate().take(level) {
            source.insert(name.to_owned(), Hidden::new(number.to_string()));
        }
        given
    };
    let app = app("config = { a = \"{{ greeting }}\" }\n");
    for (level, expected) in [(0, "hello"), (1, "0"), (2, "1"), (3, "2"), (4, "3")] {
        let app = app.clone().fill(&given(level)).unwrap();
        assert_eq!(app.components[0].grants.config[0].value.text(), Some(expected), "{level} sources");
    }
    let mut empty = enough();
    empty.flags.insert("greeting".to_owned(), Hidden::new(String::new()));
    let app = app.fill(&empty).unwrap();
    assert_eq!(app.components[0].grants.config[0].value.text(), Some(""), "an empty value is one");
}

#[test]
fn everything_that_is_missing_is_told_at_once_with_how_to_give_it() {
    let manifest = VARIABLES.to_owned();
    let unset = |given: &Given| shown(&manifest, &app("").fill(given).unwrap_err());
    let host = "0130 `host` the variable `host` has no value | required, and nobody gives it | give it with `--variable host=VALUE`, \
                by the environment variable WHARF_VARIABLE_HOST, in `.env`, or in a file for `--variables`";
    let key = "0130 `stripe-key` the variable `stripe-key` has no value | required, and nobody gives it | store it with `wharf secrets \
               set stripe-key`, or give it by the environment variable WHARF_VARIABLE_STRIPE_KEY or in `.env`";
    let nothing_stored = Given { stored: Some(BTreeSet::new()), ..Given::default() };
    assert_eq!(unset(&nothing_stored), [host, key]);
    assert_eq!(unset(&Given::default()), [host], "whether a secret is stored is not known");
    let stored = Given { stored: Some(BTreeSet::from(["stripe-key".to_owned()])), ..Given::default() };
    assert_eq!(unset(&stored), [host]);
}

#[test]
fn values_have_bounds() {
    let mut given = enough();
    given.flags.insert("greeting".to_owned(), Hidden::new("x".repeat((64 << 10) + 1)));
    let problems = shown(VARIABLES, &app("").fill(&given).unwrap_err());
    assert_eq!(
        problems,
        ["0130 `greeting` the value that is given for the variable `greeting` is too long | at most 64 KiB"]
    );
    given.flags.insert("greeting".to_owned(), Hidden::new("x".repeat(64 << 10)));
    let problems = app("config = { a = \"{{ greeting }}{{ host }}\" }\n").fill(&given).unwrap_err();
    assert_eq!(problems[0].message, "`a` is too long once its variables are filled in");
    let many: String = (0..257).map(|number| format!("k{number} = \"{{{{greeting}}}}\"\n")).collect();
    let many = format!("[component.a.grants.config]\n{many}");
    let problems = app(&many).fill(&given).unwrap_err();
    assert_eq!(problems.len(), 1, "16 MiB of values and one more");
    given.flags.insert("greeting".to_owned(), Hidden::new("\0".to_owned()));
    let problems = app("environment = { A = \"{{ greeting }}\" }\n").fill(&given).unwrap_err();
    assert_eq!(problems[0].message, "the environment variable `A` would have a NUL in it");
}

#[test]
fn nothing_that_is_given_is_printed() {
    let mut given = enough();
    for source in [&mut given.environment, &mut given.dotenv, &mut given.file] {
        source.insert("x".to_owned(), Hidden::new("hunter2".to_owned()));
    }
    assert!(!format!("{given:?} {given:#?}").contains("hunter2"));
    let app = app("").fill(&given).unwrap();
    assert!(!format!("{app:?} {app:#?}").contains("hunter2"));
    given.flags.remove("host");
    let problems = parse(VARIABLES).0.unwrap().fill(&given).unwrap_err();
    assert!(!format!("{problems:?}").contains("hunter2"));
}

#[test]
fn a_name_that_is_none_is_near_to_one() {
    let app = app("");
    assert_eq!(app.nearest_variable("greting"), Some("greeting"));
    assert_eq!(app.nearest_variable("colour"), None);
    assert!(app.variable("host").is_some() && app.variable("hosts").is_none());
}

proptest! {
    /// What is filled in is the text of the manifest with every variable replaced, however they are arranged.
    #[test]
    fn a_filled_text_is_the_parts_one_after_the_other(
        parts in proptest::collection::vec((r"[a-z:/.]{0,8}", proptest::option::of(0..2usize)), 0..6),
        values in proptest::array::uniform2(r"[a-z{}]{0,12}"),
    ) {
        let names = ["greeting", "host"];
        let (mut text, mut expected) = (String::new(), String::new());
        for (plain, variable) in &parts {
            text.push_str(plain);
            expected.push_str(plain);
            if let Some(variable) = *variable {
                text.push_str(&format!("{{{{ {} }}}}", names[variable]));
                expected.push_str(&values[variable]);
            }
        }
        let mut given = enough();
        for (name, value) in names.iter().zip(&values) {
            given.flags.insert((*name).to_owned(), Hidden::new(value.clone()));
        }
        let app = app(&format!("config = {{ a = \"{text}\" }}\n")).fill(&given).unwrap();
        prop_assert_eq!(app.components[0].grants.config[0].value.text(), Some(expected.as_str()));
    }
}
