//! Files that are not what they should be: each is named, with what to do, before anything is served.

use crate::support::wharf;
use std::os::unix::fs::PermissionsExt;
use wharf_testkit::{App, guest, service};

#[test]
fn what_is_no_component_is_refused_with_the_reason() {
    let app = App::empty();
    let hello = std::fs::read(guest("hello")).unwrap();
    let text = app.write("text.wasm", "plain words");
    let empty = app.write("empty.wasm", "");
    let noise = app.write("noise.wasm", [&b"\0asm\x0d\0\x01\0"[..], &[0xa5; 500]].concat());
    let future = app.write("future.wasm", b"\0asm\xff\0\x01\0");
    for (file, code, said) in [
        (text, "WHARF-0002", "not a WebAssembly binary: this is text"),
        (empty, "WHARF-0002", "the file is empty"),
        (noise, "WHARF-0002", "noise.wasm"),
        (future, "WHARF-0002", "future.wasm"),
        (guest("module"), "WHARF-0003", "this is a core module, not a component: build "),
        (guest("args-p1"), "WHARF-0003", "this is a core module"),
        (guest("empty-component"), "WHARF-0003", "exports neither wasi:http/handler nor wasi:http/incoming-handler"),
        (guest("calculator"), "WHARF-0003", "exports functions and no HTTP handler; call them with `wharf call`"),
        (guest("args"), "WHARF-0003", "run it with `wharf run`"),
        (guest("unknown-import"), "WHARF-0004", "acme:missing/thing@1.0.0: not an interface of this host"),
        (
            guest("big-initial-memory"),
            "WHARF-0005",
            "the component needs 4 GiB of memory to start, its limit is 128 MiB",
        ),
    ] {
        wharf().up(&file).fail().badly(2, &[code, said]);
    }
    // Wherever a download breaks off.
    for part in [1, 7, 9, 100, hello.len() / 2, hello.len() - 1] {
        let cut = app.write("cut.wasm", &hello[..part]);
        wharf().up(&cut).fail().badly(2, &["WHARF-0002", "cut.wasm"]);
    }
}

#[test]
fn a_path_that_leads_nowhere_is_refused_with_a_hint() {
    let app = App::empty();
    let missing = app.path("missing.wasm");
    wharf().up(&missing).fail().badly(2, &["cannot open", "missing.wasm", "hint: give a folder with a wharf.toml"]);
    wharf().up(app.folder()).fail().badly(2, &["there is no wharf.toml in", "hint: give the folder of an app"]);
    let app = App::new(
        "name = \"x\"\n[component.a]\nsource = \"no/such.wasm\"\n[[trigger.http]]\nroute = \"/\"\ncomponent = \"a\"\n",
    );
    wharf()
        .up(app.folder())
        .fail()
        .badly(2, &["WHARF-0001", "no/such.wasm", "wharf.toml:3:10", "build the component first"]);
    let folder = app.path("folder.wasm");
    std::fs::create_dir(&folder).unwrap();
    app.change(
        "name = \"x\"\n[component.a]\nsource = \"folder.wasm\"\n[[trigger.http]]\nroute = \"/\"\ncomponent = \"a\"\n",
    );
    wharf().up(app.folder()).fail().badly(2, &["WHARF-0001", "folder.wasm"]);
}

#[test]
fn a_file_that_may_not_be_read_is_named() {
    let app = App::empty();
    let file = app.copy_guest("hello", "secret.wasm");
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o000)).unwrap();
    if std::fs::read(&file).is_ok() {
        // The superuser reads everything; a file of the kernel that nobody can read does the same.
        let ended = wharf().up("/proc/self/mem").fail();
        return drop(ended.badly(2, &["WHARF-0001", "/proc/self/mem"]));
    }
    wharf().up(&file).fail().badly(2, &["WHARF-0001", "secret.wasm", "Permission denied"]);
}

