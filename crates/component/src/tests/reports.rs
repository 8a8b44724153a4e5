//! The text for people.

use crate::render_text;
use crate::tests::{facts_of, facts_of_wat};

/// The report without the part on bytes, which changes with the tools that the tests are built with.
fn report(facts: &crate::Facts) -> String {
    let text = render_text(facts);
    let (start, rest) = text.split_once("\nbytes\n").unwrap();
    let end = rest.find("\nmissing here").or_else(|| rest.rfind("\n\n")).unwrap();
    let head = start.split_once('\n').unwrap().1;
    let head: String =
        head.lines().filter(|line| !line.contains("(processed-by)")).map(|line| format!("{line}\n")).collect();
    format!("{head}{}", &rest[end..])
}

#[test]
fn reports_a_service() {
    let facts = facts_of(
        "import wasi:http/outgoing-handler@0.2.12; import wasi:cli/stdout@0.2.6; export wasi:http/incoming-handler@0.2.12;",
    );
    assert_eq!(
        report(&facts),
        r#"world      wasi:http/proxy@0.2.12
memory     0 B at the start, no maximum
debug info none

may ask to
  call other services over HTTP   [needs a grant: http = ["https://api.example.com"]]
    wasi:http/outgoing-handler@0.2.12
  write to the log (stdout, stderr)
    wasi:cli/stdout@0.2.6
  use the types and streams of the above
    wasi:http/types@0.2.12

exports
  wasi:http/incoming-handler@0.2.12   (serve HTTP requests)
    handle: func(request: borrow<fields>)

made with


wharf up   yes serves HTTP requests through wasi:http/incoming-handler@0.2.12
wharf run  no  exports no wasi:cli/run; serve it with `wharf up`
wharf call no  exports no functions of its own
"#
    );
}

#[test]
fn reports_what_is_missing() {
    let facts = facts_of("import wasi:keyvalue/watcher@0.2.0-draft2; export ping: func();");
    let text = report(&facts);
    assert!(text.contains("\nexports\n  ping: func()\n"), "{text}");
    assert!(
        text.contains(
            "\nmissing here\n  wasi:keyvalue/watcher@0.2.0-draft2\n    this version of Wharf does not provide"
        ),
        "{text}"
    );
    assert!(text.contains("\nwharf call no  the import wasi:keyvalue/watcher@0.2.0-draft2 is missing: "), "{text}");
}

#[test]
fn reports_a_module() {
    let text = render_text(&facts_of_wat(
        r#"(module (memory 17 64) (func (export "add") (param i32) unreachable) (data (i32.const 0) "hello"))"#,
    ));
    assert!(text.starts_with("core module, "), "{text}");
    assert!(text.contains("memory     1.1 MiB at the start, at most 4.0 MiB\n"), "{text}");
    assert!(text.contains("\nasks for nothing\n\nexports\n  add: func(i32)\n"), "{text}");
    assert!(text.ends_with("\ncannot be used here: this is a core module, not a component: build for a component target (in Rust `cargo build --target wasm32-wasip2`), or embed a world and run `wasm-tools component new FILE -o OUT.wasm`\n"), "{text}");
}

#[test]
fn sums_up_long_lists() {
    let imports: String = (0..20).map(|index| format!(r#"(import "env" "f{index}" (func))"#)).collect();
    let text = render_text(&facts_of_wat(&format!("(module {imports})")));
    assert!(text.contains("  env.f7\n  and 12 more\n    a symbol that was not found"), "{text}");
}
