//! Components that come from a URL or a registry, through `wharf up`.

use crate::support::wharf;
use std::path::Path;
use tempfile::TempDir;
use wharf_testkit::services::registry::{Answer, Door, Registry, digest};
use wharf_testkit::{App, Program, Server, guest};

fn manifest(source: &str) -> String {
    format!(
        "name = \"away\"\n[component.web]\nsource = {{ {source} }}\n[[trigger.http]]\nroute = \"/...\"\ncomponent = \"web\"\n"
    )
}

fn hello() -> Vec<u8> {
    std::fs::read(guest("hello")).unwrap()
}

/// The program of a user without anything in the cache.
fn user(home: &Path) -> Program {
    let path = |name: &str| home.join(name).display().to_string();
    wharf().env("HOME", &path("")).env("XDG_CACHE_HOME", &path("cache")).env("DOCKER_CONFIG", &path("docker"))
}

fn answers(app: &App, home: &TempDir) -> Server {
    let server = user(home.path()).up(app.folder()).start();
    let answer = server.get("t", "/");
    assert_eq!((answer.status(), answer.text().as_str()), (200, "hello\n"), "{}", server.log());
    server
}

#[test]
fn a_component_comes_from_a_url_and_then_from_the_cache() {
    let (home, registry) = (TempDir::new().unwrap(), Registry::start());
    registry.answer("/hello.wasm", Answer::ok(&hello()));
    let url = format!("url = \"http://{}/hello.wasm\", digest = \"{}\"", registry.host(), digest(&hello()));
    let app = App::new(&manifest(&url));
    assert!(answers(&app, &home).log().contains("fetched http://"));
    drop(registry);
    assert!(!answers(&app, &home).log().contains("fetched"));
}

#[test]
fn a_component_comes_from_a_registry_with_a_login() {
    let (home, registry) = (TempDir::new().unwrap(), Registry::start());
    let pushed = registry.push("acme/hello", "1.0.0", &hello());
    registry.set_door(Door::Login("me", "secret"));
    let source = format!("registry = \"{}/acme/hello\"", registry.host());
    let app = App::new(&manifest(&format!("{source}, version = \"1.0.0\"")));
    let folder = app.folder().display().to_string();
    user(home.path())
        .run(["up", &folder, "--listen", "127.0.0.1:0"])
        .badly(2, &["WHARF-0212", "wharf.toml:3:", "docker login"]);
    std::fs::create_dir_all(home.path().join("docker")).unwrap();
    let login = format!(r#"{{"auths": {{"{}": {{"auth": "bWU6c2VjcmV0"}}}}}}"#, registry.host());
    std::fs::write(home.path().join("docker/config.json"), login).unwrap();
    drop(answers(&app, &home));
    app.change(&manifest(&format!("{source}, digest = \"{}\"", pushed.manifest)));
    drop(registry);
    drop(answers(&app, &home));
}

#[test]
fn what_cannot_be_fetched_is_told_at_its_line() {
    let (home, registry) = (TempDir::new().unwrap(), Registry::start());
    registry.answer("/hello.wasm", Answer::ok(b"\0asm something else"));
    let (wanted, found) = (digest(&hello()), digest(b"\0asm something else"));
    let url = format!("url = \"http://{}/hello.wasm\", digest = \"{wanted}\"", registry.host());
    let app = App::new(&manifest(&url));
    let folder = app.folder().display().to_string();
    user(home.path()).run(["up", &folder]).badly(2, &["WHARF-0213", &wanted, &found, "wharf.toml:3:"]);
    app.change(&manifest(&format!("registry = \"{}/nothing\", version = \"1\"", registry.host())));
    user(home.path()).run(["up", &folder]).badly(2, &["WHARF-0211", "nothing:1 does not exist"]);
}

#[test]
fn a_build_checks_and_locks_what_was_fetched() {
    let (home, registry) = (TempDir::new().unwrap(), Registry::start());
    registry.push("acme/hello", "1.0.0", &hello());
    let app = App::new(&manifest(&format!("registry = \"{}/acme/hello\", version = \"1.0.0\"", registry.host())));
    user(home.path()).run_in(app.folder(), ["build"]).well();
    let lock = std::fs::read_to_string(app.path("wharf.lock")).unwrap();
    assert!(lock.contains(&digest(&hello())) && !lock.contains("cache"), "{lock}");
}
