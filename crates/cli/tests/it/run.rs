//! `wharf run`: arguments, environment, folders, standard input, exit codes, for all three kinds of programs.

use crate::support::wharf;
use wharf_testkit::{App, Ended, guest};

fn run(name: &str, flags: &[&str], args: &[&str]) -> Ended {
    let file = guest(name).display().to_string();
    wharf().run_with_input([&["run"], flags, &[&file], args].concat(), b"first\nsecond\n")
}

#[test]
fn a_program_sees_what_it_was_given_and_nothing_else() {
    for name in ["args", "args-p1", "args-p3"] {
        let ended = run(name, &["--env", "WHO=me", "--env", "EMPTY="], &["one", "-x", "--three=3"]).well();
        let expected = format!(
            "arg: {name}.wasm\narg: one\narg: -x\narg: --three=3\nenv: WHO=me\nenv: EMPTY=\nstdin: first\nstdin: second\n"
        );
        assert_eq!(ended.stdout, expected, "{ended}");
        assert_eq!(ended.stderr, "");
    }
}

#[test]
fn the_exit_code_is_the_programs() {
    for (name, args, code) in [
        ("args", &["--exit", "0"][..], 0),
        // WASI 0.2 knows success and failure, no numbers.
        ("args", &["--exit", "3"], 1),
        ("args-p1", &["--exit", "3"], 3),
        ("args-p1", &["--exit", "0"], 0),
        ("args-p3", &["--exit", "7"], 7),
        ("args-p3", &["--fail"], 1),
        ("args-p3", &[], 0),
    ] {
        let ended = run(name, &[], args);
        assert_eq!(ended.code, Some(code), "{name} {args:?}: {ended}");
    }
}

#[test]
fn a_trap_shows_what_happened_and_where() {
    for name in ["args", "args-p1"] {
        let ended = run(name, &[], &["--panic"]);
        ended.badly(1, &["asked to", "WHARF-0030", "wasm backtrace", "unreachable"]);
    }
}

#[test]
fn a_folder_is_there_when_it_is_granted_and_closed_when_it_is_read_only() {
    let app = App::empty();
    app.write("note.txt", "hello");
    let folder = app.folder().display().to_string();
    for name in ["args", "args-p1"] {
        run(name, &[], &["--read", "/data/note.txt"]).badly(1, &["/data/note.txt"]);
        let writable = format!("{folder}::/data");
        let ended =
            run(name, &["--dir", &writable], &["--read", "/data/note.txt", "--write", "/data/new.txt", name]).well();
        assert!(ended.stdout.contains("read: hello"), "{ended}");
        assert_eq!(std::fs::read_to_string(app.path("new.txt")).unwrap(), name);
        let read_only = format!("{folder}::/data:ro");
        let ended =
            run(name, &["--dir", &read_only], &["--read", "/data/note.txt", "--write", "/data/new.txt", "changed"]);
        assert!(ended.stdout.contains("read: hello"), "{ended}");
        ended.badly(1, &["/data/new.txt"]);
        assert_eq!(std::fs::read_to_string(app.path("new.txt")).unwrap(), name);
        // By its own name, and nothing above it.
        run(name, &["--dir", &folder], &["--read", &format!("{folder}/note.txt")]).well();
        run(name, &["--dir", &writable], &["--read", "/data/../etc/passwd"]).badly(1, &["passwd"]);
        let link = app.path("link");
        let _ = std::fs::remove_file(&link);
        std::os::unix::fs::symlink("/etc/passwd", &link).unwrap();
        run(name, &["--dir", &writable], &["--read", "/data/link"]).badly(1, &["/data/link"]);
    }
}

#[test]
fn what_cannot_be_run_is_refused_with_the_reason() {
    let app = App::empty();
    let text = app.write("text.wasm", "hello").display().to_string();
    for (file, said) in [
        (guest("hello").display().to_string(), "serve it with `wharf up`"),
        (guest("module").display().to_string(), "cannot be run"),
        (guest("calculator").display().to_string(), "exports no wasi:cli/run"),
        (text, "not a WebAssembly binary"),
        (app.path("missing.wasm").display().to_string(), "cannot read"),
    ] {
        wharf().run(["run", &file]).badly(2, &[said]);
    }
}

#[test]
fn a_program_may_use_as_much_memory_as_it_was_given() {
    // The first pages are the program's own: it does not start in less.
    run("args", &["--memory", "64KiB"], &[]).badly(1, &["memory"]);
    run("args", &["--memory", "16MiB"], &[]).well();
    run("args", &["--memory", "lots"], &[]).badly(2, &["--memory"]);
}
