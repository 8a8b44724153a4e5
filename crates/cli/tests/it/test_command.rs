//! `wharf test`: the tests of the examples, and what is told of tests that fail, hang or cannot be read.

use crate::support::{example, wharf};
use wharf_testkit::{App, Ended};

/// An app of one component, with a test file.
fn app(guest: &str, grants: &str, tests: &str) -> App {
    let app = App::new(&format!(
        "name = \"demo\"\n[component.demo]\nsource = \"@{guest}\"\n{grants}\n\
         [[trigger.http]]\nroute = \"/...\"\ncomponent = \"demo\"\n"
    ));
    with_tests(app, tests)
}

fn with_tests(app: App, tests: &str) -> App {
    std::fs::create_dir_all(app.path("tests")).unwrap();
    app.write("tests/all.toml", tests);
    app
}

fn test(app: &App, args: &[&str]) -> Ended {
    let folder = app.folder().display().to_string();
    let state = app.path("state").display().to_string();
    wharf().run([&["test", &folder], args, &["--no-build", "--state", &state]].concat())
}

/// Asserts that a run failed, and that its report has each of these texts.
#[track_caller]
fn fails(ended: &Ended, texts: &[&str]) {
    assert_eq!(ended.code, Some(1), "{ended}");
    for text in texts {
        assert!(ended.stdout.contains(text), "{text:?} is missing in: {ended}");
    }
}

#[test]
fn the_tests_of_the_examples_pass() {
    let examples = "../../../../examples";
    for (name, manifest, tests, count) in [
        (
            "hello",
            include_str!("../../../../examples/hello/wharf.toml"),
            include_str!("../../../../examples/hello/tests/hello.toml"),
            1,
        ),
        (
            "notes",
            include_str!("../../../../examples/notes/wharf.toml"),
            include_str!("../../../../examples/notes/tests/notes.toml"),
            7,
        ),
        (
            "proxy",
            include_str!("../../../../examples/proxy/wharf.toml"),
            include_str!("../../../../examples/proxy/tests/proxy.toml"),
            4,
        ),
    ] {
        let app = with_tests(example(name, manifest, name), tests);
        let ended = test(&app, &[]).well();
        assert!(ended.stdout.contains(&format!("\n{count} passed in ")), "{examples}/{name}: {ended}");
    }
}

#[test]
fn the_tests_of_an_example_in_python_pass() {
    let app = App::empty();
    app.write("wharf.toml", include_str!("../../../../examples/shortener/wharf.toml"));
    app.copy_guest("shortener", "shortener.wasm");
    let app = with_tests(app, include_str!("../../../../examples/shortener/tests/shortener.toml"));
    let ended = test(&app, &[]).well();
    assert!(ended.stdout.contains("\n4 passed in "), "{ended}");
}

#[test]
fn a_test_that_fails_is_told_with_its_difference_and_how_to_run_it_again() {
    let tests = "[[test]]\nname = \"it's good\"\nrequest = { path = \"/\" }\nexpect = { status = 200 }\n\n\
                 [[test]]\nname = \"it's <bad>\"\nrequest = { path = \"/\" }\nexpect = { status = 201, body = \"bye\\n\" }\n";
    let app = app("hello", "", tests);
    let junit = app.path("junit.xml").display().to_string();
    let ended = test(&app, &["--junit", &junit, "--seed", "5"]);
    fails(
        &ended,
        &[
            "ok   tests/all.toml: it's good",
            "FAIL tests/all.toml:7: it's <bad>",
            "status: expected 201, got 200",
            "- bye\n",
            "+ hello\n",
            "'tests/all.toml: it'\\''s <bad>' --seed 5",
            "1 passed, 1 failed in ",
        ],
    );
    let xml = std::fs::read_to_string(junit).unwrap();
    assert!(xml.contains("tests=\"2\" failures=\"1\"") && xml.contains("it&apos;s &lt;bad&gt;"), "{xml}");
    let only = test(&app, &["it's good", "--json"]).well();
    let lines: Vec<serde_json::Value> = only.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((lines[0]["verdict"].as_str(), lines[1]["left_out"].as_u64()), (Some("passed"), Some(1)), "{ended}");
    let list = test(&app, &["--list"]).well();
    assert_eq!(list.stdout, "tests/all.toml: it's good\ntests/all.toml: it's <bad>\n");
    test(&app, &["nothing"]).badly(2, &["no test has nothing in its `FILE: NAME`", "--list"]);
}

