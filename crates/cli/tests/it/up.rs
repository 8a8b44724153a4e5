//! Starting and announcing: what is served, where, and what stands in the first line.

use crate::support::{curl, wharf};
use std::path::Path;
use wharf_testkit::{App, guest, service};

/// One app with both worlds: WASI 0.2 and 0.3.
fn both_worlds() -> App {
    App::new(&format!(
        "name = \"both\"\nversion = \"1.2.3\"\n{}{}",
        service("old", "hello", "[component.old.grants]\nenvironment = { COLOUR = \"red\" }"),
        service("new", "hello-p3", "")
    ))
}

#[test]
fn one_listener_serves_both_worlds_of_wasi() {
    let app = both_worlds();
    let server = wharf().up(app.folder()).start();
    for host in ["old", "new"] {
        let answer = server.get(host, "/any/path?and=query");
        assert_eq!((answer.status(), answer.text().as_str()), (200, "hello\n"));
        assert_eq!(answer.header("content-type"), Some("text/plain; charset=utf-8"));
    }
}

#[test]
fn the_start_up_line_of_json_says_all_of_it() {
    let app = both_worlds();
    let server = wharf().up(app.folder()).start();
    let start = &server.start;
    assert_eq!(start["app"], "both");
    assert_eq!(start["version"], "1.2.3");
    assert_eq!(start["pid"], server.pid());
    assert_eq!(start["url"].as_str().unwrap(), format!("http://{}", server.address));
    assert_ne!(server.address.port(), 0);
    assert!(Path::new(start["state"].as_str().unwrap()).join("lock").is_file());
    assert_eq!(start["routes"][0]["target"], "old");
    assert_eq!(start["routes"][1]["route"], "new/...");
    assert_eq!(start["components"][0]["name"], "old");
    assert!(start["components"][0]["serves"].as_str().unwrap().contains("0.2"), "{start}");
    assert!(start["components"][1]["serves"].as_str().unwrap().contains("0.3"), "{start}");
    // The value of a variable is nobody's business.
    assert_eq!(start["components"][0]["grants"][0], "environment COLOUR");
    assert_eq!(start["components"][1]["grants"].as_array().unwrap().len(), 0);
    let ended = server.stop();
    assert_eq!(ended.code, Some(0), "{ended}");
    assert_eq!(ended.stdout.lines().count(), 1, "{ended}");
}

#[test]
fn the_first_line_for_people_starts_with_the_url() {
    let app = both_worlds();
    let text = wharf().up(app.folder()).banner("state in ");
    let first = text.lines().next().unwrap();
    assert!(first.starts_with("http://127.0.0.1:") && first.ends_with(" serves both 1.2.3"), "{text}");
    assert!(text.contains("old/...") && text.contains("→ new"), "{text}");
    assert!(text.contains("may touch: environment COLOUR") && text.contains("may touch: nothing"), "{text}");
    assert!(!text.contains("red"), "{text}");
}

#[test]
fn a_quiet_start_prints_the_url_and_nothing_else() {
    let app = both_worlds();
    let text = wharf().up(app.folder()).with("--quiet").banner("http://");
    assert_eq!(text.lines().count(), 1, "{text}");
    assert!(text.starts_with("http://127.0.0.1:"), "{text}");
}

#[test]
fn a_manifest_a_folder_and_a_bare_component_are_served() {
    let app = both_worlds();
    let bare = app.copy_guest("hello", "My Hello.wasm");
    for (path, name) in [(app.path("wharf.toml"), "both"), (app.folder().to_owned(), "both"), (bare, "my-hello")] {
        let server = wharf().up(&path).start();
        assert_eq!(server.start["app"], name, "{}", path.display());
        assert_eq!(server.get("new", "/").text(), "hello\n");
    }
}

#[test]
fn curl_gets_its_answer() {
    let server = wharf().up(guest("hello-p3")).start();
    assert_eq!(curl(&[&server.url]), ("hello\n".to_owned(), 0));
    assert_eq!(curl(&["--http2-prior-knowledge", &server.url]), ("hello\n".to_owned(), 0));
    let (text, code) = curl(&["--output", "/dev/null", "--write-out", "%{http_code} %{content_type}", &server.url]);
    assert_eq!((text.as_str(), code), ("200 text/plain; charset=utf-8", 0));
}

