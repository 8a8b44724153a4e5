//! `wharf dev`: what is saved is built and put in place; what is wrong is shown; nothing fails meanwhile.

use crate::support::wharf;
use std::path::Path;
use wharf_testkit::{App, Server, guest, until};

/// An app of component `web`, whose sources name the guest that its build copies, and of `other`, which is a file.
fn app() -> App {
    let app = App::empty();
    std::fs::create_dir(app.path("src")).unwrap();
    app.write("src/guest", "hello");
    app.copy_guest("hello", "other.wasm");
    app.write("wharf.toml", manifest("sh build.sh"));
    app.write("build.sh", build_script());
    app
}

fn manifest(command: &str) -> String {
    format!(
        "name = \"shop\"\n[component.web]\nsource = \"web.wasm\"\n\
         build = {{ command = \"{command}\", watch = [\"src/**\"] }}\n\
         [component.other]\nsource = \"other.wasm\"\n\
         [[trigger.http]]\nroute = \"/...\"\ncomponent = \"web\"\n\
         [[trigger.http]]\nroute = \"/other\"\ncomponent = \"other\"\n\
         [[trigger.http]]\nroute = \"/page\"\n\
         static = {{ status = 200, body = \"<h1>page</h1>\", content-type = \"text/html\" }}\n"
    )
}

/// A build that fails for `broken`, never ends for `hang`, and counts itself otherwise.
fn build_script() -> String {
    let folder = guest("hello").parent().unwrap().display().to_string();
    format!(
        "set -e\nname=$(cat src/guest)\n\
         if [ \"$name\" = broken ]; then echo 'src/guest:1: <no> such guest'; exit 1; fi\n\
         if [ \"$name\" = hang ]; then sleep 600; fi\n\
         cp {folder}/$name.wasm next.wasm\nmv next.wasm web.wasm\necho $name >> builds\n"
    )
}

fn builds(app: &App) -> usize {
    std::fs::read_to_string(app.path("builds")).unwrap_or_default().lines().count()
}

/// Waits until the component answers as `expected`; no answer before it may fail.
#[track_caller]
fn becomes(server: &Server, expected: &str) {
    until(&format!("{expected:?}\n{}", server.log()), || {
        let answer = server.get("x", "/ok");
        assert_eq!(answer.status(), 200, "{}\n{}", answer.text(), server.log());
        answer.text() == expected
    });
}

fn start(app: &App) -> Server {
    wharf().dev(app.folder()).start()
}

#[test]
fn what_is_saved_is_built_and_put_in_place_and_the_rest_is_kept() {
    let app = app();
    let server = start(&app);
    // The port is open before the first build is done: the request waits for it.
    assert_eq!(server.get("x", "/ok").text(), "hello\n");
    assert_eq!(builds(&app), 1);
    app.write("src/guest", "misbehave");
    becomes(&server, "ok\n");
    assert_eq!(builds(&app), 2);
    let line = server.logged("in place after 0");
    assert!(server.find_logged(&["in place after", ": web"]).is_some(), "{line}");
    assert!(!server.log().contains(": web, other") || server.log().matches(": web, other").count() == 1);
    assert_eq!(server.get("x", "/other").text(), "hello\n");
    // The same text again asks for nothing.
    app.write("src/guest", "misbehave");
    app.write("src/guest", "hello-p3");
    becomes(&server, "hello\n");
    assert_eq!(builds(&app), 3);
}

#[test]
fn a_failed_build_is_shown_and_the_version_before_goes_on() {
    let app = app();
    app.write("src/guest", "broken");
    let server = start(&app);
    let answer = server.get("x", "/ok");
    assert_eq!(answer.status(), 503, "{}", answer.text());
    assert!(answer.text().contains("such guest") && answer.text().contains("WHARF-0067"), "{}", answer.text());
    let mut browser = server.connect();
    browser.send("GET / HTTP/1.1\r\nhost: x\r\naccept: text/html\r\n\r\n");
    let page = browser.response().unwrap().text();
    assert!(page.contains("&lt;no&gt; such guest") && page.contains("/.wharf/dev/client.js"), "{page}");
    app.write("src/guest", "hello");
    until("the first version", || server.get("x", "/ok").status() == 200);

    let mut events = listen(&server);
    assert!(event(&mut events).contains("\"phase\":\"ready\""));
    app.write("src/guest", "broken");
    until("the failure", || event(&mut events).contains("<no> such guest"));
    becomes(&server, "hello\n");
    server.logged("the version that is there goes on");
    app.write("src/guest", "misbehave");
    until("the version that is not broken", || event(&mut events).contains("\"phase\":\"ready\""));
    assert_eq!(server.get("x", "/ok").text(), "ok\n");
    server.stop();
}

