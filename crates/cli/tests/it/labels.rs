//! Labels by flags: what a component without a manifest may use of stores, databases, messages, configuration and secrets.

use crate::support::wharf;
use tempfile::TempDir;
use wharf_testkit::services::Redis;
use wharf_testkit::{App, Ended, Server, guest};

/// Runs the guest that looks at what it may use; `looks` are its arguments.
fn look(state: &str, flags: &[&str], looks: &[&str]) -> Ended {
    let guest = guest("granted").display().to_string();
    wharf().run([&["run", "--state", state], flags, &[guest.as_str()], looks].concat())
}

fn ask(server: &Server, method: &str, path: &str) -> (u16, String) {
    let mut connection = server.connect();
    connection.send(format!("{method} {path} HTTP/1.1\r\nhost: kv\r\ncontent-length: 1\r\n\r\nx"));
    let answer = connection.response().unwrap_or_else(|broken| panic!("{path}: {broken:?}\n{}", server.log()));
    (answer.status(), answer.text())
}

#[test]
fn a_program_uses_what_flags_name_and_finds_it_again() {
    let folder = TempDir::new().unwrap();
    let state = folder.path().join("state").display().to_string();
    let flags = "--keyvalue default --sql orders --blobstore files --messaging news --config greeting=hi=there";
    let flags: Vec<&str> = flags.split(' ').collect();
    let looks = "keyvalue default sql orders blobstore files messaging news config greeting config other";
    let looks: Vec<&str> = looks.split(' ').collect();
    for round in 1..=3 {
        let ended = look(&state, &flags, &looks).well();
        let expected = format!(
            "keyvalue default: {round}\nsql orders: {round}\nblobstore files: there\nmessaging news: sent\n\
             config greeting: Some(\"hi=there\")\nconfig other: None\n"
        );
        assert_eq!(ended.stdout, expected, "{ended}");
    }
    let other = folder.path().join("other").display().to_string();
    assert!(look(&other, &flags, &looks[..2]).well().stdout.ends_with(": 1\n"), "another folder is another state");
}

#[test]
fn what_no_flag_names_is_refused_with_the_flag_that_allows_it() {
    let folder = TempDir::new().unwrap();
    let state = folder.path().join("state").display().to_string();
    let looks = ["keyvalue", "default", "sql", "orders", "messaging", "news", "config", "greeting", "secret", "key"];
    let ended = look(&state, &[], &looks).well();
    for line in ["keyvalue default: error: ", "sql orders: error: ", "messaging news: error: ", "secret key: error: "] {
        assert!(ended.stdout.contains(line), "{line}: {ended}");
    }
    assert!(ended.stdout.contains("config greeting: None"), "{ended}");
    for flag in ["--keyvalue default", "--sql orders", "--messaging news", "--secret key"] {
        assert!(ended.stderr.contains(flag), "{flag}: {ended}");
    }
    assert!(!folder.path().join("state").exists(), "nothing was opened");
    // A label that is granted says nothing of another one.
    let ended = look(&state, &["--keyvalue", "carts"], &looks[..2]).well();
    assert!(ended.stdout.starts_with("keyvalue default: error: "), "{ended}");
}

#[test]
fn a_label_may_be_read_only() {
    let folder = TempDir::new().unwrap();
    let state = folder.path().display().to_string();
    let looks = ["keyvalue", "default"];
    look(&state, &["--keyvalue", "default"], &looks).well();
    let ended = look(&state, &["--keyvalue", "default:ro"], &looks).well();
    assert!(ended.stdout.contains("error") && ended.stdout.contains("after 1"), "it read and did not write: {ended}");
    // What is said last holds.
    let ended = look(&state, &["--keyvalue", "default:ro", "--keyvalue", "default"], &looks).well();
    assert_eq!(ended.stdout, "keyvalue default: 2\n", "{ended}");
}

#[test]
fn a_label_of_messages_has_no_access_to_choose() {
    let guest = guest("granted").display().to_string();
    for command in ["up", "dev", "run", "call"] {
        let ended = wharf().run([command, "--messaging", "news:ro", &guest, "f()"]);
        ended.badly(2, &["--messaging <LABEL>", "messages are only sent", "write `news`"]);
    }
    let grants = "[component.api.grants]\nmessaging = { news = { access = \"read\" } }\n";
    let app = App::new(&format!("name = \"shop\"\n[component.api]\nsource = \"@granted\"\n{grants}"));
    let path = app.folder().display().to_string();
    wharf().run(["up", &path]).badly(2, &["WHARF-0102", "wharf.toml:5:", "only sent", "leave `access` out"]);
}

