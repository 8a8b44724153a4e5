//! `wharf inspect` and `wharf explain`: what a file is, and what a code means.

use crate::support::wharf;
use serde_json::Value;
use std::process::Stdio;
use wharf_testkit::guest;

fn inspect(name: &str, flags: &[&str]) -> String {
    let file = guest(name).display().to_string();
    wharf().run([&["inspect", &file], flags].concat()).well().stdout
}

#[test]
fn says_in_words_what_a_component_is_and_may_ask_for() {
    let text = inspect("hello", &[]);
    for said in [
        "component, ",
        "world      wasi:http/proxy@0.2.12",
        "languages  Rust",
        "may ask to\n  read environment variables and arguments   [needs a grant",
        "wasi:http/incoming-handler@0.2.12   (serve HTTP requests)",
        "handle: func(request: incoming-request, response-out: response-outparam)",
        "wharf up   yes serves HTTP requests through wasi:http/incoming-handler@0.2.12",
        "code",
        "made with",
    ] {
        assert!(text.contains(said), "{said:?} is missing in:\n{text}");
    }
}

#[test]
fn says_what_can_be_done_with_each_kind_of_file() {
    for (name, said) in [
        ("hello-p3", "wharf up   yes serves HTTP requests through wasi:http/handler@0.3"),
        ("args", "wharf run  yes runs as a command through wasi:cli/run@0.2"),
        ("args-p3", "wharf run  yes runs as a command through wasi:cli/run@0.3"),
        ("args-p1", "wharf run  yes runs as a WASI preview 1 command through _start"),
        ("calculator", "wharf call yes has 3 functions to call"),
        ("module", "cannot be used here: this is a core module, not a component"),
        ("unknown-import", "wharf up   no  the import acme:missing/thing@1.0.0 is missing"),
        ("empty-component", "wharf up   no  "),
    ] {
        let text = inspect(name, &[]);
        assert!(text.contains(said), "{name}: {said:?} is missing in:\n{text}");
    }
}

#[test]
fn the_same_as_json() {
    let facts: Value = serde_json::from_str(&inspect("unknown-import", &["--json"])).unwrap();
    assert_eq!(facts["kind"], "component");
    assert_eq!(facts["missing"][0]["import"], "acme:missing/thing@1.0.0");
    assert_eq!(facts["verdict"]["serve"]["possible"], false);
    assert!(facts["verdict"]["serve"]["sentence"].as_str().unwrap().contains("acme:missing/thing"));
    let facts: Value = serde_json::from_str(&inspect("hello-p3", &["--json"])).unwrap();
    assert_eq!(facts["verdict"]["serve"]["possible"], true);
    assert_eq!(facts["missing"].as_array().unwrap().len(), 0);
    assert!(facts["file"].as_str().unwrap().ends_with("hello-p3.wasm"));
}

#[test]
fn the_wit_text_stands_alone() {
    let text = inspect("calculator", &["--wit"]);
    assert!(
        text.contains("export docs:calculator/ops@0.1.0;") && text.contains("add: func(a: s32, b: s32) -> s32;"),
        "{text}"
    );
    let file = guest("calculator").display().to_string();
    wharf().run(["inspect", &file, "--wit", "--json"]).badly(2, &["cannot be used with"]);
}

#[test]
fn a_file_that_cannot_be_inspected_is_named() {
    wharf().run(["inspect", "/no/such.wasm"]).badly(2, &["cannot read /no/such.wasm"]);
    wharf().run(["inspect", "/proc/self/status"]).badly(2, &["WHARF-0002", "not a WebAssembly binary"]);
}

#[test]
fn every_code_of_the_list_has_a_page() {
    let list = wharf().run(["explain"]).well().stdout;
    assert!(list.lines().count() > 50, "{list}");
    for line in list.lines().step_by(7) {
        let code = line.split(':').next().unwrap();
        let page = wharf().run(["explain", code]).well().stdout;
        assert!(page.starts_with(&format!("# {line}\n")), "{line}: {page}");
    }
    assert_eq!(wharf().run(["explain", "30"]).well().stdout, wharf().run(["explain", "WHARF-0030"]).well().stdout);
    wharf()
        .run(["explain", "WHARF-9999"])
        .badly(2, &["there is no error code WHARF-9999", "`wharf explain` lists them all"]);
}

#[test]
fn the_schema_and_the_completions_are_printed() {
    let schema: Value = serde_json::from_str(&wharf().run(["schema"]).well().stdout).unwrap();
    assert!(schema["properties"]["component"].is_object(), "{schema}");
    for shell in ["bash", "zsh", "fish"] {
        assert!(wharf().run(["completions", shell]).well().stdout.contains("wharf"), "{shell}");
    }
    assert!(wharf().run(["--version"]).well().stdout.starts_with("wharf "));
    assert!(wharf().run(["--help"]).well().stdout.contains("Serve an app from a manifest"));
}

#[test]
fn a_reader_that_has_enough_is_no_failure() {
    let file = guest("calculator").display().to_string();
    let shells = ["bash", "elvish", "fish", "powershell", "zsh"].map(|shell| vec!["completions", shell]);
    let others = [
        vec!["inspect", &file],
        vec!["inspect", &file, "--wit"],
        vec!["inspect", &file, "--json"],
        vec!["call", &file, "add(1, 2)"],
        vec!["schema"],
        vec!["explain"],
        vec!["explain", "30"],
        vec!["reference", "cli"],
        vec!["--help"],
    ];
    for args in shells.iter().chain(&others) {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let ended = wharf().command().args(args).stdout(writer).stderr(Stdio::piped()).output().unwrap();
        assert_eq!((ended.status.code(), String::from_utf8_lossy(&ended.stderr).as_ref()), (Some(0), ""), "{args:?}");
    }
    // A mistake is one also when nobody reads what it is.
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let status = wharf().command().args(["explain", "WHARF-9999"]).stderr(writer).status().unwrap();
    assert_eq!(status.code(), Some(2));
}

#[test]
fn what_could_not_be_written_is_a_failure() {
    let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
    let ended = wharf().command().arg("schema").stdout(full).stderr(Stdio::piped()).output().unwrap();
    let said = String::from_utf8_lossy(&ended.stderr);
    assert!(ended.status.code() == Some(1) && said.contains("cannot write to stdout"), "{said}");
}
