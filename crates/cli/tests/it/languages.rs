//! Every language that has an example answers, in every world that it has one for. The large ones are compiled once for all runs.

use crate::support::wharf;
use wharf_testkit::guest;

fn answers(names: &[&str]) {
    for name in names {
        let mut server = wharf().up(guest(name)).start();
        for _ in 0..3 {
            let answer = server.get("x", "/some/path?q=1");
            assert_eq!(answer.status(), 200, "{name}: {}", server.log());
            assert!(answer.text().starts_with("hello"), "{name}: {}", answer.text());
        }
        assert!(server.is_alive(), "{name}");
    }
}

#[test]
fn rust() {
    answers(&["hello", "hello-p3"]);
}

#[test]
fn c() {
    answers(&["hello-c", "hello-c-p3"]);
}

#[test]
fn javascript() {
    answers(&["hello-js"]);
}

#[test]
fn javascript_of_wasi_0_3() {
    answers(&["hello-js-p3"]);
}

#[test]
fn python() {
    answers(&["hello-python"]);
}

#[test]
fn python_of_wasi_0_3() {
    answers(&["hello-python-p3"]);
}

#[test]
fn languages_work_side_by_side_and_with_reuse() {
    let names = ["hello", "hello-p3", "hello-c", "hello-c-p3", "hello-js-p3"];
    let reuse = "reuse = { requests = 10 }";
    let parts: String = names.iter().map(|name| wharf_testkit::service(name, name, reuse)).collect();
    let app = wharf_testkit::App::new(&format!("name = \"babel\"\n{parts}"));
    let server = wharf().up(app.folder()).start();
    for _ in 0..12 {
        for name in names {
            assert!(server.get(name, "/").text().starts_with("hello"), "{name}: {}", server.log());
        }
    }
}