#[test]
fn what_is_wrong_with_a_file_is_shown_where_it_stands() {
    for (tests, texts) in [
        ("[[test]\n", &["WHARF-0090", "tests/all.toml:1:"][..]),
        (
            "[[test]]\nname = \"a\"\nrequst = {}\n",
            &["unknown key `requst`", "did you mean `request`?", "tests/all.toml:3:1"],
        ),
        ("[[test]]\nname = \"a\"\n", &["one of `request`, `call`, `run` and `advance`"]),
    ] {
        test(&app("hello", "", tests), &[]).badly(2, texts);
    }
    let without = App::new("name = \"demo\"\n[component.demo]\nsource = \"@hello\"\n");
    test(&without, &[]).badly(2, &["there are no tests in", "[[test]]"]);
}

#[test]
fn a_component_that_traps_loops_or_never_answers_is_ended_and_told() {
    let tests = r#"
        [settings]
        timeout = "20s"
        [[test]]
        name = "traps"
        request = { path = "/trap-before" }
        [[test]]
        name = "traps as expected"
        request = { path = "/trap-before" }
        expect = { status = 500, trap = "WHARF-0030" }
        [[test]]
        name = "breaks off"
        request = { path = "/trap-mid" }
        [[test]]
        name = "loops"
        request = { path = "/loop-before" }
        [[test]]
        name = "takes all memory"
        request = { path = "/memory?then=trap" }
        expect = { trap = "WHARF-0033" }
    "#;
    let ended = test(&app("misbehave", "limits = { cpu = \"200ms\" }", tests), &[]);
    fails(
        &ended,
        &[
            ": traps (",
            "the component failed: demo: WHARF-0030",
            "unreachable",
            "ok   tests/all.toml: traps as expected",
            ": breaks off (",
            "the body broke off",
            ": loops (",
            "WHARF-0031",
            "ok   tests/all.toml: takes all memory",
            "2 passed, 3 failed",
        ],
    );
}

#[test]
fn a_test_that_takes_too_long_is_ended() {
    let tests = "[settings]\ntimeout = \"1s\"\n[[test]]\nname = \"spins\"\nrequest = { path = \"/loop-before\" }\n";
    let ended = test(&app("misbehave", "limits = { cpu = \"1h\", wall = \"1h\" }", tests), &[]);
    fails(&ended, &["it was not done after 1s and was ended"]);
}

#[test]
fn a_guest_that_sleeps_wakes_at_once_and_time_went_by() {
    let tests = r#"
        [settings]
        clock = "2030-05-06T07:08:09Z"
        [[test]]
        name = "an hour"
        steps = [
          { request = { path = "/late?ms=3600000" }, expect = { status = 200 } },
          { advance = "1h" },
          { request = { path = "/clock" }, expect = { status = 200, body-contains = "1904288889" } },
        ]
    "#;
    // 2030-05-06T09:08:09Z is 1904288889 s after 1970.
    for guest in ["misbehave", "misbehave-p3"] {
        test(&app(guest, "limits = { wall = \"20s\" }", tests), &[]).well();
    }
}

