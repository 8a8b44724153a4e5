//! What several rooms of these tests use.

use wharf_testkit::{App, Program, Response, Server, service, tools};

/// The program that was just built.
pub(crate) fn wharf() -> Program {
    Program::new(env!("CARGO_BIN_EXE_wharf"))
}

/// The same, in an environment where builds find the tools of their languages.
pub(crate) fn wharf_with_tools() -> Program {
    tools::environment().iter().fold(wharf(), |program, (name, value)| program.env(name, value))
}

/// The folder of an example of one component, with that where its build would put it.
pub(crate) fn example(name: &str, manifest: &str, component: &str) -> App {
    let app = App::empty();
    app.write("wharf.toml", manifest);
    std::fs::create_dir_all(app.path("target/wasm32-wasip2/release")).unwrap();
    app.copy_guest(name, &format!("target/wasm32-wasip2/release/{component}.wasm"));
    app
}

/// Sends a request with a body.
#[track_caller]
pub(crate) fn send(server: &Server, method: &str, path: &str, body: &[u8]) -> Response {
    let mut connection = server.connect();
    connection.send(format!("{method} {path} HTTP/1.1\r\nhost: t\r\ncontent-length: {}\r\n\r\n", body.len()));
    // An answer may come before all of it is sent.
    let _ = connection.try_send(body);
    connection.response().unwrap_or_else(|broken| panic!("{method} {path}: {broken:?}\n{}", server.log()))
}

/// Asserts that the process is the same, alive, and answers for `hello` beside whatever else happened.
#[track_caller]
pub(crate) fn neighbour_answers(server: &mut Server) {
    assert!(server.is_alive(), "the process ended:\n{}", server.log());
    let answer = server.get("hello", "/");
    assert_eq!((answer.status(), answer.text().as_str()), (200, "hello\n"));
}

/// Serves an app in which a guest calls another one, as its own name is, by a link of that kind. Both with limits.
pub(crate) fn linked(link: &str, [caller, dependency]: [&str; 2], [limits, of_dependency]: [&str; 2]) -> Server {
    let manifest = format!(
        "name = \"linked\"\n\
         [component.{caller}]\nsource = \"@{caller}\"\n[component.{caller}.limits]\n{limits}\n\
         [component.{caller}.dependencies]\n\"test:{dependency}\" = {{ component = \"{dependency}\", link = \"{link}\" }}\n\
         [component.{dependency}]\nsource = \"@{dependency}\"\n[component.{dependency}.limits]\n{of_dependency}\n\
         [[trigger.http]]\nroute = \"/...\"\ncomponent = \"{caller}\"\n"
    );
    wharf().up(App::new(&manifest).folder()).start()
}

/// Asserts that a request is answered with 200 and this text.
#[track_caller]
pub(crate) fn answers(server: &Server, path: &str, expected: &str) {
    let answer = server.get("t", path);
    assert_eq!((answer.status(), answer.text().as_str()), (200, expected), "{path}\n{}", server.log());
}

/// Runs `curl` with these arguments and returns what it printed and its exit code.
pub(crate) fn curl(args: &[&str]) -> (String, i32) {
    let output =
        std::process::Command::new("curl").args(["--silent", "--show-error", "--max-time", "90"]).args(args).output();
    let output = output.unwrap();
    let text = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    (text, output.status.code().unwrap_or(-1))
}

/// A manifest with these parts, and `hello` as their neighbour.
pub(crate) fn neighbourhood(parts: &str) -> String {
    format!("name = \"town\"\n{}{parts}", service("hello", "hello", ""))
}

/// An app of the guest as component `bad`, with little of everything, and its neighbour.
pub(crate) fn misbehaving(guest: &str, more: &str) -> App {
    const LIMITS: &str =
        "[component.bad.limits]\nmemory = \"16MiB\"\ncpu = \"200ms\"\nwall = \"2s\"\nresponse-body = \"1MiB\"";
    App::new(&neighbourhood(&service("bad", guest, &format!("{more}\n{LIMITS}"))))
}
