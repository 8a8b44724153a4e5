//! `wharf doctor`: what it finds on machines that have and lack things, and what `--fix` runs. The machines are folders of small programs.

use crate::support::wharf;
use std::os::unix::fs::PermissionsExt as _;
use wharf_testkit::{App, Program};

const RUST: &str = "name = \"shop\"\n[component.api]\nsource = \"api.wasm\"\n\
    [component.api.build]\ncommand = \"cargo build --release --target wasm32-wasip2\"\n";

/// A folder with an app in `app`, and with programs in `bin` that are all that the search path has beside the system's own.
struct Machine(App);

impl Machine {
    fn new(manifest: &str) -> Self {
        let app = App::empty();
        for folder in ["app", "bin"] {
            std::fs::create_dir(app.path(folder)).unwrap();
        }
        app.write("app/wharf.toml", manifest);
        // What the programs below are made of.
        for program in ["sh", "mkdir", "dirname"] {
            let found = ["/bin", "/usr/bin"].map(|folder| std::path::Path::new(folder).join(program));
            let found = found.iter().find(|path| path.exists()).unwrap();
            std::os::unix::fs::symlink(found, app.path(&format!("bin/{program}"))).unwrap();
        }
        Self(app)
    }

    fn program(&self, name: &str, script: &str) {
        let path = self.0.write(&format!("bin/{name}"), format!("#!/bin/sh\n{script}\n"));
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
    }

    fn wharf(&self) -> Program {
        wharf().env("PATH", &self.0.path("bin").display().to_string())
    }

    fn doctor(&self, args: &[&str]) -> (Option<i32>, serde_json::Value) {
        let app = self.0.path("app").display().to_string();
        let ended = self.wharf().run(["doctor", &app, "--json"].iter().chain(args));
        (ended.code, serde_json::from_str(&ended.stdout).unwrap_or_else(|error| panic!("{error}: {ended}")))
    }
}

fn of<'c>(checks: &'c serde_json::Value, name: &str) -> &'c serde_json::Value {
    checks
        .as_array()
        .unwrap()
        .iter()
        .find(|check| check["name"] == name)
        .unwrap_or_else(|| panic!("no {name}: {checks:#}"))
}

#[test]
fn the_machine_itself_is_looked_at() {
    let ended = wharf().run(["doctor", "--json"]).well();
    let checks: serde_json::Value = serde_json::from_str(&ended.stdout).unwrap();
    assert_eq!(of(&checks, "engine")["state"], "ok", "{checks:#}");
    assert_eq!(of(&checks, "clock")["state"], "ok");
    for name in ["state", "port", "open files", "swap", "cargo", "go", "clang"] {
        of(&checks, name);
    }
    let text = wharf().run(["doctor"]).well().stdout;
    assert!(text.contains("engine") && text.contains("ready"), "{text}");
}

#[test]
fn what_an_app_lacks_is_named_with_what_installs_it() {
    let machine = Machine::new(RUST);
    let (code, checks) = machine.doctor(&[]);
    assert_eq!(code, Some(1));
    assert_eq!(of(&checks, "cargo")["state"], "bad");
    assert!(checks.as_array().unwrap().iter().all(|check| check["name"] != "go"), "{checks:#}");

    machine.program("cargo", "echo cargo 1.60.0");
    machine.program("rustup", "echo rustup 1.29.0");
    let (_, checks) = machine.doctor(&[]);
    let cargo = of(&checks, "cargo");
    assert!(cargo["state"] == "bad" && cargo["found"].as_str().unwrap().contains("1.60.0 is older than"), "{cargo}");
    assert_eq!(of(&checks, "wasm32-wasip2")["command"], "rustup target add wasm32-wasip2");
}

#[test]
fn a_fix_installs_what_is_the_users_and_looks_again() {
    let machine = Machine::new(RUST);
    machine.program("cargo", "echo cargo 1.95.0");
    machine.program("rustc", "echo \"$(dirname \"$0\")/../lib-$4\"");
    machine.program(
        "rustup",
        "if [ \"$1\" = target ]; then mkdir \"$(dirname \"$0\")/../lib-$3\"; fi; echo rustup 1.29.0",
    );
    assert_eq!(machine.doctor(&[]).0, Some(1));
    let app = machine.0.path("app").display().to_string();
    let fixed = machine.wharf().run(["doctor", &app, "--fix"]).well();
    assert!(fixed.stderr.contains("+ rustup target add wasm32-wasip2"), "{fixed}");
    assert!(fixed.stdout.contains("ready"), "{fixed}");
    assert_eq!(machine.doctor(&[]).0, Some(0));
}

#[test]
fn a_fix_that_fails_says_so_and_the_thing_stays_missing() {
    let machine = Machine::new(RUST);
    machine.program("cargo", "echo cargo 1.95.0");
    machine.program("rustup", "if [ \"$1\" = target ]; then exit 7; fi; echo rustup 1.29.0");
    let app = machine.0.path("app").display().to_string();
    let fixed = machine.wharf().run(["doctor", &app, "--fix"]);
    assert_eq!(fixed.code, Some(1), "{fixed}");
    assert!(fixed.stderr.contains("`rustup target add wasm32-wasip2` failed"), "{fixed}");
    assert!(fixed.stdout.contains("missing"), "{fixed}");
}

#[test]
fn what_a_project_brings_itself_is_no_fault_and_a_compiler_is() {
    let machine = Machine::new(&RUST.replace("cargo build --release --target wasm32-wasip2", "sh build.sh"));
    machine.0.write("app/app.py", "");
    machine.program("python3", "echo Python 3.12.1");
    let (code, checks) = machine.doctor(&[]);
    assert_eq!((code, &of(&checks, "componentize-py")["state"]), (Some(0), &"note".into()), "{checks:#}");
    machine.0.write("app/go.mod", "module a");
    let (code, checks) = machine.doctor(&[]);
    assert_eq!((code, &of(&checks, "go")["state"]), (Some(1), &"bad".into()), "{checks:#}");
    let (_, checks) = machine.doctor(&["--lang", "c"]);
    assert_eq!(of(&checks, "clang")["state"], "bad");
}

#[test]
fn a_fix_of_everything_is_not_guessed() {
    let folder = App::empty();
    let path = folder.folder().display().to_string();
    wharf().run(["doctor", &path, "--fix"]).badly(2, &["there is no wharf.toml", "--lang"]);
    wharf().run(["doctor", "--lang", "cobol"]).badly(2, &["cobol", "rust, js, ts, python, go and c"]);
    folder.write("wharf.toml", "name = 1");
    wharf().run(["doctor", &path]).badly(2, &["WHARF-01"]);
}
