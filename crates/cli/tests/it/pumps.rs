//! Streams and futures of types that only the app has, between a component and its dependency: `packer` calls `depot`, fused or isolated.

use crate::support::wharf;
use wharf_testkit::{App, Server};

const LINKS: [&str; 2] = ["fused", "isolated"];

fn up(link: &str, packer: &str, depot: &str) -> Server {
    let manifest = format!(
        "name = \"depots\"\n\
         [component.packer]\nsource = \"@packer\"\n[component.packer.limits]\n{packer}\n\
         [component.packer.dependencies]\n\"test:depot\" = {{ component = \"depot\", link = \"{link}\" }}\n\
         [component.depot]\nsource = \"@depot\"\n[component.depot.limits]\n{depot}\n\
         [[trigger.http]]\nroute = \"/...\"\ncomponent = \"packer\"\n"
    );
    wharf().up(App::new(&manifest).folder()).start()
}

fn patient(link: &str) -> Server {
    up(link, "cpu = \"30s\"\nwall = \"60s\"", "cpu = \"30s\"\nwall = \"60s\"")
}

#[track_caller]
fn check(server: &Server, path: &str, expected: &str) {
    let answer = server.get("t", path);
    assert_eq!((answer.status(), answer.text().as_str()), (200, expected), "{path}\n{}", server.log());
}

#[test]
fn types_of_the_app_cross_both_kinds_of_links_alike() {
    for link in LINKS {
        let server = patient(link);
        check(&server, "/parts?count=0", "0 parts");
        check(&server, "/parts?count=1000", "1000 parts");
        check(
            &server,
            "/events",
            "Event::Came(Part { name: \"part 3part 3\", sizes: [0, 1, 2], note: None }); Event::Went(\"away\"); \
             Event::Moved(Point { at: 2, level: Level::Low, marks: Marks(FRESH), height: 0.5 }); Event::Nothing; 1048576 bytes",
        );
        check(&server, "/points?count=2500", "2500 points, true");
        check(&server, "/levels", "[(Level::Middle, Marks(FRESH | CHECKED)), (Level::High, Marks(FRESH | CHECKED))]");
        check(&server, "/lists", "[[[\"part 2\", \"part 4\"], [], [\"part 1\"]], []]");
        check(&server, "/finish", "Ok(Part { name: \"part 4\", sizes: [0, 1, 2, 3], note: Some(\"finished\") })");
        check(&server, "/finish?end=lost", "Err(Trouble::Lost(7))");
        check(&server, "/finish-hard", "Point { at: 7, level: Level::High, marks: Marks(0x0), height: 0.5 }");
        check(&server, "/pass?count=1", "[0, 1] part 0");
        let many: Vec<String> = (0..12).map(|number| format!("[{number}, {}] part {number}", number + 1)).collect();
        check(&server, "/pass?count=12", &many.join(", "));
        // One end goes away: the other one knows.
        check(&server, "/left", "Some(\"part 0\"), then its writer knew");
        check(&server, "/take?count=50", "50, then the writer knew");
    }
}