#[test]
fn a_bare_component_takes_its_grants_from_flags() {
    let app = App::empty();
    app.write("note.txt", "from the host");
    let file = guest("misbehave");
    let server = wharf().up(&file).start();
    assert_eq!(server.get("x", "/env").text(), "");
    assert_eq!(server.get("x", "/file?path=/data/note.txt").status(), 403);
    let flags = format!("--env WHO=me --dir {}::/data:ro --allow-net 127.0.0.1:80", app.folder().display());
    let server = wharf().up(&file).with(&flags).start();
    assert_eq!(server.get("x", "/env").text(), "env: WHO=me\n");
    assert_eq!(server.get("x", "/file?path=/data/note.txt").text(), "from the host");
    assert_eq!(server.get("x", "/file?path=/etc/passwd").status(), 403);
    let grants = server.start["components"][0]["grants"].to_string();
    assert!(
        grants.contains("environment WHO") && grants.contains("(read)") && grants.contains("net 127.0.0.1"),
        "{grants}"
    );
}

#[test]
fn grants_of_flags_and_of_a_manifest_do_not_mix() {
    let app = both_worlds();
    let ended = wharf().up(app.folder()).with("--env A=b").fail();
    ended.badly(2, &["are for a component without a manifest", "[component.NAME.grants]"]);
}

#[test]
fn a_component_sees_nothing_of_the_process_that_serves_it() {
    let app =
        App::new(&format!("name = \"x\"\n{}{}", service("p2", "misbehave", ""), service("p3", "misbehave-p3", "")));
    let server = wharf().up(app.folder()).start();
    for host in ["p2", "p3"] {
        assert_eq!(server.get(host, "/env").text(), "", "{host}");
        for outside in ["/file?path=/etc/passwd", "/connect?addr=127.0.0.1:1", "/resolve?name=localhost"] {
            assert_eq!(server.get(host, outside).status(), 403, "{host}{outside}");
        }
        assert_eq!(server.get(host, "/fetch?url=http://example.com/").status(), 502, "{host}");
    }
    server.logged("WHARF-0021");
}

#[test]
fn builds_of_the_manifest_run_when_a_source_is_missing_or_stale() {
    let manifest = |command: &str| {
        format!(
            "name = \"built\"\n[component.it]\nsource = \"out.wasm\"\n\
             build = {{ command = \"{command}\", watch = [\"*.source\"] }}\n\
             [[trigger.http]]\nroute = \"/...\"\ncomponent = \"it\"\n"
        )
    };
    let good = format!("cp {} out.wasm && echo built >> builds.txt", guest("hello").display());
    let app = App::new(&manifest(&good));
    app.write("a.source", "1");
    let builds = || std::fs::read_to_string(app.path("builds.txt")).unwrap_or_default().lines().count();
    let answers = |flags: &str| wharf().up(app.folder()).with(flags).start().get("x", "/").text();
    assert_eq!((answers(""), builds()), ("hello\n".to_owned(), 1));
    assert_eq!((answers(""), builds()), ("hello\n".to_owned(), 1));
    let later =
        std::fs::metadata(app.path("out.wasm")).unwrap().modified().unwrap() + std::time::Duration::from_secs(5);
    std::fs::File::options().write(true).open(app.path("a.source")).unwrap().set_modified(later).unwrap();
    assert_eq!((answers("--no-build"), builds()), ("hello\n".to_owned(), 1));
    assert_eq!((answers(""), builds()), ("hello\n".to_owned(), 2));

    std::fs::remove_file(app.path("out.wasm")).unwrap();
    app.change(&manifest("echo out of luck >&2; exit 7"));
    wharf().up(app.folder()).fail().badly(1, &["out of luck", "the build of it failed", "exit 7"]);
    app.change(&manifest("true"));
    wharf().up(app.folder()).fail().badly(1, &["wrote no", "out.wasm"]);
}

#[test]
fn a_granted_network_address_can_be_reached() {
    let server = wharf().up(guest("misbehave")).with("--allow-net 127.0.0.1:*").start();
    assert_eq!(server.get("x", &format!("/connect?addr={}", server.address)).text(), "connected\n");
    assert_eq!(server.get("x", "/connect?addr=127.0.0.2:80").status(), 403);
    let server = wharf().up(guest("misbehave")).start();
    assert_eq!(server.get("x", &format!("/connect?addr={}", server.address)).status(), 403);
}
