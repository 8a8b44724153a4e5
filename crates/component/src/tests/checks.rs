//! Which imports are missing, and what is said about them.

use crate::name::{Name, track_of};
use crate::tests::{facts_of, facts_of_wat};
use crate::{MissingReason, PROVIDED, Provided, check};

/// The missing imports, each with its help, as lines.
fn missing(world: &str) -> String {
    let missing = check(&facts_of(world), PROVIDED);
    missing.iter().map(|one| format!("{}: {}\n", one.import, one.help)).collect()
}

#[test]
fn finds_the_track_of_a_version_as_the_linker_does() {
    let cases = [
        ("1.0.0", Some("1")),
        ("2.1.2", Some("2")),
        ("2.1.2+abc", Some("2")),
        ("0.1.3", Some("0.1")),
        ("0.2.12", Some("0.2")),
        ("0.0.1", None),
        ("0.3.0-rc-2026-03-15", None),
        ("1.0.0-pre", None),
        ("1.0", None),
        ("a.b.c", None),
        ("", None),
    ];
    for (version, track) in cases {
        assert_eq!(track_of(version), track, "{version}");
    }
}

#[test]
fn splits_names() {
    let name = Name::parse("wasi:http/types@0.2.12").unwrap();
    assert_eq!((name.namespace, name.package, name.interface, name.version), ("wasi", "http", "types", Some("0.2.12")));
    for plain in ["run", "a:b", "unlocked-dep=<a:b/c@1.0.0>", ":/", "a/b", "cm32p2|a:b/c"] {
        assert_eq!(Name::parse(plain), None, "{plain}");
    }
}

#[test]
fn takes_compatible_versions() {
    assert_eq!(missing("import wasi:cli/stdout@0.2.6; import wasi:http/client@0.3.0;"), "");
    assert_eq!(missing("import wasi:http/types@0.2.12; import acme:shop/types@1.2.0;"), "");
}

#[test]
fn says_which_version_to_rebuild_with() {
    let missing = check(&facts_of("import wasi:http/types@0.3.0-rc-2026-03-15;"), PROVIDED);
    assert_eq!(missing.len(), 1);
    assert_eq!(missing[0].reason, MissingReason::Version);
    assert_eq!(missing[0].nearest.as_deref(), Some("wasi:http/types@0.2.12 and @0.3.0"));
    assert_eq!(
        missing[0].help,
        "this host has wasi:http/types@0.2.12 and @0.3.0; the component wants 0.3.0-rc-2026-03-15: rebuild with bindings for 0.3.0"
    );
}

#[test]
fn explains_interfaces_that_nobody_provides() {
    let cases = [
        (
            "import wasi:keyvalue/watcher@0.2.0-draft2;",
            "does not provide the interface to keep key-value state; a later version will",
        ),
        ("import fermyon:spin/sqlite@2.0.0;", "an interface of Spin"),
        ("import wasi:clocks/timezone@0.2.12;", "build without the `clocks-timezone` feature"),
        ("import acme:shop/orders@1.2.0;", "join the component with one that exports acme:shop/orders@1.2.0"),
        ("import get: func() -> u32;", "join the component with one that exports `get`"),
    ];
    for (world, help) in cases {
        let found = missing(world);
        assert!(found.contains(help), "{world}: {found}");
        assert_eq!(found.lines().count(), 1, "{world}: {found}");
    }
}

#[test]
fn takes_dependencies_of_the_manifest() {
    let facts = facts_of("import acme:shop/orders@1.2.0;");
    let newer = [Provided::named("acme:shop/orders@1.4.1")];
    assert_eq!(check(&facts, &newer), []);
    let other = [Provided::named("acme:shop/orders@2.0.0")];
    assert_eq!(check(&facts, &other)[0].reason, MissingReason::Version);
    assert_eq!(Provided::named("get").full_name(), "get");
}

#[test]
fn explains_imports_of_modules() {
    let cases = [
        ("env", "foo", "was not found when linking"),
        ("env", "emscripten_memcpy_js", "Emscripten"),
        ("env", "abort", "AssemblyScript"),
        ("a", "b", "Emscripten"),
        ("__wbindgen_placeholder__", "__wbindgen_throw", "wasm-bindgen"),
        ("wbg", "__wbg_log", "wasm-bindgen"),
        ("gojs", "runtime.wasmExit", "GOOS=wasip1"),
        ("go", "debug", "GOOS=wasip1"),
        ("wasi_unstable", "fd_write", "before preview 1"),
        ("wasix_32v1", "proc_fork", "WASIX"),
        ("wasi_snapshot_preview1", "sock_connect", "not a function of WASI preview 1"),
        ("wasi:cli/stdout@0.2.0", "get-stdout", "wasm-tools component new"),
        ("cm32p2|wasi:cli/stdout@0.2", "get-stdout", "wasm-tools component new"),
        ("host", "log", "core modules can import WASI preview 1 only"),
    ];
    for (module, name, help) in cases {
        let facts = facts_of_wat(&format!(r#"(module (import "{module}" "{name}" (func)) (func (export "_start")))"#));
        let missing = check(&facts, PROVIDED);
        assert_eq!(missing.len(), 1, "{module}.{name}");
        assert_eq!((missing[0].reason, missing[0].import.clone()), (MissingReason::Core, format!("{module}.{name}")));
        assert!(missing[0].help.contains(help), "{module}.{name}: {}", missing[0].help);
    }
    let fine = facts_of_wat(r#"(module (import "wasi_snapshot_preview1" "fd_write" (func)))"#);
    assert_eq!(check(&fine, PROVIDED), []);
}

#[test]
fn decides_what_can_be_done() {
    let yes = |world| {
        let facts = facts_of(world);
        let verdict = facts.verdict(&check(&facts, PROVIDED));
        (verdict.serve.is_ok(), verdict.run.is_ok(), verdict.call.is_ok())
    };
    assert_eq!(yes("export wasi:http/incoming-handler@0.2.12;"), (true, false, false));
    assert_eq!(yes("export wasi:http/handler@0.3.0; export wasi:cli/run@0.2.6;"), (true, true, false));
    assert_eq!(yes("export wasi:cli/run@0.3.2; export ping: func();"), (false, true, true));
    assert_eq!(yes("import acme:shop/orders@1.2.0; export wasi:http/handler@0.3.0;"), (false, false, false));
    let old = facts_of("export wasi:http/handler@0.3.0-rc-2026-03-15;");
    let refused = old.verdict(&[]).serve.unwrap_err();
    assert!(refused.contains("0.3.0-rc-2026-03-15, a version that this host does not serve"), "{refused}");
}

#[test]
fn tells_what_to_do_with_a_core_module() {
    let verdict = |text: &str| {
        let facts = facts_of_wat(text);
        facts.verdict(&check(&facts, PROVIDED))
    };
    let command = verdict(r#"(module (func (export "_start")) (@producers (language "Rust" "")))"#);
    assert_eq!(command.run.unwrap(), "runs as a WASI preview 1 command through _start");
    assert_eq!(
        command.serve.unwrap_err(),
        "this is a core module, not a component: build with `cargo build --target wasm32-wasip2`"
    );
    let browser = verdict(r#"(module (import "wbg" "a" (func)) (import "wbg" "b" (func)) (import "wbg" "c" (func)))"#);
    let refused = browser.run.unwrap_err();
    assert!(refused.starts_with("the import wbg.a is missing: made by wasm-bindgen"), "{refused}");
    assert!(refused.ends_with("(and 2 other imports are missing)"), "{refused}");
}
