//! `--watch`: a new version takes the place of the old one while clients ask, and a broken one does not.

use crate::support::wharf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::thread::JoinHandle;
use wharf_testkit::{App, Http1, Server, service, until};

fn app(version: &str, guest: &str) -> String {
    format!(
        "name = \"live\"\nversion = \"{version}\"\n{}[[trigger.http]]\nroute = \"/version\"\nstatic = {{ status = 200, body = \"{version}\" }}\n",
        service("a", guest, "")
    )
}

fn version(server: &Server) -> String {
    server.get("x", "/version").text()
}

/// Clients that ask without a pause, each by one connection.
struct Hammer {
    stop: Arc<AtomicBool>,
    answers: Arc<AtomicUsize>,
    threads: Vec<JoinHandle<Vec<String>>>,
}

impl Hammer {
    fn start(server: &Server) -> Self {
        let (stop, answers) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
        let threads = (0..4).map(|_| {
            let (stop, answers, address) = (Arc::clone(&stop), Arc::clone(&answers), server.address);
            std::thread::spawn(move || {
                let mut client = Http1::connect(address);
                let mut wrong = Vec::new();
                while !stop.load(Relaxed) {
                    match client.get("a", "/ok") {
                        Ok(answer)
                            if answer.status() == 200 && ["hello\n", "ok\n"].contains(&answer.text().as_str()) => {}
                        other => wrong.push(format!("{other:?}")),
                    }
                    if !wrong.is_empty() {
                        break;
                    }
                    answers.fetch_add(1, Relaxed);
                }
                wrong
            })
        });
        let threads = threads.collect();
        Self { stop, answers, threads }
    }

    /// Waits until each client was answered a few more times.
    fn go_on(&self) {
        let goal = self.answers.load(Relaxed) + 200;
        until("the clients to be answered", || self.answers.load(Relaxed) >= goal);
    }

    fn stop(self) -> usize {
        self.stop.store(true, Relaxed);
        let wrong: Vec<_> = self.threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect();
        assert!(wrong.is_empty(), "{wrong:?}");
        self.answers.load(Relaxed)
    }
}

#[test]
fn no_request_fails_while_versions_change() {
    let files = App::new(&app("1.0.0", "hello"));
    let mut server = wharf().up(files.folder()).with("--watch").start();
    let hammer = Hammer::start(&server);
    hammer.go_on();
    for round in 2..12 {
        let (next, guest) = (format!("{round}.0.0"), if round % 2 == 0 { "misbehave-p3" } else { "hello" });
        files.change(&app(&next, guest));
        until("the new version", || version(&server) == next);
        let expected = if round % 2 == 0 { "ok\n" } else { "hello\n" };
        assert_eq!(server.get("a", "/ok").text(), expected);
        hammer.go_on();
    }
    assert!(hammer.stop() > 2000);
    assert!(server.is_alive());
    server.logged("a new version is in place: live 11.0.0");
}

#[test]
fn a_component_that_is_replaced_on_disk_is_put_in_place() {
    let files = App::empty();
    let file = files.copy_guest("hello", "app.wasm");
    let server = wharf().up(&file).with("--watch").start();
    assert_eq!(server.get("x", "/ok").text(), "hello\n");
    files.copy_guest("misbehave", "app.wasm");
    until("the new component", || server.get("x", "/ok").text() == "ok\n");
    // Written in place, as `cp` does.
    std::fs::copy(wharf_testkit::guest("hello-p3"), &file).unwrap();
    until("the next component", || server.get("x", "/ok").text() == "hello\n");
}

#[test]
fn a_broken_version_leaves_the_old_one_and_says_why() {
    let files = App::new(&app("1.0.0", "hello"));
    let component = |source: &str| app("2.0.0", "hello").replace("\"@hello\"", &format!("\"{source}\""));
    let server = wharf().up(files.folder()).with("--watch").start();
    let hammer = Hammer::start(&server);
    files.write("text.wasm", "no component");
    let broken = [
        ("name = \"live\"\nversion = 7\n".to_owned(), "WHARF-0102"),
        ("this is no manifest".to_owned(), "WHARF-0100"),
        (component("missing.wasm"), "WHARF-0001"),
        (component("text.wasm"), "WHARF-0002"),
        (app("2.0.0", "module"), "WHARF-0003"),
        (app("2.0.0", "unknown-import"), "acme:missing/thing@1.0.0"),
    ];
    for (number, (manifest, said)) in broken.into_iter().enumerate() {
        files.change(&manifest);
        until(said, || server.log().matches("the version that is there goes on").count() > number);
        server.logged(said);
        assert_eq!(version(&server), "1.0.0");
        hammer.go_on();
    }
    files.change(&app("3.0.0", "hello-p3"));
    until("the version that is not broken", || version(&server) == "3.0.0");
    hammer.stop();
}

