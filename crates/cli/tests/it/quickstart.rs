//! The quick start of every language, as a newcomer does it: a new app is built, passes its own tests,
//! serves, and answers otherwise after a change of one line.
//!
//! Packages and compiled dependencies are shared by all tests; what is built is built by the commands of the templates.

use crate::support::{wharf, wharf_with_tools};
use std::path::PathBuf;
use std::process::Output;
use std::time::Duration;
use wharf_testkit::{App, Server, tools, within};

/// How long one step may take: an interpreter is compiled for half a minute, and longer where others are too.
const STEP: Duration = Duration::from_secs(300);

/// A new app of a template.
struct Project {
    app: App,
    template: &'static str,
}

impl Project {
    /// Begins it; nothing, after telling so, where a tool of the language is missing.
    fn new(template: &'static str, needs: &[&str]) -> Option<Self> {
        if !tools::are_there(needs) {
            return None;
        }
        let app = App::empty();
        wharf_with_tools().run_in(app.folder(), ["new", "my-app", "--template", template]).well();
        tools::share(&app.path("my-app"));
        Some(Self { app, template })
    }

    fn folder(&self) -> PathBuf {
        self.app.path("my-app")
    }

    /// Runs the program in the project's folder, however long it takes.
    fn wharf(&self, args: &[&str]) -> Output {
        let output = wharf_with_tools().command().args(args).current_dir(self.folder()).output();
        output.unwrap_or_else(|error| panic!("{}: {args:?}: {error}", self.template))
    }

    /// Runs the program, which has to succeed, and returns what it printed.
    #[track_caller]
    fn says(&self, args: &[&str]) -> String {
        let output = self.wharf(args);
        let (stdout, stderr) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "{}: {args:?}: {}\n{stdout}\n{stderr}", self.template, output.status);
        stdout.into_owned()
    }

    /// Changes the one line that says hello.
    fn change(&self, file: &str) {
        let place = format!("my-app/{file}");
        let text = std::fs::read_to_string(self.app.path(&place)).unwrap();
        assert_eq!(text.matches("Hello from").count(), 1, "{}: {text}", self.template);
        self.app.write(&place, text.replace("Hello from", "Goodbye from"));
    }

    /// Waits until it serves, and its first answer is this.
    fn serves(&self, text: &str) -> Server {
        let server = wharf_with_tools().up(self.folder()).with("--no-build --watch --dev").patience(STEP).start();
        let answer = server.get("x", "/");
        assert_eq!((answer.status(), answer.text().as_str()), (200, text), "{}: {}", self.template, server.log());
        server
    }
}

/// A new app builds and answers; after a change of `file` and another build the same server answers otherwise.
fn http(template: &'static str, needs: &[&str], language: &str, file: &str) {
    let Some(project) = Project::new(template, needs) else { return };
    project.says(&["build"]);
    project.says(&["test"]);
    let server = project.serves(&format!("Hello from {language}!\n"));
    project.change(file);
    project.says(&["build"]);
    let changed = format!("Goodbye from {language}!\n");
    within(STEP, "the changed answer", || (server.get("x", "/").text() == changed).then_some(()));
}

/// A new command builds, and says hello to whom it is told.
fn command(template: &'static str, needs: &[&str], language: &str, component: &str) {
    let Some(project) = Project::new(template, needs) else { return };
    project.says(&["build"]);
    project.says(&["test"]);
    assert_eq!(project.says(&["run", component]), format!("Hello from {language}!\n"));
    assert_eq!(project.says(&["run", component, "world"]), "Hello from world!\n");
}

/// A new library builds, and its interface can be called; after a change it returns something else.
fn library(template: &'static str, needs: &[&str], language: &str, component: &str, file: &str) {
    let Some(project) = Project::new(template, needs) else { return };
    let call = ["call", component, "greet(\"world\")"];
    project.says(&["build"]);
    project.says(&["test"]);
    assert_eq!(project.says(&call), format!("\"Hello from {language}, world!\"\n"));
    project.change(file);
    project.says(&["build"]);
    assert_eq!(project.says(&call), format!("\"Goodbye from {language}, world!\"\n"));
}

#[test]
fn rust_http() {
    http("rust-http", &["cargo"], "Rust", "src/lib.rs");
}

#[test]
fn rust_http_of_wasi_0_3() {
    http("rust-http-p3", &["cargo"], "Rust", "src/lib.rs");
}

#[test]
fn rust_command() {
    command("rust-command", &["cargo"], "Rust", "target/wasm32-wasip2/release/my-app.wasm");
}

#[test]
fn rust_library() {
    library("rust-library", &["cargo"], "Rust", "target/wasm32-wasip2/release/my_app.wasm", "src/lib.rs");
}

#[test]
fn javascript_http_on_quickjs() {
    http("js-http", &["node", "jco"], "JavaScript", "app.js");
}

#[test]
fn javascript_http_on_starlingmonkey() {
    http("js-http-web", &["node", "jco"], "JavaScript", "app.js");
}

#[test]
fn typescript_http() {
    http("ts-http", &["node", "jco"], "TypeScript", "app.ts");
}

#[test]
fn typescript_command() {
    command("ts-command", &["node", "jco"], "TypeScript", "my-app.wasm");
}

#[test]
fn typescript_library() {
    library("ts-library", &["node", "jco"], "TypeScript", "my-app.wasm", "library.ts");
}

#[test]
fn python_http() {
    http("python-http", &["componentize-py"], "Python", "app.py");
}

#[test]
fn python_http_of_wasi_0_3() {
    http("python-http-p3", &["componentize-py"], "Python", "app.py");
}

#[test]
fn python_command() {
    command("python-command", &["componentize-py"], "Python", "my-app.wasm");
}

#[test]
fn python_library() {
    library("python-library", &["componentize-py"], "Python", "my-app.wasm", "app.py");
}

#[test]
fn go_http() {
    http("go-http", &["go"], "Go", "export_wasi_http_incoming_handler/handler.go");
}

#[test]
fn c_http() {
    http("c-http", &["clang-19"], "C", "app.c");
}

#[test]
fn c_http_of_wasi_0_3() {
    http("c-http-p3", &["clang-19"], "C", "app.c");
}

#[test]
fn an_added_component_builds_and_answers_beside_the_first() {
    let Some(project) = Project::new("c-http", &["clang-19"]) else { return };
    project.says(&["add", "api", "--template", "c-http-p3"]);
    project.says(&["add", "shop", "--template", "rust-http"]);
    tools::share(&project.folder().join("shop"));
    project.says(&["build"]);
    project.says(&["test"]);
    let server = project.serves("Hello from C!\n");
    assert_eq!(server.get("x", "/api/").text(), "Hello from C!\n");
    assert_eq!(server.get("x", "/shop/").text(), "Hello from Rust!\n");
}

#[test]
fn every_template_has_a_quick_start() {
    let text = include_str!("quickstart.rs");
    let json = wharf().run(["new", "--list", "--json"]).well().stdout;
    let list: serde_json::Value = serde_json::from_str(&json).unwrap();
    for template in list.as_array().unwrap() {
        assert!(text.contains(&format!("(\"{}\", ", template["name"].as_str().unwrap())), "{template}");
    }
}