#[test]
fn a_secret_has_its_value_from_elsewhere() {
    let folder = TempDir::new().unwrap();
    let state = folder.path().display().to_string();
    let guest = guest("granted").display().to_string();
    let set = ["secrets", "set", "api-key", "--manifest", &guest, "--state", &state];
    wharf().run_with_input(set, b"hunter2\n").well();
    let ended = look(&state, &["--secret", "api-key"], &["secret", "api-key", "secret", "other"]).well();
    assert!(ended.stdout.starts_with("secret api-key: hunter2\nsecret other: error: "), "{ended}");
    look(&state, &["--secret", "api-key=hunter3"], &[]).badly(2, &["the name of a secret comes alone"]);
}

#[test]
fn an_operator_binds_labels_of_programs_too() {
    let Some(redis) = Redis::options().in_memory().start() else { return };
    let folder = TempDir::new().unwrap();
    let node = folder.path().join("node.toml");
    std::fs::write(&node, format!("[keyvalue.default]\nbackend = \"redis\"\nurl = \"{}\"\n", redis.url())).unwrap();
    let flags = ["--node", &node.display().to_string(), "--keyvalue", "default"];
    for (state, sum) in [("one", 1), ("two", 2)] {
        let state = folder.path().join(state).display().to_string();
        assert_eq!(look(&state, &flags, &["keyvalue", "default"]).well().stdout, format!("keyvalue default: {sum}\n"));
    }
}

#[test]
fn a_call_has_labels() {
    let folder = TempDir::new().unwrap();
    let state = folder.path().display().to_string();
    let shapes = guest("shapes").display().to_string();
    let call = |flags: &[&str]| wharf().run([&["call", "--state", &state], flags, &[&shapes, "count(\"a\")"]].concat());
    assert_eq!(call(&["--keyvalue", "default"]).well().stdout, "ok(1)\n");
    assert_eq!(call(&["--keyvalue", "default"]).well().stdout, "ok(2)\n");
    let refused = call(&[]).well();
    assert!(refused.stdout.starts_with("err("), "{refused}");
    assert!(refused.stderr.contains("--keyvalue default"), "{refused}");
}

#[test]
fn a_served_component_has_labels_and_its_data_is_that_of_the_file() {
    let folder = TempDir::new().unwrap();
    let state = folder.path().join("state");
    let up = || wharf().up(guest("keyvalue")).keep(&state);
    {
        let server = up().with("--keyvalue default --keyvalue prices:ro").start();
        assert_eq!(ask(&server, "PUT", "/v1?key=a").0, 200);
        assert_eq!(ask(&server, "GET", "/v2?key=a"), (200, "x".to_owned()));
        assert_eq!(ask(&server, "GET", "/v1?key=a&label=prices").0, 404);
        assert_eq!(ask(&server, "PUT", "/v1?key=a&label=prices").0, 403);
        assert_eq!(ask(&server, "GET", "/v1?key=a&label=carts").0, 403);
        let said = server.start.to_string();
        assert!(said.contains("keyvalue default in redb"), "{said}");
        server.logged("--keyvalue carts");
        // One process at a time has the folder.
        let in_use = look(&state.display().to_string(), &["--keyvalue", "default"], &["keyvalue", "default"]);
        in_use.badly(2, &["WHARF-0013", "--state"]);
    }
    let server = up().with("--keyvalue default").start();
    assert_eq!(ask(&server, "GET", "/v1?key=a"), (200, "x".to_owned()));
    drop(server);
    let server = up().start();
    assert_eq!(ask(&server, "GET", "/v1?key=a").0, 403, "without a flag nothing is granted");
    let said = server.start.to_string();
    assert!(said.contains("give it as a flag: --keyvalue default"), "{said}");
}

#[test]
fn flags_do_not_add_to_a_manifest_and_are_names() {
    let app = App::new("name = \"shop\"\n[component.api]\nsource = \"@hello\"\n");
    let path = app.folder().display().to_string();
    wharf().run(["up", path.as_str(), "--keyvalue", "default"]).badly(2, &["for a component without a manifest"]);
    for flags in [["--keyvalue", "Default"], ["--sql", "a/b"], ["--config", "a"], ["--secret", "A"]] {
        let guest = guest("granted").display().to_string();
        wharf().run([&["run"][..], &flags, &[guest.as_str()]].concat()).badly(2, &[flags[0]]);
    }
}