#[test]
fn random_numbers_come_of_the_seed() {
    let tests = "[[test]]\nname = \"random\"\nrequest = { path = \"/random\" }\nexpect = { body = \"\" }\n";
    for guest in ["misbehave", "misbehave-p3"] {
        let app = app(guest, "", tests);
        let got = |seed: &str| {
            let ended = test(&app, &["--json", "--seed", seed]);
            let line: serde_json::Value = serde_json::from_str(ended.stdout.lines().next().unwrap()).unwrap();
            line["messages"].to_string()
        };
        assert_eq!(got("1"), got("1"), "{guest}");
        assert_ne!(got("1"), got("2"), "{guest}");
    }
}

#[test]
fn a_request_that_no_file_has_an_answer_for_is_told_with_what_to_add() {
    let tests = "[[test]]\nname = \"fetches\"\nrequest = { path = \"/fetch?url=https://api.example.com/x\" }\n";
    let granted = "grants = { http = [\"https://api.example.com\"] }";
    let ended = test(&app("misbehave-p3", granted, tests), &[]);
    fails(
        &ended,
        &[
            "[WHARF-0091] GET https://api.example.com/x",
            "request = { method = \"GET\", url = \"https://api.example.com/x\" }",
        ],
    );
    let denied = test(&app("misbehave-p3", "", tests), &[]);
    assert!(!denied.stdout.contains("WHARF-0091"), "what is not granted is refused before: {denied}");
}

#[test]
fn tests_see_nothing_of_each_other_and_run_by_the_thousand() {
    let mut tests = String::new();
    for number in 0..1000 {
        tests.push_str(&format!(
            "[[test]]\nname = \"number {number}\"\nrequest = {{ path = \"/incr?key=n&by=1\" }}\n\
             expect = {{ status = 200, keyvalue.default = {{ n = \"1\" }} }}\n"
        ));
    }
    let ended = test(&app("keyvalue", "grants = { keyvalue = [\"default\"] }", &tests), &["--jobs", "4"]).well();
    assert!(ended.stdout.contains("\n1000 passed in "), "{}", ended.stdout.lines().last().unwrap_or_default());
}

#[test]
fn messages_that_were_sent_are_compared() {
    let tests = r#"
        [[test]]
        name = "sends"
        request = { path = "/send?label=default&topic=orders.new&data=1" }
        expect = { status = 200, messages = [{ topic = "orders.new", body = "1" }] }
        [[test]]
        name = "sends what is not expected"
        request = { path = "/send?label=default&topic=orders.new&data=1" }
        expect = { status = 200, messages = [] }
        [[test]]
        name = "cannot send"
        fault = [{ call = "messaging.send", error = "unavailable" }]
        request = { path = "/send?label=default&topic=orders.new&data=1" }
        expect = { body-contains = "not available", messages = [] }
    "#;
    let ended = test(&app("messaging", "grants = { messaging = [\"default\"] }", tests), &[]);
    fails(&ended, &["messages: expected 0, got 1", "+ default orders.new", "2 passed, 1 failed"]);
}

#[test]
fn a_component_tests_an_app_by_name_and_by_route() {
    let app = app("hello", "", "[[test]]\nname = \"file\"\nrequest = {}\n");
    for name in ["passes", "fails", "panics", "sleeps"] {
        app.copy_guest("tester", &format!("tests/{name}.wasm"));
    }
    let ended = test(&app, &[]);
    fails(
        &ended,
        &[
            "ok   tests/passes.wasm: passes",
            "ok   tests/sleeps.wasm: sleeps",
            "FAIL tests/fails.wasm: fails",
            "it ended with exit code 1",
            "fails: fails got Ok((200, \"hello",
            "FAIL tests/panics.wasm: panics",
            "WHARF-0030",
            "asked to",
            "3 passed, 2 failed",
        ],
    );
}

