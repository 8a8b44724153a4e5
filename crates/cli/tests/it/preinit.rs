//! `preinit`: components that begin where their initialisation ended, built and served as users do it, in Rust and in C.

use crate::support::{wharf, wharf_with_tools};
use std::time::Duration;
use wharf_testkit::{App, Ended, guest, tools, until};

const BEFORE: &str = "41538 primes, the largest is 499979; made before: 1, now: 0\n";
const NOW: &str = "41538 primes, the largest is 499979; made before: 0, now: 1\n";

/// How long a compiler may take where others are at work too.
const STEP: Duration = Duration::from_secs(300);

/// An app whose build copies the guest that has initialisations of every kind.
fn app(more: &str, limits: &str) -> App {
    let app = App::empty();
    write_manifest(&app, more, limits);
    app
}

fn write_manifest(app: &App, more: &str, limits: &str) {
    app.write(
        "wharf.toml",
        format!(
            "name = \"shop\"\n[component.web]\nsource = \"web.wasm\"\nlimits = {{ cpu = \"30s\"{limits} }}\n\
             build = {{ command = \"cp {} web.wasm\", watch = [\"*.src\"]{more} }}\n\
             [[trigger.http]]\nroute = \"/...\"\ncomponent = \"web\"\n",
            guest("prepared").display()
        ),
    );
}

fn build(app: &App, flags: &str) -> Ended {
    let folder = app.folder().display().to_string();
    wharf().run(["build", folder.as_str()].into_iter().chain(flags.split_whitespace()))
}

#[test]
fn what_was_made_when_it_was_built_is_not_made_again() {
    let app = app(", preinit = true", "");
    let built = build(&app, "").well();
    assert!(built.stderr.contains(", initialised\n"), "{built}");
    let server = wharf().up(app.folder()).start();
    for _ in 0..3 {
        assert_eq!(server.get("x", "/").text(), BEFORE);
    }
    drop(server);
    // The same bytes each time, or `--locked` would say so.
    build(&app, "--force --locked").well();
    let exports = wharf().run(["inspect", &app.path("web.wasm").display().to_string()]).well();
    assert!(!exports.stdout.contains("wharf-initialize"), "{exports}");

    write_manifest(&app, "", "");
    let server = wharf().up(app.folder()).start();
    for _ in 0..2 {
        assert_eq!(server.get("x", "/").text(), NOW);
    }
}

#[test]
fn what_cannot_be_kept_is_refused_with_what_to_do() {
    let fails = |function: &str, limits: &str, texts: &[&str]| {
        let more = format!(", preinit = \"{function}\", timeout = \"2s\"");
        let app = app(&more, limits);
        let what = format!("the initialisation `{function}` of ");
        build(&app, "").badly(1, &[&["WHARF-0068", "component web", &what][..], texts].concat());
        assert!(!app.path("wharf.lock").exists());
    };
    fails("panics", "", &["no table without data", "src/lib.rs", "it trapped", "wasm backtrace"]);
    fails("loops", "", &["did not end within 2 s", "`timeout`"]);
    fails("reads-the-clock", "", &["it called wasi:clocks/wall-clock@0.2", "#now", "when a request comes"]);
    fails("draws-random-numbers", "", &["it called wasi:random/", "when a request comes"]);
    fails("reads-the-environment", "", &["it called wasi:cli/environment@0.2", "when a request comes"]);
    fails("takes-a-number", "", &["has parameters or a result"]);
    fails("takes-memory", ", memory = \"16MiB\"", &["the component's limit is 16 MiB", "`memory`"]);
    fails("initialise", "", &["exports no such function; it exports ", "panics", "export_name", "`preinit`"]);
}

#[test]
fn an_initialisation_is_no_part_of_the_manifest_that_is_ignored() {
    let app = app(", preinit = 3", "");
    build(&app, "").badly(2, &["WHARF-0102", "`preinit`", "`true`, `false` or text"]);
}

#[test]
fn the_loop_of_development_initialises_too() {
    let app = app("", "");
    let server = wharf().dev(app.folder()).start();
    assert_eq!(server.get("x", "/").text(), NOW);
    let becomes = |text: &str| {
        until(&format!("{text}\n{}", server.log()), || {
            let answer = server.get("x", "/");
            assert_eq!(answer.status(), 200, "{}\n{}", answer.text(), server.log());
            answer.text() == text
        });
    };
    write_manifest(&app, ", preinit = true", "");
    becomes(BEFORE);
    write_manifest(&app, ", preinit = \"panics\"", "");
    server.logged("no table without data");
    becomes(BEFORE);
    write_manifest(&app, "", "");
    becomes(NOW);
}

/// A table, and how often it was made before the request.
const C: &str = r#"
static unsigned table[256];
static unsigned made;

__attribute__((constructor)) static void begin(void) { made += 10; }

__attribute__((export_name("wizer-initialize"))) void initialize(void) {
  for (unsigned i = 0; i < 256; i++) {
    unsigned value = i;
    for (int bit = 0; bit < 8; bit++) value = value & 1 ? value >> 1 ^ 0xedb88320u : value >> 1;
    table[i] = value;
  }
  made++;
}
"#;

#[test]
fn a_core_module_of_c_is_initialised_before_it_becomes_a_component() {
    if !tools::are_there(&["clang-19"]) {
        return;
    }
    let app = App::empty();
    wharf_with_tools().run_in(app.folder(), ["new", "my-app", "--template", "c-http"]).well();
    let source = std::fs::read_to_string(app.path("my-app/app.c")).unwrap();
    let source = source.replace("#include \"http.h\"\n", &format!("#include \"http.h\"\n#include <stdio.h>\n{C}"));
    let answer =
        "char text[64]; snprintf(text, sizeof text, \"%u %08x\\n\", made, table[255]); respond(out, 200, text);";
    assert!(source.contains("respond(out, 200, \"Hello from C!\\n\");"), "{source}");
    app.write("my-app/app.c", source.replace("respond(out, 200, \"Hello from C!\\n\");", answer));
    let answers = |text: &str| {
        let server = wharf_with_tools().up(app.path("my-app")).patience(STEP).start();
        for _ in 0..2 {
            assert_eq!(server.get("x", "/").text(), text, "{}", server.log());
        }
    };
    answers("10 00000000\n");
    let manifest = std::fs::read_to_string(app.path("my-app/wharf.toml")).unwrap();
    app.write(
        "my-app/wharf.toml",
        manifest.replace("[component.my-app.build]\n", "[component.my-app.build]\npreinit = true\n"),
    );
    answers("11 2d02ef8d\n");
}
