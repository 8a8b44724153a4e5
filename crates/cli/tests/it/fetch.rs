//! `wharf wit fetch`: packages come from registries into `deps`, and stay what they were.

use crate::support::wharf;
use std::path::Path;
use tempfile::TempDir;
use wharf_testkit::services::registry::{Answer, Registry, digest};
use wharf_testkit::{App, Program};

/// A package in binary form, as registries have it; the first text is the package, the others what it uses.
fn package(text: &str) -> Vec<u8> {
    let mut resolve = wit_parser::Resolve::default();
    let package = resolve.push_str("a.wit", text).unwrap();
    wit_component::encode(&resolve, package).unwrap()
}

const WORLD: &str = "package my:app@0.1.0;\nworld w { import acme:http/types@1.0.0; }\n";
const IO: &str = "package acme:io@2.0.0;\ninterface streams { resource reader { read: func() -> list<u8>; } }\n";
const HTTP: &str = "package acme:http@1.0.0;\ninterface types { use acme:io/streams@2.0.0.{reader}; body: func() -> reader; }\n\
     package acme:io@2.0.0 { interface streams { resource reader { read: func() -> list<u8>; } } }\n";

/// A project, a registry with what it uses, and a user without anything in the cache.
struct Fixture {
    app: App,
    home: TempDir,
    registry: Registry,
}

impl Fixture {
    fn new() -> Self {
        let (app, registry) = (App::empty(), Registry::start());
        std::fs::create_dir_all(app.path("wit")).unwrap();
        app.write("wit/world.wit", WORLD);
        registry.push("wit/acme/http", "1.0.0", &package(HTTP));
        registry.push("wit/acme/io", "2.0.0", &package(IO));
        Self { app, home: TempDir::new().unwrap(), registry }
    }

    fn program(&self) -> Program {
        let path = |name: &str| self.home.path().join(name).display().to_string();
        wharf().env("HOME", &path("")).env("XDG_CACHE_HOME", &path("cache")).env("XDG_CONFIG_HOME", &path("config"))
    }

    fn fetch(&self, more: &[&str]) -> wharf_testkit::Ended {
        let place = format!("acme={}/wit", self.registry.host());
        self.program().run_in(self.app.folder(), [&["wit", "fetch", "--registry", &place], more].concat())
    }

    fn lock(&self) -> String {
        std::fs::read_to_string(self.app.path("wkg.lock")).unwrap()
    }

    fn forget(&self) {
        let _ = std::fs::remove_dir_all(self.app.path("wit/deps"));
    }
}

fn is_there(folder: &Path, name: &str) -> bool {
    folder.join("wit/deps").join(name).join("package.wit").is_file()
}

#[test]
fn packages_are_fetched_with_those_that_they_use() {
    let fixture = Fixture::new();
    let folder = fixture.app.folder();
    assert!(fixture.fetch(&[]).well().stderr.contains("2 packages fetched"));
    assert!(is_there(folder, "acme-http-1.0.0") && is_there(folder, "acme-io-2.0.0"));
    let said = fixture.program().run_in(folder, ["wit", "check"]).well();
    assert!(said.stderr.contains("nothing is wrong"), "{}", said.stderr);
    let lock = fixture.lock();
    for line in ["version = 1", "name = \"acme:http\"", "requirement = \"=1.0.0\"", &digest(&package(HTTP))] {
        assert!(lock.contains(line), "{line:?} is missing in:\n{lock}");
    }
    assert!(fixture.fetch(&[]).well().stderr.contains("nothing is missing"));
}

#[test]
fn the_lock_keeps_the_bytes() {
    let fixture = Fixture::new();
    fixture.fetch(&["--locked"]).badly(2, &["is not in wkg.lock", "without --locked"]);
    fixture.fetch(&[]).well();
    let lock = fixture.lock();
    // From the cache, without any request.
    fixture.forget();
    fixture.registry.requests();
    fixture.fetch(&["--locked", "--offline"]).well();
    assert_eq!((fixture.registry.requests().len(), fixture.lock()), (0, lock));
    // Somebody published something else under the same version.
    let other = package(&IO.replace("list<u8>", "list<u16>"));
    fixture.registry.push("wit/acme/io", "2.0.0", &other);
    fixture.forget();
    std::fs::remove_dir_all(fixture.home.path().join("cache")).unwrap();
    fixture.fetch(&[]).badly(2, &["WHARF-0213", &digest(&package(IO)), &digest(&other), "wkg.lock"]);
    assert!(!is_there(fixture.app.folder(), "acme-io-2.0.0"));
}

#[test]
fn what_cannot_be_fetched_is_told_with_what_can() {
    let fixture = Fixture::new();
    fixture.app.write("wit/world.wit", "package my:app;\nworld w { import acme:io/streams@2.0.9; }\n");
    fixture.fetch(&[]).badly(2, &["WHARF-0211", "acme/io:2.0.9 does not exist", "it has 2.0.0"]);
    fixture.app.write("wit/world.wit", "package my:app;\nworld w { import acme:io/streams; }\n");
    fixture.fetch(&[]).badly(2, &["`acme:io` is used without a version"]);
    fixture.app.write("wit/world.wit", "package my:app;\nworld w { import other:io/streams@1.0.0; }\n");
    fixture.fetch(&[]).badly(2, &["nobody says where the packages of `other` are", "--registry other=HOST/PREFIX"]);
    fixture.app.write("wit/world.wit", "package my:app;\nworld w { import acme:wrong/i@1.0.0; }\n");
    fixture.registry.push("wit/acme/wrong", "1.0.0", &package(IO));
    fixture.fetch(&[]).badly(2, &["WHARF-0205", "is the package acme:io@2.0.0, and not the package acme:wrong@1.0.0"]);
    std::fs::write(fixture.app.path("wkg.lock"), "version = 7\n").unwrap();
    fixture.fetch(&[]).badly(2, &["wkg.lock cannot be used", "its version is 7"]);
}

#[test]
fn a_domain_and_the_settings_of_wkg_say_where_packages_are() {
    let fixture = Fixture::new();
    let host = fixture.registry.host();
    let said = format!(r#"{{"oci": {{"registry": "{host}", "namespacePrefix": "wit/"}}}}"#);
    fixture.registry.answer("/.well-known/wasm-pkg/registry.json", Answer::ok(said.as_bytes()));
    let settings = fixture.home.path().join("config/wkg");
    std::fs::create_dir_all(&settings).unwrap();
    std::fs::write(settings.join("config.toml"), format!("[namespace_registries]\nacme = \"{host}\"\n")).unwrap();
    fixture.program().run_in(fixture.app.folder(), ["wit", "fetch"]).well();
    assert!(is_there(fixture.app.folder(), "acme-io-2.0.0"));
    assert!(fixture.lock().contains(&format!("registry = \"{host}\"")), "{}", fixture.lock());
}
