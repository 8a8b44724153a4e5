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

/// What a user without anything in the cache is told, or none if it went well.
fn build(app: &App, home: &TempDir, flags: &[&str]) -> wharf_testkit::Ended {
    let _ = std::fs::remove_dir_all(home.path().join("cache"));
    user(home.path()).run_in(app.folder(), [&["build"], flags].concat())
}

fn lock(app: &App) -> String {
    std::fs::read_to_string(app.path("wharf.lock")).unwrap_or_default()
}

#[test]
fn a_version_is_what_it_was_when_it_was_fetched_first() {
    let (home, registry) = (TempDir::new().unwrap(), Registry::start());
    registry.push("acme/hello", "1.0.0", &hello());
    let name = format!("{}/acme/hello", registry.host());
    let app = App::new(&manifest(&format!("registry = \"{name}\", version = \"1.0.0\"")));
    build(&app, &home, &["--locked"])
        .badly(1, &["WHARF-0066", &format!("{name}:1.0.0 is in the manifest and not in the lock")]);
    assert_eq!(lock(&app), "");
    // Whoever serves locks it as whoever builds does.
    drop(answers(&app, &home));
    let first = lock(&app);
    assert!(first.contains(&format!("[source.\"{name}:1.0.0\"]\ndigest = \"{}\"", digest(&hello()))), "{first}");
    registry.requests();
    assert!(!answers(&app, &home).log().contains("cannot look up"));
    assert_eq!(registry.requests().len(), 0, "what is locked and kept is looked up");

    // Somebody publishes something else under the same version, and the registry still has what it was.
    let other = std::fs::read(guest("hello-p3")).unwrap();
    registry.push("acme/hello", "1.0.0", &other);
    build(&app, &home, &[]).well();
    build(&app, &home, &["--locked"]).well();
    assert!(lock(&app).starts_with(&first) || lock(&app).contains(&digest(&hello())), "{}", lock(&app));
    let built = lock(&app);
    // Now it has not.
    registry.answer(&format!("/v2/acme/hello/blobs/{}", digest(&hello())), Answer::status(404));
    let (old, new) = (digest(&hello()), digest(&other));
    build(&app, &home, &[]).badly(2, &["WHARF-0213", &old, &new, "wharf.toml:3:", "wharf build --update"]);
    assert_eq!(lock(&app), built);
    let updated = build(&app, &home, &["--update"]).well();
    assert!(updated.stderr.contains(&format!("{name}:1.0.0 is {new}, it was {old}")), "{updated}");
    assert!(lock(&app).contains(&new) && !lock(&app).contains(&old), "{}", lock(&app));
    build(&app, &home, &["--update", "--locked"]).badly(2, &["--locked", "--update"]);
    // Without a network, from the cache.
    build(&app, &home, &[]).well();
    drop(registry);
    drop(answers(&app, &home));
}

#[test]
fn a_dependency_from_a_registry_is_locked_too() {
    let (home, registry) = (TempDir::new().unwrap(), Registry::start());
    let shapes = std::fs::read(guest("shapes")).unwrap();
    registry.push("acme/shapes", "1.0.0", &shapes);
    let source = format!("registry = \"{}/acme/shapes\", version = \"1.0.0\"", registry.host());
    let app = App::new(&format!(
        "name = \"away\"\n[component.web]\nsource = \"@front\"\n\
         [component.web.dependencies]\n\"test:shapes\" = {{ {source} }}\n\
         [[trigger.http]]\nroute = \"/...\"\ncomponent = \"web\"\n"
    ));
    build(&app, &home, &[]).well();
    let locked = format!("[source.\"{}/acme/shapes:1.0.0\"]\ndigest = \"{}\"", registry.host(), digest(&shapes));
    assert!(lock(&app).contains(&locked), "{}", lock(&app));
    drop(registry);
    user(home.path()).run_in(app.folder(), ["build", "--locked"]).well();
}

#[test]
fn with_locked_nothing_is_taken_that_the_lock_does_not_have() {
    let (home, registry) = (TempDir::new().unwrap(), Registry::start());
    registry.push("acme/hello", "1.0.0", &hello());
    registry.push("acme/hello", "2.0.0", &hello());
    let source = |version: &str| format!("registry = \"{}/acme/hello\", version = \"{version}\"", registry.host());
    let app = App::new(&manifest(&source("1.0.0")));
    let run = |args: &[&str]| user(home.path()).run_in(app.folder(), args);
    run(&["up", "--locked"]).badly(1, &["WHARF-0066", "acme/hello:1.0.0 is in the manifest and not in the lock"]);
    assert_eq!(lock(&app), "");
    // Whoever composes fetches and locks as well.
    run(&["compose", "--output", "first"]).well();
    assert_eq!(std::fs::read(app.path("first")).unwrap(), hello());
    assert!(lock(&app).contains("acme/hello:1.0.0\"]"), "{}", lock(&app));
    run(&["build"]).well();
    let locked = lock(&app);

    // The version is another one now, and another machine has nothing in its cache.
    let other = std::fs::read(guest("messaging")).unwrap();
    registry.push("acme/hello", "1.0.0", &other);
    std::fs::remove_dir_all(home.path().join("cache")).unwrap();
    let server = user(home.path()).up(app.folder()).with("--locked").start();
    assert_eq!(server.get("t", "/").text(), "hello\n", "{}", server.log());
    drop(server);
    run(&["compose", "--locked", "--output", "second"]).well();
    assert_eq!(std::fs::read(app.path("second")).unwrap(), hello());

    app.change(&manifest(&source("2.0.0")));
    let texts =
        ["WHARF-0066", "acme/hello:2.0.0 is in the manifest and not", "acme/hello:1.0.0 is in the lock and not"];
    run(&["up", "--locked"]).badly(1, &texts);
    run(&["compose", "--locked", "--output", "third"]).badly(1, &texts);
    assert!(lock(&app) == locked && !app.path("third").exists());
}

#[test]
fn who_serves_reads_the_lock_too() {
    let (home, registry) = (TempDir::new().unwrap(), Registry::start());
    registry.push("acme/hello", "1.0.0", &hello());
    let app = App::new(&manifest(&format!("registry = \"{}/acme/hello\", version = \"1.0.0\"", registry.host())));
    app.write("wharf.lock", "version = 7\n");
    let folder = app.folder().display().to_string();
    user(home.path()).run(["up", &folder]).badly(1, &["WHARF-0065", "remove it"]);
}
