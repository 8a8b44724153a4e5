//! The program with plug-ins that do as they should, and with some that mean it no good.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on says so by ending")]

use std::path::PathBuf;
use std::process::Command;
use wharf_testkit::App;

/// Runs the program with a text and files, and returns what it printed.
fn run(text: &str, files: &[PathBuf]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_embedder")).arg(text).args(files).output().unwrap();
    let (said, errors) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{}\n{said}\n{errors}", output.status);
    said
}

/// A folder with plug-ins under the names that they are called by.
fn plugins(names: &[&str]) -> (App, Vec<PathBuf>) {
    let app = App::empty();
    let file = |name: &&str| app.copy_guest(&format!("plugins-{name}"), &format!("{name}.wasm"));
    let files = names.iter().map(file).collect();
    (app, files)
}

#[test]
fn plugins_in_three_languages_answer_and_two_are_stopped() {
    let (_app, files) = plugins(&["shout", "endless", "rot13", "greedy", "slug"]);
    let said = run("Hello, \"World\"", &files);
    let lines: Vec<&str> = said.lines().collect();
    assert_eq!(lines[0], "shout: HELLO, \"WORLD\"!");
    assert_eq!(lines[1], "endless failed: the component used more than its 500ms of CPU time");
    assert_eq!(lines[2], "rot13: Uryyb, \"Jbeyq\"");
    // How much it had before depends on its compiler.
    assert!(lines[3].starts_with("greedy failed: the component wanted "), "{said}");
    assert!(lines[3].ends_with(" of memory, its limit is 16 MiB"), "{said}");
    assert_eq!(lines[4..], ["slug: hello-world", "3 of 5 plug-ins answered"]);
}

#[test]
fn what_is_no_plugin_is_told_from_a_plugin_that_says_no() {
    let (app, mut files) = plugins(&["shout", "slug"]);
    files.push(app.write("broken.wasm", b"\0asm?"));
    files.push(app.copy_guest("calculator", "calculator.wasm"));
    files.push(app.path("absent.wasm"));
    let said = run("", &files);
    let lines: Vec<&str> = said.lines().collect();
    assert_eq!(lines[0], "shout failed: it says \"there is nothing to shout\"");
    assert_eq!(lines[1], "slug failed: it says \"no letter or digit is left\"");
    assert!(lines[2].starts_with("broken failed: cannot compile the component: "), "{said}");
    assert!(lines[3].starts_with("calculator failed: the component exports no function "), "{said}");
    assert!(lines[4].starts_with("absent failed: "), "{said}");
    assert_eq!(lines[5], "0 of 5 plug-ins answered");
}