#[test]
fn a_component_that_was_missing_is_noticed_when_it_comes() {
    let files = App::new(&app("1.0.0", "hello"));
    let server = wharf().up(files.folder()).with("--watch").start();
    files.change(&app("2.0.0", "hello").replace("\"@hello\"", "\"later.wasm\""));
    server.logged("the version that is there goes on");
    assert_eq!(version(&server), "1.0.0");
    files.copy_guest("misbehave", "later.wasm");
    until("the version whose component came later", || version(&server) == "2.0.0");
    assert_eq!(server.get("a", "/ok").text(), "ok\n");
}

#[test]
fn a_folder_that_is_removed_and_made_again_is_noticed() {
    let files = App::new(&app("1.0.0", "hello").replace("\"@hello\"", "\"out/deep/app.wasm\""));
    let put = |folder: &str, guest: &str| {
        std::fs::create_dir_all(files.path(folder).join("deep")).unwrap();
        files.copy_guest(guest, &format!("{folder}/deep/app.wasm"));
    };
    let remove = || std::fs::remove_dir_all(files.path("out")).unwrap();
    let moved = |from: &str, to: &str| std::fs::rename(files.path(from), files.path(to)).unwrap();
    put("out", "hello");
    let server = wharf().up(files.folder()).with("--watch").start();
    let becomes = |what: &str, text: &str| until(what, || server.get("a", "/ok").text() == text);
    let noticed = |times| until("the loss to be noticed", || server.log().matches("WHARF-0001").count() >= times);
    for times in 1..4 {
        remove();
        noticed(times);
        put("out", "misbehave");
        becomes("the component that came after a while", "ok\n");
        remove();
        put("out", "hello");
        becomes("the component that came at once", "hello\n");
    }
    put("next", "misbehave");
    moved("out", "old");
    moved("next", "out");
    becomes("the component in the place of the other", "ok\n");
    std::fs::remove_dir_all(files.path("old")).unwrap();
    put("out", "hello");
    becomes("the component that was changed in its place", "hello\n");
}

#[test]
fn an_app_that_is_removed_and_made_again_is_noticed() {
    let around = App::empty();
    let put = |version: &str| {
        std::fs::create_dir(around.path("app")).unwrap();
        let answer = "[[trigger.http]]\nroute = \"/version\"\nstatic = { status = 200, body = ";
        around.write("app/wharf.toml", format!("name = \"live\"\n{answer}\"{version}\" }}\n"));
    };
    put("1.0.0");
    let server = wharf().up(around.path("app")).with("--watch").start();
    for next in ["2.0.0", "3.0.0"] {
        std::fs::remove_dir_all(around.path("app")).unwrap();
        put(next);
        until("the version of the new folder", || version(&server) == next);
    }
}

#[test]
fn a_request_in_flight_finishes_on_what_it_started_with() {
    for guest in ["misbehave", "misbehave-p3"] {
        let files = App::new(&app("1.0.0", guest));
        let server = wharf().up(files.folder()).with("--watch").start();
        let mut client = server.connect();
        client.send("POST /early HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\n\r\n");
        assert_eq!(client.head().unwrap().status, 200);
        assert_eq!(client.chunk().unwrap(), b"early\n");
        files.change(&app("2.0.0", "hello"));
        until("the new version", || version(&server) == "2.0.0");
        assert_eq!(server.get("a", "/early").text(), "hello\n");
        client.send("12345");
        assert_eq!(client.chunk().unwrap(), b"then read 5 bytes\n");
        assert_eq!(client.chunk().unwrap(), b"");
        // The same connection meets the new version with its next request.
        assert_eq!(client.get("a", "/early").unwrap().text(), "hello\n");
    }
}

#[test]
fn without_watch_nothing_changes() {
    let files = App::new(&app("1.0.0", "hello"));
    let server = wharf().up(files.folder()).start();
    files.change(&app("2.0.0", "misbehave"));
    for _ in 0..100 {
        assert_eq!(version(&server), "1.0.0");
    }
}