#[test]
fn a_component_that_tests_and_hangs_is_ended() {
    let app = App::new(
        "name = \"demo\"\n[component.demo]\nsource = \"@hello\"\n[[trigger.http]]\nroute = \"/...\"\ncomponent = \"demo\"\n\
         [component.hangs]\nsource = \"@tester\"\n[test]\ncomponent = \"hangs\"\ntimeout = \"1s\"\n",
    );
    let ended = test(&app, &[]);
    fails(&ended, &["FAIL wharf.toml: hangs", "it was not done after 1s and was ended"]);
}

#[test]
fn answers_of_servers_are_recorded_and_then_given() {
    let server = wharf().up(wharf_testkit::guest("hello")).start();
    let (port, url) = (server.address.port(), format!("http://127.0.0.1:{}/x", server.address.port()));
    let tests = format!(
        "# Kept.\n[[test]]\nname = \"fetches\"\nrequest = {{ path = \"/fetch?url={url}\" }}\n\
         expect = {{ status = 200, http-requests = [{{ url = \"{url}\" }}] }}\n"
    );
    let granted = format!("grants = {{ http = [\"http://127.0.0.1:{port}\"] }}");
    let app = app("misbehave", &granted, &tests);
    let ended = test(&app, &["--record"]).well();
    assert!(ended.stderr.contains("1 recorded answers"), "{ended}");
    server.stop();
    let text = std::fs::read_to_string(app.path("tests/all.toml")).unwrap();
    assert!(text.starts_with("# Kept.\n") && text.contains(&format!("url = \"{url}\" }}")), "{text}");
    test(&app, &[]).well();
}

#[test]
fn a_call_that_is_slow_ends_at_its_deadline_without_anybody_waiting() {
    let tests = r#"
        [settings]
        clock = "2030-01-01T00:00:00Z"
        [[test]]
        name = "slow and in time"
        fault = [{ call = "keyvalue.get", delay = "3s" }]
        request = { path = "/v1?key=a" }
        expect = { status = 404 }
        [[test]]
        name = "too slow"
        fault = [{ call = "keyvalue.get", delay = "1h" }]
        request = { path = "/v1?key=a" }
        expect = { status = 500, body-contains = "no answer within 5000 ms" }
        [[test]]
        name = "the second one"
        fault = [{ call = "keyvalue.get", nth = 2, error = "failed" }]
        steps = [
          { request = { method = "PUT", path = "/v1?key=a", body = "1" } },
          { request = { path = "/v1?key=a" }, expect = { status = 200, body-contains = "1" } },
          { request = { path = "/v1?key=a" }, expect = { status = 500, body-contains = "the backend failed" } },
          { request = { path = "/v1?key=a" }, expect = { status = 200 } },
        ]
    "#;
    test(&app("keyvalue", "grants = { keyvalue = [\"default\"] }", tests), &[]).well();
}

#[test]
fn variables_and_secrets_are_the_tests_own() {
    let manifest = "name = \"demo\"\n[variables]\ngreeting = { required = true }\nkey = { required = true, secret = true }\n\
                    [component.demo]\nsource = \"@config\"\n[component.demo.grants]\nconfig = { greeting = \"{{ greeting }}\" }\n\
                    secrets = [\"key\"]\n[[trigger.http]]\nroute = \"/...\"\ncomponent = \"demo\"\n";
    let tests = r#"
        [[test]]
        name = "given"
        settings = { variables = { greeting = "hi" }, secrets = { key = "abc" } }
        steps = [
          { request = { path = "/config?key=greeting" }, expect = { body-contains = "hi" } },
          # The SHA-256 of `abc`.
          { request = { path = "/secret?name=key" }, expect = { body-contains = "ba7816bf8f01cfea414140de5dae2223" } },
        ]
        [[test]]
        name = "not given"
        request = { path = "/" }
        [[test]]
        name = "misspelt"
        settings = { variables = { greting = "hi" } }
        request = { path = "/" }
    "#;
    let app = with_tests(App::new(manifest), tests);
    app.write(".env", "WHARF_VARIABLE_GREETING=from the environment\nWHARF_VARIABLE_KEY=x\n");
    let ended = test(&app, &[]);
    fails(&ended, &["ok   tests/all.toml: given", "greeting", "did you mean `greeting`?", "1 passed, 2 failed"]);
}