#[test]
fn all_mistakes_of_a_manifest_are_reported_at_once_with_their_places() {
    let app = App::new(
        "name = \"Bad Name\"\n\
         [component.a]\n\
         source = \"a.wasm\"\n\
         limtis = {}\n\
         [component.a.limits]\n\
         memory = \"1 potato\"\n\
         [[trigger.http]]\n\
         route = \"users\"\n\
         component = \"b\"\n\
         methods = [\"get\"]\n",
    );
    let ended = wharf().up(app.folder()).fail();
    for (code, place) in [
        ("WHARF-0104", "wharf.toml:1:8"),
        ("WHARF-0103", "wharf.toml:4:1"),
        ("WHARF-0106", "wharf.toml:6:10"),
        ("WHARF-0109", "wharf.toml:8:10"),
        ("WHARF-0108", "wharf.toml:9:13"),
        ("WHARF-0111", "wharf.toml:10:12"),
    ] {
        ended.clone().badly(2, &[code, place]);
    }
    ended.clone().badly(2, &["did you mean `limits`?", "memory = \"1 potato\"\n", "wharf.toml: 6 errors"]);
    assert_eq!(ended.stderr.matches("^^").count().min(6), 6, "{ended}");
    assert!(!ended.stderr.contains('\u{1b}'), "colours outside a terminal: {ended}");
}

#[test]
fn a_manifest_that_is_no_toml_shows_where_reading_stopped() {
    let app = App::new("name = \"x\"\n[component.a\nsource = 1\n");
    wharf().up(app.folder()).fail().badly(2, &["WHARF-0100", "wharf.toml:2:", "[component.a", "^"]);
    app.write("wharf.toml", b"name = \"\xff\xfe\"");
    wharf().up(app.folder()).fail().badly(2, &["cannot read"]);
    app.write("wharf.toml", "");
    wharf().up(app.folder()).fail().badly(2, &["name"]);
}

#[test]
fn all_components_that_cannot_be_loaded_are_reported_at_once() {
    let parts = service("one", "module", "") + &service("two", "unknown-import", "") + &service("three", "args", "");
    let app = App::new(&format!("name = \"x\"\n{parts}"));
    let ended = wharf().up(app.folder()).fail();
    ended.badly(
        2,
        &["WHARF-0003", "component one", "WHARF-0004", "component two", "acme:missing/thing", "component three"],
    );
}

#[test]
fn a_granted_folder_that_is_not_there_is_reported_at_the_start() {
    let app = App::new(&format!(
        "name = \"x\"\n{}",
        service("a", "hello", "[component.a.grants]\nfiles = [\".::/app\", \"no-such-folder::/data\"]")
    ));
    let ended = wharf().up(app.folder()).fail();
    // The place is that of the entry and not of its component, nor of the entry before it.
    ended.badly(2, &["WHARF-0006", "no-such-folder", "component a", "wharf.toml:5:21", "^^^^^^^^^^^^^^^^^^^^^^^"]);
}

#[test]
fn a_state_folder_has_one_process_at_a_time() {
    let state = tempfile::TempDir::new().unwrap();
    let server = wharf().up(guest("hello")).state(state.path()).start();
    let path = state.path().display().to_string();
    let ended = wharf().up(guest("hello")).state(state.path()).fail();
    ended.badly(2, &["WHARF-0013", "another process uses the state folder", &path, "--state"]);
    assert_eq!(server.get("x", "/").text(), "hello\n");
    drop(server);
    // A process that was killed leaves nothing that holds the next one up.
    let server = wharf().up(guest("hello")).state(state.path()).start();
    assert_eq!(server.get("x", "/").text(), "hello\n");
    wharf()
        .up(guest("hello"))
        .state(std::path::Path::new("/proc/no/state"))
        .fail()
        .badly(2, &["WHARF-0014", "/proc/no/state"]);
}

#[test]
fn a_port_in_use_is_reported() {
    let server = wharf().up(guest("hello")).start();
    let taken = server.address.to_string();
    let ended = wharf().run(
        ["up", &guest("hello").display().to_string(), "--listen", &taken, "--state"]
            .map(str::to_owned)
            .into_iter()
            .chain([tempfile::TempDir::new().unwrap().path().display().to_string()]),
    );
    ended.badly(2, &["WHARF-0011", &taken, "in use", "--listen 127.0.0.1:0"]);
    assert_eq!(server.get("x", "/").text(), "hello\n");
}

#[test]
fn flags_that_make_no_sense_are_refused() {
    for (flags, said) in [
        ("--state", "--state"),
        ("--cores 0", "--cores"),
        ("--env NOVALUE", "NAME=VALUE"),
        ("--dir ::/x", "--dir"),
        ("--allow-net nonsense:port:x", "--allow-net"),
        ("--trust-proxy here", "--trust-proxy"),
        ("--no-such-flag", "--no-such-flag"),
    ] {
        wharf().up(guest("hello")).with(flags).fail().badly(2, &[said]);
    }
}
