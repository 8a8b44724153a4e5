//! Variables, configuration and secrets: from where somebody gives them to where a component finds them, and nowhere else.

use crate::support::wharf;
use std::fmt::Write;
use wharf_testkit::services::Vault;
use wharf_testkit::{App, Server, eventually};

/// Every secret of these tests has this in it.
const MARK: &str = "hunter2";
/// What `sha256sum` says of `hunter2`.
const DIGEST: &str = "text f52fbd32b2b3b86ff88ef6c490628285f482af15ddcb29541f94bcf526a3f6c7\n";

const VARIABLES: &str = "[variables]\ngreeting = { default = \"hello\" }\nhost = { required = true }\n";
const GRANTS: &str = "[component.c.grants]\nconfig = { url = \"https://{{ host }}/v1\", greeting = \"{{greeting}}, {{{{you}}\" }\n\
                      environment = { GREETING = \"{{ greeting }}\" }\nsecrets = [\"key\"]\n";

/// An app with the guest that tells what it is configured with.
fn app(variables: &str, grants: &str) -> App {
    App::new(&format!(
        "name = \"shop\"\n{variables}[component.c]\nsource = \"@config\"\n{grants}\n[[trigger.http]]\nroute = \"/...\"\ncomponent = \"c\"\n"
    ))
}

fn text(server: &Server, path: &str) -> String {
    server.get("c", path).text()
}

/// Returns everything that a server said, after its end.
fn said(server: Server) -> String {
    server.stop().to_string()
}

#[test]
fn every_version_of_the_interface_and_the_environment_have_the_values() {
    let app = app(VARIABLES, GRANTS);
    let server = wharf().env("UNRELATED", "x").up(app.folder()).with("--variable host=a.example").start();
    assert_eq!(text(&server, "/config?key=url"), "Some(\"https://a.example/v1\")\n".repeat(4));
    assert_eq!(text(&server, "/config?key=host"), "None\n".repeat(4), "a variable is no key");
    assert_eq!(text(&server, "/all"), "greeting=hello, {{you}}\nurl=https://a.example/v1\n");
    assert_eq!(text(&server, "/env"), "GREETING=hello\n");
}

#[test]
fn the_strongest_of_five_sources_decides() {
    let app = app(VARIABLES, GRANTS);
    let file = app.write("values.toml", "host = \"from.file\"\ngreeting = \"file\"\n");
    let values = format!("--variables {}", file.display());
    let greeting = |program: wharf_testkit::Program, flags: &str| {
        let server = program.up(app.folder()).with("--variable host=h").with(flags).start();
        text(&server, "/env")
    };
    assert_eq!(greeting(wharf(), ""), "GREETING=hello\n");
    assert_eq!(greeting(wharf(), &values), "GREETING=file\n");
    app.write(".env", "export OTHER=1\nWHARF_VARIABLE_GREETING=\"dot\\tenv\" # not this\n");
    assert_eq!(greeting(wharf(), &values), "GREETING=dot\tenv\n");
    let env = wharf().env("WHARF_VARIABLE_GREETING", "environment");
    assert_eq!(greeting(env.clone(), &values), "GREETING=environment\n");
    assert_eq!(greeting(env.clone(), &format!("{values} --variable greeting=flag")), "GREETING=flag\n");
    assert_eq!(greeting(env, "--variable greeting="), "GREETING=\n", "an empty value is one");
    let other = app.write("other.env", "WHARF_VARIABLE_GREETING=other\n");
    assert_eq!(greeting(wharf(), &format!("--env-file {}", other.display())), "GREETING=other\n");
}

#[test]
fn a_value_that_is_missing_or_was_meant_for_another_is_told_with_what_to_do() {
    let app = app(VARIABLES, GRANTS);
    let with = |flags: &str| wharf().up(app.folder()).with(flags).fail();
    with("").badly(
        2,
        &[
            "WHARF-0130",
            "the variable `host` has no value",
            "wharf.toml:4:1",
            "--variable host=VALUE",
            "WHARF_VARIABLE_HOST",
            "`.env`",
            "--variables",
        ],
    );
    with("--variable hots=x").badly(2, &["has no variable of that name", "did you mean `host`?"]);
    with("--variable host").badly(2, &["NAME=VALUE"]);
    with("--variables nowhere.toml").badly(2, &["cannot read nowhere.toml"]);
    with("--env-file nowhere.env").badly(2, &["cannot read nowhere.env"]);
    let file = app.write("values.toml", "\nhost = hunter2\n");
    let ended = with(&format!("--variables {}", file.display()));
    assert!(!ended.stderr.contains(MARK), "{ended}");
    ended.badly(2, &["values.toml: line 2 is not valid TOML"]);
    app.write(".env", "\nWHARF_VARIABLE_HOST='hunter2\n");
    let ended = with("");
    assert!(!ended.stderr.contains(MARK), "{ended}");
    ended.badly(2, &[".env: line 2"]);
}

