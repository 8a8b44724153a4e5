//! Components are compiled in a process of their own, within limits: one that is made to take all of a machine takes nothing of the server.

use crate::support::{neighbourhood, wharf};
use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;
use tempfile::TempDir;
use wharf_runtime::{Cache, CompilerProcess, Lane, LoadError, Runtime, Settings, Source};
use wharf_testkit::{App, guest, service};

/// One function of some millions of instructions: it fits into a small file, and its compiler holds all of it at once.
fn bomb() -> Vec<u8> {
    let mut text = String::from("(component (core module (func (param i64) (result i64)\n");
    for number in 0..700_000 {
        writeln!(text, "(local.set 0 (i64.mul (local.get 0) (i64.const {})))", number | 1).unwrap();
    }
    text.push_str("local.get 0)))");
    wat::parse_str(text).unwrap()
}

fn process(memory_bytes: u64, cpu: Duration) -> CompilerProcess {
    CompilerProcess {
        program: env!("CARGO_BIN_EXE_wharf").into(),
        variables: vec![("MIMALLOC_ARENA_EAGER_COMMIT".into(), "0".into())],
        memory_bytes,
        cpu,
        ..CompilerProcess::itself(["compile-alone"])
    }
}

fn runtime(state: &Path, process: CompilerProcess) -> Runtime {
    let cache = Cache::open(state, u64::MAX).unwrap();
    Runtime::new(Settings { instances: 8, process: Some(process), ..Settings::default() }, Some(cache))
}

fn entries(state: &Path) -> usize {
    let files = std::fs::read_dir(state).unwrap();
    files.filter(|file| file.as_ref().unwrap().path().extension().is_some_and(|end| end == "cwasm")).count()
}

fn refused(process: CompilerProcess) -> String {
    let state = TempDir::new().unwrap();
    let refused = runtime(state.path(), process).load(Source::bare("app", "bomb", &bomb()));
    assert_eq!(entries(state.path()), 0);
    match refused.map(|_| ()) {
        Err(LoadError::Compiler { why }) => why,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_component_that_takes_too_much_memory_is_refused() {
    let why = refused(process(128 << 20, Duration::from_secs(300)));
    assert_eq!(why, "the compiler was stopped: it took more than 128 MiB of memory");
}

#[test]
fn a_component_that_takes_too_long_is_refused() {
    let why = refused(process(4 << 30, Duration::from_secs(1)));
    assert_eq!(why, "the compiler was stopped: it took more than 1 s of processor time");
}

#[test]
fn what_is_compiled_there_is_what_this_process_would_have_compiled() {
    for (name, lane) in [("hello", Lane::Plain), ("hello-p3", Lane::Concurrent)] {
        let state = TempDir::new().unwrap();
        let bytes = std::fs::read(guest(name)).unwrap();
        let source = || Source { lane, ..Source::bare("app", name, &bytes) };
        let alone = runtime(state.path(), process(4 << 30, Duration::from_secs(300)));
        assert!(alone.load(source()).unwrap().compiled.is_some());
        assert_eq!(entries(state.path()), 1);
        // Another process with the same settings takes it from the cache: the two engines are the same to the byte.
        let settings = Settings { instances: 9, ..Settings::default() };
        let here = Runtime::new(settings, Some(Cache::open(state.path(), u64::MAX).unwrap()));
        assert!(here.load(source()).unwrap().compiled.is_none());
    }
}

#[test]
fn what_the_engine_says_of_a_component_arrives() {
    let state = TempDir::new().unwrap();
    let bytes = wat::parse_str(r#"(component (core module (func (result i32) i64.const 1)))"#).unwrap();
    let alone = runtime(state.path(), process(4 << 30, Duration::from_secs(300)));
    let Err(LoadError::Compile(source)) = alone.load(Source::bare("app", "wrong", &bytes)).map(|_| ()) else {
        panic!("it is no component")
    };
    assert!(source.to_string().contains("type mismatch"), "{source}");
}

#[test]
fn without_a_process_it_is_compiled_in_this_one() {
    let state = TempDir::new().unwrap();
    let missing = CompilerProcess { program: "/nowhere/wharf".into(), ..process(1, Duration::ZERO) };
    let bytes = std::fs::read(guest("hello")).unwrap();
    let loaded = runtime(state.path(), missing).load(Source::bare("app", "hello", &bytes));
    assert!(loaded.unwrap().compiled.is_some());
    assert_eq!(entries(state.path()), 1);
}

#[test]
fn a_server_compiles_in_another_process_and_says_so() {
    let (app, state) = (App::new(&neighbourhood(&service("p3", "hello-p3", ""))), TempDir::new().unwrap());
    let server = wharf().up(app.folder()).state(state.path()).with("--verbose").start();
    assert_eq!(server.get("hello", "/").text(), "hello\n");
    let log = server.stop().stderr;
    assert_eq!(log.matches("compiled in a process of its own").count(), 2, "{log}");
}

#[test]
fn the_command_is_not_for_users() {
    let output = wharf().run(["compile-alone", "plain"]);
    assert_eq!(output.code, Some(1));
    assert!(output.stderr.contains("for the program itself"), "{}", output.stderr);
    let help = wharf().run(["--help"]);
    assert!(!help.stdout.contains("compile-alone"), "{}", help.stdout);
}