#[test]
fn calls_and_programs_are_tested_too() {
    let manifest =
        "name = \"demo\"\n[component.calculator]\nsource = \"@calculator\"\n[component.args]\nsource = \"@args\"\n";
    let tests = r#"
        [[test]]
        name = "adds"
        component = "calculator"
        call = "add(1, 2)"
        expect = { result = "3" }
        [[test]]
        name = "subtracts"
        component = "calculator"
        call = "add(1, 2)"
        expect = { result = "4" }
        [[test]]
        name = "says what it was given"
        component = "args"
        run = ["one"]
        expect = { exit = 0, stdout-contains = "arg: one" }
        [[test]]
        name = "panics"
        component = "args"
        run = ["--panic"]
        expect = { trap = "WHARF-0030", log-contains = "asked to" }
    "#;
    let ended = test(&with_tests(App::new(manifest), tests), &[]);
    fails(&ended, &["result: expected 4, got 3", "3 passed, 1 failed"]);
}

#[test]
fn requests_go_the_way_of_those_of_clients() {
    let manifest = "name = \"demo\"\n[component.a]\nsource = \"@hello\"\n[component.b]\nsource = \"@misbehave\"\n\
                    grants = { http = [\"http://a.wharf.internal\"] }\n\
                    [[trigger.http]]\nroute = \"/b/...\"\nhost = \"b.example\"\nmethods = [\"GET\"]\ncomponent = \"b\"\n\
                    [[trigger.http]]\nroute = \"/fetch\"\ncomponent = \"b\"\n\
                    [[trigger.http]]\nroute = \"/echo-headers\"\ncomponent = \"b\"\n\
                    [[trigger.http]]\nroute = \"/fixed\"\nstatic = { status = 418, body = \"short\" }\n\
                    [[trigger.http]]\ncomponent = \"a\"\nprivate = true\n";
    let tests = r#"
        [[test]]
        name = "a private component is reached by others of the app only"
        steps = [
          { request = { path = "/" }, expect = { status = 404 } },
          { request = { path = "/fetch?url=http://a.wharf.internal/" }, expect = { status = 200, body = "hello\n" } },
        ]
        [[test]]
        name = "hosts and methods choose the route"
        steps = [
          { request = { path = "/b/ok" }, expect = { status = 404 } },
          { request = { method = "POST", path = "/b/ok", host = "b.example" }, expect = { status = 405, headers = { allow = "GET, HEAD" } } },
          { request = { path = "/fixed" }, expect = { status = 418, body = "short" } },
        ]
        [[test]]
        name = "headers are passed on, those of the way are Wharf's"
        request = { path = "/echo-headers", headers = { x-a = ["1", "2"], x-forwarded-for = "6.6.6.6" } }
        expect = { body-contains = ["x-a: 1", "x-a: 2"], headers = { x-request-id = true } }
    "#;
    test(&with_tests(App::new(manifest), tests), &[]).well();
}

#[test]
fn what_came_of_tests_is_written_into_their_file() {
    let tests = "# Kept.\n[[test]]\nname = \"hello\"\nrequest = { path = \"/\" } # as it is\nexpect = { status = 404, body = \"?\" }\n\n\
                 [[test]]\nname = \"new\"\nrequest = {}\n";
    let app = app("hello", "", tests);
    let ended = test(&app, &["--update"]).well();
    assert!(ended.stderr.contains("tests/all.toml is changed: 2 outcomes"), "{ended}");
    let text = std::fs::read_to_string(app.path("tests/all.toml")).unwrap();
    assert!(text.starts_with("# Kept.\n") && text.contains("# as it is\nexpect = { status = 200, body = "), "{text}");
    test(&app, &[]).well();
}