#[test]
fn a_change_of_a_file_of_values_shows_when_it_is_watched() {
    let app = app(VARIABLES, GRANTS);
    app.write(".env", "WHARF_VARIABLE_HOST=first\n");
    let server = wharf().up(app.folder()).with("--watch").start();
    assert_eq!(text(&server, "/env"), "GREETING=hello\n");
    app.write(".env", "WHARF_VARIABLE_HOST=first\nWHARF_VARIABLE_GREETING=changed\n");
    eventually("the new value", || (text(&server, "/env") == "GREETING=changed\n").then_some(()));
    app.write(".env", "WHARF_VARIABLE_GREETING=changed\n");
    server.logged("the variable `host` has no value");
    assert_eq!(text(&server, "/env"), "GREETING=changed\n", "the version that was there goes on");
}

const SECRET: &str = "[variables]\nkey = { required = true, secret = true }\n";
const SECRET_GRANT: &str = "[component.c.grants]\nsecrets = [\"key\", \"other\"]\n";

/// Asserts that a component has the secret, that one not granted and one not there are told, and that nothing shows the value.
#[track_caller]
fn has_the_secret(server: Server) {
    assert_eq!(text(&server, "/secret?name=key"), DIGEST);
    assert!(text(&server, "/secret?name=other").contains("NotFound"));
    assert!(text(&server, "/secret?name=nobody").contains("AccessDenied"));
    let held = text(&server, "/hold?name=key");
    assert!(!held.contains(MARK), "{held}");
    assert_eq!(text(&server, "/config?key=key"), "None\n".repeat(4));
    assert_eq!(text(&server, "/env"), "");
    let said = said(server);
    assert!(said.contains("WHARF-0023") && said.contains("secrets = [\"key\", \"other\", \"nobody\"]"), "{said}");
    assert!(!said.contains(MARK), "{said}");
}

#[test]
fn a_secret_that_is_stored_is_had_without_a_restart() {
    let app = app(SECRET, SECRET_GRANT);
    let state = app.path("state");
    let secrets = |action: &str, input: &str| {
        let place = format!("--manifest {} --state {}", app.folder().display(), state.display());
        let args = format!("secrets {action} {place}");
        let ended = wharf().run_with_input(args.split_whitespace(), input.as_bytes());
        assert!(!ended.to_string().contains(MARK), "{ended}");
        ended
    };
    let up = |flags: &str| wharf().up(app.folder()).state(&state).with(flags);
    up("").fail().badly(2, &["WHARF-0130", "the variable `key` has no value", "wharf secrets set key"]);
    let made = secrets("set key", "hunter2\n").well();
    assert!(made.stderr.contains("key of shop is in") && made.stderr.contains("identity.txt"), "{made}");
    let server = up("-vv --access-log on").start();
    assert_eq!(text(&server, "/secret?name=key"), DIGEST);
    let again = secrets("set key", "hunter2, the next").well();
    assert!(!again.stderr.contains("identity"), "{again}");
    eventually("the next value", || (text(&server, "/secret?name=key") != DIGEST).then_some(()));
    secrets("set key", "hunter2\r\n").well();
    eventually("the first value", || (text(&server, "/secret?name=key") == DIGEST).then_some(()));
    assert_eq!(secrets("list", "").well().stdout, "key\n");
    has_the_secret(server);
    secrets("remove key", "").well();
    assert_eq!(secrets("list", "").well().stdout, "");
    secrets("remove key", "").badly(1, &["shop has no secret `key`"]);
    up("").fail().badly(2, &["WHARF-0130"]);
}