fn listen(server: &Server) -> wharf_testkit::Http1 {
    let mut events = server.connect();
    events.send("GET /.wharf/dev/events HTTP/1.1\r\nhost: x\r\n\r\n");
    let head = events.head().unwrap();
    assert_eq!((head.status, head.header("content-type")), (200, Some("text/event-stream")));
    events
}

fn event(events: &mut wharf_testkit::Http1) -> String {
    String::from_utf8(events.chunk().unwrap()).unwrap()
}

#[test]
fn pages_get_a_script_and_other_answers_do_not() {
    let app = app();
    let server = start(&app);
    let page = server.get("x", "/page").text();
    // With the version that answered, by which it knows that it is out of date.
    let heard = event(&mut listen(&server));
    let version = heard.split("\"version\":").nth(1).and_then(|rest| rest.split([',', '}']).next()).unwrap();
    let script = format!("<script src=\"/.wharf/dev/client.js\" data-version=\"{version}\"></script>");
    assert_eq!(page, format!("<h1>page</h1>\n{script}\n"));
    assert_eq!(server.get("x", "/ok").text(), "hello\n");
    let script = server.get("x", "/.wharf/dev/client.js");
    assert!(script.text().contains("EventSource"), "{}", script.text());
    let plain = wharf().up(app.folder()).start();
    assert_eq!(plain.get("x", "/page").text(), "<h1>page</h1>");
    assert_ne!(plain.get("x", "/.wharf/dev/client.js").text(), script.text());
}

#[test]
fn editors_may_save_as_they_like() {
    let app = app();
    let server = start(&app);
    becomes(&server, "hello\n");
    // Written in place, twice in a moment.
    std::fs::write(app.path("src/guest"), "broken").unwrap();
    std::fs::write(app.path("src/guest"), "misbehave").unwrap();
    becomes(&server, "ok\n");
    // Moved away and another one put in its place.
    std::fs::rename(app.path("src/guest"), app.path("src/guest~")).unwrap();
    std::fs::write(app.path("src/guest"), "hello-p3").unwrap();
    becomes(&server, "hello\n");
    // A thousand files at once, in folders that were not there, and the one that counts.
    for number in 0..1000 {
        let folder = app.path(&format!("src/new{}", number % 10));
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join(number.to_string()), "x").unwrap();
    }
    let before = builds(&app);
    app.write("src/guest", "misbehave");
    becomes(&server, "ok\n");
    assert!(builds(&app) <= before + 10, "{} builds for 1,001 files", builds(&app) - before);
    // In a folder that is watched since it was made.
    let before = builds(&app);
    std::fs::write(app.path("src/new3/later"), "x").unwrap();
    until("the build for it", || builds(&app) > before);
}

#[test]
fn a_newer_change_ends_a_build_that_hangs() {
    let app = app();
    let server = start(&app);
    becomes(&server, "hello\n");
    app.write("src/guest", "hang");
    until("the build to begin", || server.log().matches("building web").count() == 2);
    assert_eq!(server.get("x", "/ok").text(), "hello\n");
    app.write("src/guest", "misbehave");
    becomes(&server, "ok\n");
}

#[test]
fn a_manifest_may_be_broken_and_mended() {
    let app = app();
    let server = start(&app);
    becomes(&server, "hello\n");
    app.write("wharf.toml", "name = \"shop\"\n[component.web\n");
    server.logged("WHARF-0100");
    // What is saved while nobody knows what the app is counts when it is known again.
    app.write("src/guest", "misbehave");
    assert_eq!(server.get("x", "/ok").text(), "hello\n");
    app.write("wharf.toml", manifest("sh build.sh"));
    becomes(&server, "ok\n");
    // Another command makes another component of the same sources.
    let copy = format!("cp {} web.wasm", guest("hello").display());
    app.write("wharf.toml", manifest(&copy));
    becomes(&server, "hello\n");
    app.write("wharf.toml", manifest(&copy).replace("\"/other\"", "\"/else\""));
    until("the new route", || server.get("x", "/else").text() == "hello\n");
}

#[test]
fn a_file_that_nothing_builds_is_put_in_place_when_it_changes() {
    let app = app();
    let server = start(&app);
    assert_eq!(server.get("x", "/other").text(), "hello\n");
    app.copy_guest("misbehave", "other.wasm");
    until("the other component", || {
        server.get("x", "/other").status() != 200 || server.get("x", "/other").text() != "hello\n"
    });
    assert_eq!((server.get("x", "/ok").text(), builds(&app)), ("hello\n".to_owned(), 1));
}

