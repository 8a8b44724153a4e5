//! `--locked`: who serves, tests or composes an app takes it only as its `wharf.lock` has it.

use crate::support::{answers, wharf};
use wharf_testkit::{App, Ended};

/// An app whose component is a file of its folder, which a build makes, and a test of it.
fn app() -> App {
    let app = App::empty();
    app.copy_guest("hello", "made.wasm");
    app.write(
        "wharf.toml",
        "name = \"shop\"\n[component.web]\nsource = \"web.wasm\"\n\
         build = { command = \"cp made.wasm web.wasm\", watch = [\"*.src\"] }\n\
         [[trigger.http]]\nroute = \"/...\"\ncomponent = \"web\"\n",
    );
    std::fs::create_dir(app.path("tests")).unwrap();
    app.write(
        "tests/all.toml",
        "[[test]]\nname = \"it greets\"\nrequest = { path = \"/\" }\nexpect = { body = \"hello\\n\" }\n",
    );
    app
}

fn run(app: &App, args: &[&str]) -> Ended {
    wharf().run_in(app.folder(), args)
}

fn lock(app: &App) -> String {
    std::fs::read_to_string(app.path("wharf.lock")).unwrap_or_default()
}

/// Every command that takes an app as its lock file has it.
const COMMANDS: [&[&str]; 3] = [
    &["up", "--locked", "--listen", "127.0.0.1:0"],
    &["test", "--locked"],
    &["compose", "--locked", "--output", "whole"],
];

/// Asserts that every command refuses the app, and leaves everything as it is.
#[track_caller]
fn refused(app: &App, flags: &[&str], texts: &[&str]) {
    let before = lock(app);
    for command in COMMANDS {
        // It has no such flag, and finds what was built.
        let flags = if command[0] == "compose" { &[] } else { flags };
        let ended = run(app, &[command, flags].concat()).badly(1, texts).badly(1, &["WHARF-0066", "run `wharf build`"]);
        assert_eq!(ended.stdout, "");
    }
    assert_eq!(lock(app), before);
    assert!(!app.path("whole").exists());
}

#[test]
fn an_app_without_a_lock_file_is_refused() {
    let app = app();
    refused(&app, &[], &["wharf.lock is missing", "web is in the manifest and not in the lock"]);
    assert!(!app.path("wharf.lock").exists());
    // So does who writes the file, in the same words.
    run(&app, &["build", "--locked"]).badly(1, &["WHARF-0066", "wharf.lock is missing", "run `wharf build`"]);
}

#[test]
fn an_app_is_taken_as_its_lock_file_has_it_and_in_no_other_way() {
    let app = app();
    run(&app, &["build"]).well();
    let locked = lock(&app);
    answers(&wharf().up(app.folder()).with("--locked").start(), "/", "hello\n");
    run(&app, &["test", "--locked"]).well();
    run(&app, &["compose", "--locked", "--output", "composed"]).well();
    assert_eq!(lock(&app), locked);

    app.copy_guest("messaging", "web.wasm");
    refused(&app, &["--no-build"], &["wharf.lock is out of date", "web is sha256:", "the lock has sha256:"]);
    // Without the flag that is nobody's business.
    answers(&wharf().up(app.folder()).with("--no-build").start(), "/", "no case /\n");
    app.copy_guest("hello", "web.wasm");

    let manifest = std::fs::read_to_string(app.path("wharf.toml")).unwrap();
    app.write("wharf.toml", format!("{manifest}[component.more]\nsource = \"made.wasm\"\n"));
    refused(&app, &[], &["more is in the manifest and not in the lock"]);
    app.write("wharf.toml", manifest.replace("[component.web]", "[component.site]").replace("\"web\"", "\"site\""));
    refused(&app, &[], &["site is in the manifest and not in the lock", "web is in the lock and not in the manifest"]);
    app.write("wharf.toml", &manifest);

    // What is wrong with a component is told by who loads it.
    std::fs::remove_file(app.path("web.wasm")).unwrap();
    run(&app, &["up", "--locked", "--no-build"]).badly(2, &["WHARF-0001", "web.wasm", "wharf.toml:3:"]);
    app.write("wharf.lock", "version = 7\n");
    for command in COMMANDS {
        run(&app, command).badly(1, &["WHARF-0065", "remove it"]);
    }
}

#[test]
fn a_server_that_watches_goes_on_with_what_is_locked() {
    let app = app();
    run(&app, &["build"]).well();
    let server = wharf().up(app.folder()).with("--locked --watch --no-build").start();
    app.copy_guest("messaging", "web.wasm");
    server.logged("WHARF-0066");
    server.logged("the version that is there goes on");
    answers(&server, "/", "hello\n");
}

#[test]
fn only_an_app_can_be_locked() {
    let app = app();
    for args in [&["up", "made.wasm", "--locked"][..], &["compose", "made.wasm", "--locked", "--output", "whole"]] {
        run(&app, args).badly(2, &["--locked is for an app", "wharf.toml"]);
    }
    // What changes all the time, and what has no manifest, cannot.
    for args in [&["dev", "--locked"][..], &["call", "--locked", "made.wasm", "f()"]] {
        run(&app, args).badly(2, &["--locked"]);
    }
}