#[test]
fn what_cannot_be_stored_is_told() {
    let app = app(SECRET, SECRET_GRANT);
    let state = app.path("state");
    let run = |args: &str, input: &[u8]| {
        let place = format!("--manifest {} --state {}", app.folder().display(), state.display());
        let ended = wharf().run_with_input(format!("secrets {args} {place}").split_whitespace(), input);
        assert!(!ended.to_string().contains(MARK), "{ended}");
        ended
    };
    run("set key hunter2", b"").badly(2, &["is read from stdin", "everybody on this machine sees a command line"]);
    run("set key", b"").badly(2, &["there is no value on stdin"]);
    run("set Key", b"hunter2").badly(2, &["`Key` is no label"]);
    run("set key", &MARK.repeat(10_000).into_bytes())
        .badly(2, &["the value has 70000 bytes, and a secret has at most 65536"]);
    assert!(!state.join("data").exists(), "nothing was made");
    run("set key", b"hunter2").well();
    let file = state.join("data/secrets/secrets.age");
    let sound = std::fs::read(&file).unwrap();
    std::fs::write(&file, &sound[..sound.len() / 2]).unwrap();
    run("set other", b"hunter2").badly(1, &["WHARF-0008", "is damaged"]);
    run("list", b"").badly(1, &["WHARF-0008"]);
    assert_eq!(std::fs::read(&file).unwrap().len(), sound.len() / 2, "it is as it was");
    wharf().up(app.folder()).state(&state).fail().badly(2, &["WHARF-0007", "is damaged"]);
    std::fs::write(&file, &sound).unwrap();
    std::fs::remove_file(state.join("data/secrets/identity.txt")).unwrap();
    run("list", b"").badly(1, &["WHARF-0008", "identity.txt is not there"]);
    app.write("node.toml", "[secrets.default]\nbackend = \"vault\"\naddress = \"http://127.0.0.1:1\"\ntoken = \"x\"\n");
    run("set key", b"hunter2").badly(2, &["binds the secrets of `shop` to the backend `vault`"]);
}

#[test]
fn a_secret_is_given_by_the_environment_and_never_on_a_command_line() {
    let app = app(SECRET, SECRET_GRANT);
    has_the_secret(wharf().env("WHARF_VARIABLE_KEY", MARK).up(app.folder()).with("-vv").start());
    app.write(".env", "WHARF_VARIABLE_KEY=hunter2\n");
    has_the_secret(wharf().up(app.folder()).start());
    let ended = wharf().up(app.folder()).with("--variable key=hunter2").fail();
    assert!(!ended.stderr.contains(MARK), "{ended}");
    ended.badly(2, &["the variable `key` is secret and was given by --variable", "wharf secrets set"]);
}

#[test]
fn an_operator_takes_secrets_from_the_environment_and_from_files() {
    let app = app(SECRET, SECRET_GRANT);
    app.write("key.txt", "hunter2\n");
    app.write(
        "node.toml",
        "[app.shop.secrets.default]\nbackend = \"environment\"\nvalues.key = { env = \"STRIPE\" }\n",
    );
    has_the_secret(wharf().env("STRIPE", MARK).up(app.folder()).start());
    wharf().up(app.folder()).fail().badly(2, &["the environment variable STRIPE is not set"]);
    app.write("node.toml", "[secrets.default]\nbackend = \"environment\"\nvalues.key = { file = \"key.txt\" }\n");
    has_the_secret(wharf().up(app.folder()).start());
    app.write("node.toml", "[secrets.default]\nbackend = \"environment\"\nvalues.another = \"x\"\n");
    wharf().up(app.folder()).fail().badly(2, &["WHARF-0130", "the variable `key` has no value"]);
}

#[test]
fn an_operator_keeps_secrets_in_vault() {
    let vault = Vault::start();
    vault.put("secret", "wharf/shop/default/key", serde_json::json!({ "value": MARK }));
    let app = app(SECRET, SECRET_GRANT);
    let mut node =
        format!("[secrets.default]\nbackend = \"vault\"\naddress = \"{}\"\nprefix = \"wharf\"\n", vault.url());
    let _ = writeln!(node, "ttl = \"10ms\"\ntoken = {{ env = \"VAULT_TOKEN\" }}");
    app.write("node.toml", node);
    let up = || wharf().env("VAULT_TOKEN", Vault::TOKEN).up(app.folder()).with("-vv").start();
    has_the_secret(up());
    vault.kill();
    let server = up();
    let answer = text(&server, "/secret?name=key");
    assert!(answer.contains("Unavailable"), "{answer}");
    vault.restart();
    eventually("the secret", || (text(&server, "/secret?name=key") == DIGEST).then_some(()));
    vault.set_token("hunter2-rotated");
    eventually("the refusal", || text(&server, "/secret?name=key").contains("AccessDenied").then_some(()));
    let said = said(server);
    assert!(!said.contains(MARK) && !said.contains(Vault::TOKEN), "{said}");
}

#[test]
fn inspect_shows_which_components_look_at_secrets_and_no_value() {
    let app = app(SECRET, SECRET_GRANT);
    let component = wharf_testkit::guest("config");
    let shown =
        wharf().env("WHARF_VARIABLE_KEY", MARK).run(["inspect".as_ref(), component.as_os_str()]).well().to_string();
    assert!(shown.contains("read secrets") && shown.contains("read configuration"), "{shown}");
    assert!(!shown.contains(MARK));
    let banner = wharf().env("WHARF_VARIABLE_KEY", MARK).up(app.folder()).start();
    assert!(!banner.start.to_string().contains(MARK), "{}", banner.start);
}