#[test]
fn a_port_that_is_taken_is_said_before_anything_is_built() {
    let app = app();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let ended = wharf().run(["dev", app.folder().to_str().unwrap(), "--listen", &address]);
    ended.badly(2, &["WHARF-0011", &address, "--listen"]);
    assert!(!Path::new(&app.path("web.wasm")).exists());
}

#[test]
fn a_port_that_was_taken_between_two_runs_is_said_and_serves_again_when_it_is_free() {
    let app = app();
    let first = start(&app);
    becomes(&first, "hello\n");
    let address = first.address;
    // Connections that the server closed itself do not keep the next one from the port.
    let mut open = first.connect();
    open.get("x", "/ok").unwrap();
    first.stop();
    let again = || wharf().dev(app.folder()).listen(address);
    let taken = std::net::TcpListener::bind(address).unwrap();
    again().fail().badly(2, &["WHARF-0011", &address.to_string(), "--listen 127.0.0.1:0"]);
    drop(taken);
    let server = again().start();
    assert_eq!(server.address, address);
    becomes(&server, "hello\n");
}

#[test]
fn a_port_for_metrics_or_for_the_debugger_that_is_taken_is_said_and_nothing_is_left_running() {
    let app = app();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let dev = |flags: &str| wharf().dev(app.folder()).with(&format!("{flags} {address}")).fail();
    dev("--admin").badly(2, &["WHARF-0011", &address]);
    dev("--debug=web --debug-listen").badly(2, &[&address, "--debug-listen 127.0.0.1:0"]);
    assert!(!app.path("web.wasm").exists());
}

#[test]
fn components_stay_when_their_neighbours_are_middleware_and_change() {
    let app = App::empty();
    for (guest, file) in
        [("gate", "gate.wasm"), ("stamp", "stamp.wasm"), ("misbehave", "echo.wasm"), ("hello", "other.wasm")]
    {
        app.copy_guest(guest, file);
    }
    let manifest = |middleware: &str, more: &str| {
        let component = |name| format!("[component.{name}]\nsource = \"{name}.wasm\"\n");
        format!(
            "name = \"chain\"\n{}[[trigger.http]]\nroute = \"/...\"\ncomponent = \"echo\"\nmiddleware = [{middleware}]\n\
             [[trigger.http]]\nroute = \"/other\"\ncomponent = \"other\"\n{more}",
            ["gate", "stamp", "echo", "other"].map(component).concat()
        )
    };
    app.write("wharf.toml", manifest("\"gate\"", ""));
    let server = wharf().dev(app.folder()).start();
    let in_place = |components: &str| {
        let line = format!("): {components}");
        until(&format!("{line:?} in\n{}", server.log()), || server.log().lines().any(|known| known.ends_with(&line)));
    };
    in_place("gate, stamp, echo, other");
    let stamped = |server: &Server| {
        let mut connection = server.connect();
        connection.send("GET /ok HTTP/1.1\r\nhost: x\r\nauthorization: me\r\n\r\n");
        let answer = connection.response().unwrap();
        (answer.text(), answer.header("x-stamp").is_some())
    };
    assert_eq!(stamped(&server), ("ok\n".to_owned(), false));
    // What comes after middleware changes, and the middleware stays and passes requests on to what is new.
    app.copy_guest("hello-p3", "echo.wasm");
    in_place("echo");
    assert_eq!(stamped(&server), ("hello\n".to_owned(), false));
    // Middleware changes, and what comes after it stays.
    app.copy_guest("stamp", "gate.wasm");
    in_place("gate");
    assert_eq!(stamped(&server), ("hello\n".to_owned(), true));
    // A component that becomes middleware, or something that serves, is looked at for that.
    app.write("wharf.toml", manifest("\"other\"", ""));
    server.logged("other is middleware and imports no handler");
    app.copy_guest("args", "stamp.wasm");
    in_place("stamp");
    app.write("wharf.toml", manifest("", "[[trigger.http]]\nroute = \"/stamp\"\ncomponent = \"stamp\"\n"));
    server.logged("component stamp:");
    assert_eq!(stamped(&server).0, "hello\n");
}

#[test]
fn the_end_takes_builds_and_pages_with_it() {
    let app = app();
    let server = start(&app);
    becomes(&server, "hello\n");
    let mut events = listen(&server);
    event(&mut events);
    app.write("src/guest", "hang");
    until("the build to begin", || server.log().matches("building web").count() == 2);
    let ended = server.stop();
    assert_eq!(ended.code, Some(0), "{ended}");
}
