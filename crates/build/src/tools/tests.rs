use super::*;
use std::ffi::OsString;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

fn names(tools: &[&Tool]) -> Vec<&'static str> {
    tools.iter().map(|tool| tool.name).collect()
}

fn program(folder: &Path, name: &str, text: &str) {
    std::fs::create_dir_all(folder).unwrap();
    let file = folder.join(name);
    std::fs::write(&file, format!("#!/bin/sh\n{text}\n")).unwrap();
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o755)).unwrap();
}

fn search(path: &Path, dir: &Path) -> Search {
    Search::new(Some(path.as_os_str()), dir)
}

#[test]
fn every_language_has_tools_and_every_tool_an_installer() {
    for language in Language::ALL {
        assert!(of_language(*language).count() > 0, "{}", language.name());
    }
    for tool in TOOLS {
        assert!(!tool.install.is_empty(), "{}", tool.name);
        assert_eq!(by_name(tool.name), Some(tool));
    }
}

#[test]
fn tools_are_read_out_of_command_lines() {
    for (command, expected) in [
        ("cargo build --release --target wasm32-wasip2", &["cargo", "wasm32-wasip2"][..]),
        ("cargo build --target=wasm32-wasip1", &["cargo", "wasm32-wasip1"]),
        ("npm install && npx jco componentize app.js", &["npm", "npx", "jco"]),
        ("RUSTFLAGS=-g cargo build", &["cargo"]),
        ("[ -d .venv ] || python3 -m venv .venv; componentize-py -d wit bindings", &["python3", "componentize-py"]),
        ("clang-19 --target=wasm32-wasi a.c", &["clang"]),
        ("./build.sh cargo", &[]),
    ] {
        assert_eq!(names(&of_command(command)), expected, "{command}");
    }
}

#[test]
fn a_missing_tool_is_read_out_of_what_the_shell_says() {
    for (said, expected) in [
        ("sh: 1: jco: not found", Some("jco")),
        ("bash: line 1: componentize-py: command not found", Some("componentize-py")),
        ("/usr/bin/env: 'node': No such file or directory", Some("node")),
        ("/usr/bin/env: ‘node’: No such file or directory", Some("node")),
        ("  = note: the `wasm32-wasip2` target may not be installed\n  = help: consider", Some("wasm32-wasip2")),
        ("npm error could not determine executable to run", Some("jco")),
        ("sh: 1: frobnicate: not found", None),
        ("error: file not found", None),
    ] {
        assert_eq!(missing_from(said).map(|tool| tool.name), expected, "{said}");
    }
    assert_eq!(missing_program("building\nsh: 1: frobnicate: not found\n"), Some("frobnicate"));
    assert_eq!(missing_program("the page was not found"), None);
}

#[test]
fn programs_of_the_project_come_before_those_of_the_machine() {
    let folder = tempfile::tempdir().unwrap();
    let (machine, project) = (folder.path().join("bin"), folder.path().join("app"));
    program(&machine, "jco", "echo 1.20.0");
    let jco = by_name("jco").unwrap();
    let old = search(&machine, &project).find(jco);
    assert!(matches!(old, Found::Old { version: (1, 20, 0), minimum: (1, 35, 0), .. }), "{old:?}");
    program(&project.join("node_modules/.bin"), "jco", "echo 1.35.0");
    let found = search(&machine, &project.join("deep/inside")).find(jco);
    let expected = project.join("node_modules/.bin/jco");
    assert_eq!(found, Found::There { path: expected, version: Some((1, 35, 0)) });
}

#[test]
fn a_program_that_fails_is_not_there() {
    let folder = tempfile::tempdir().unwrap();
    program(folder.path(), "go", "echo 'no version is set' >&2; exit 1");
    assert_eq!(search(folder.path(), folder.path()).find(by_name("go").unwrap()), Found::Missing);
}

#[test]
fn advice_names_an_installer_that_is_there() {
    let folder = tempfile::tempdir().unwrap();
    program(folder.path(), "dnf", "");
    let node = by_name("node").unwrap();
    assert_eq!(
        search(folder.path(), folder.path()).advice(node),
        "install it with `dnf install --assumeyes nodejs npm`"
    );
    let nothing = Search::new(Some(&OsString::new()), folder.path());
    assert!(nothing.advice(node).contains("apt-get install"), "{}", nothing.advice(node));
}

#[test]
fn versions_are_read_out_of_what_tools_print() {
    for (text, version) in [
        ("cargo 1.95.0 (f2d3ce0bd 2026-03-21)", Some((1, 95, 0))),
        ("v24.1.0", Some((24, 1, 0))),
        ("go version go1.27.3 linux/amd64", Some((1, 27, 3))),
        ("Debian clang version 19.1.7 (3)", Some((19, 1, 7))),
        ("Python 3.12", Some((3, 12, 0))),
        ("unknown", None),
    ] {
        assert_eq!(find::first_version(text), version, "{text}");
    }
}
