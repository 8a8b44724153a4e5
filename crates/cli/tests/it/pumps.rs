//! Streams and futures of types that only the app has, between a component and its dependency: `packer` calls `depot`, fused or isolated.

use crate::support::{answers, linked, wharf};
use wharf_testkit::{App, Server};

const LINKS: [&str; 2] = ["fused", "isolated"];

fn up(link: &str, packer: &str, depot: &str) -> Server {
    linked(link, ["packer", "depot"], [packer, depot])
}

const PATIENT: &str = "cpu = \"60s\"\nwall = \"120s\"";

/// Returns what comes of a request, whatever its status.
fn outcome(server: &Server, path: &str) -> (u16, String) {
    let answer = server.get("t", path);
    (answer.status(), answer.text())
}

#[test]
fn types_of_the_app_cross_both_kinds_of_links_alike() {
    for link in LINKS {
        let server = up(link, PATIENT, PATIENT);
        answers(&server, "/parts?count=0", "0 parts");
        answers(&server, "/parts?count=1000", "1000 parts");
        answers(
            &server,
            "/events",
            "Event::Came(Part { name: \"part 3part 3\", sizes: [0, 1, 2], note: None }); Event::Went(\"away\"); \
             Event::Moved(Point { at: 2, level: Level::Low, marks: Marks(FRESH), height: 0.5 }); Event::Nothing; 1048576 bytes",
        );
        answers(&server, "/points?count=2500", "2500 points, true");
        answers(&server, "/levels", "[(Level::Middle, Marks(FRESH | CHECKED)), (Level::High, Marks(FRESH | CHECKED))]");
        answers(&server, "/lists", "[[[\"part 2\", \"part 4\"], [], [\"part 1\"]], []]");
        answers(&server, "/finish", "Ok(Part { name: \"part 4\", sizes: [0, 1, 2, 3], note: Some(\"finished\") })");
        answers(&server, "/finish?end=lost", "Err(Trouble::Lost(7))");
        answers(&server, "/finish-hard", "Point { at: 7, level: Level::High, marks: Marks(0x0), height: 0.5 }");
        // One end goes away: the other one knows.
        answers(&server, "/left", "Some(\"part 0\"), then its writer knew");
        answers(&server, "/take?count=50", "50, then the writer knew");
    }
}

#[test]
fn a_component_may_get_its_own_streams_back() {
    // Only between stores: the engine does not let a component read what it wrote itself, if that is more than numbers.
    let server = up("isolated", PATIENT, PATIENT);
    answers(&server, "/pass?count=1", "[0, 1] part 0");
    // More than a pump opens at a time, while no guest can be called.
    let many: Vec<String> = (0..12).map(|number| format!("[{number}, {}] part {number}", number + 1)).collect();
    answers(&server, "/pass?count=12", &many.join(", "));
}

#[test]
fn a_hundred_thousand_elements_take_no_more_memory_than_a_few() {
    // The guests may have 4 MiB each, of which the pumps take their part; all elements together are larger.
    let limits = format!("{PATIENT}\nmemory = \"4MiB\"");
    let server = up("isolated", &limits, &limits);
    answers(&server, "/parts?count=1000", "1000 parts");
    let before = server.status("VmRSS");
    answers(&server, "/parts?count=100000", "100000 parts");
    assert!(server.status("VmRSS") < before + (32 << 10));
}

#[test]
fn values_of_futures_leave_nothing_behind() {
    let limits = format!("{PATIENT}\nmemory = \"2MiB\"");
    let server = up("isolated", &limits, &limits);
    // A hundred bytes and more each, if they stayed.
    let last = "Ok(Part { name: \"part 3\", sizes: [0, 1, 2], note: Some(\"finished\") })";
    answers(&server, "/again?count=15000", &format!("15000, {last}"));
}

#[test]
fn who_is_not_read_waits() {
    let server = up("isolated", PATIENT, PATIENT);
    // The pieces on their way are small ones: the guest writes its parts one by one.
    let held: u64 = server.get("t", "/held?ms=300").text().parse().unwrap();
    assert!(held <= 64, "{held}");
}

#[test]
fn a_dependency_that_fails_in_the_middle_is_told_of() {
    let server = up("isolated", PATIENT, "cpu = \"300ms\"\nwall = \"20s\"");
    let failed = |name: &str, why: &str| format!("the dependency depot failed in `{name}`: the component {why}");
    // The error of the app's own variant that is for this.
    let told = |why: &str| format!("Err(Trouble::Unavailable(\"{}\"))", failed("finish", why));
    answers(&server, "/finish?end=panic", &told("trapped"));
    answers(&server, "/finish?end=loop", &told("used more than its 300ms of CPU time"));
    // Where nothing can be told, nobody takes a part for the whole.
    assert_eq!(outcome(&server, "/parts?count=10&end=panic").0, 502);
    server.logged("WHARF-0054: the dependency depot failed in `parts`: the component trapped");
    assert_eq!(outcome(&server, "/finish-hard?end=panic").0, 502);
    answers(&server, "/levels", "[(Level::Middle, Marks(FRESH | CHECKED)), (Level::High, Marks(FRESH | CHECKED))]");
}

#[test]
fn instances_that_are_used_again_use_their_pumps_again() {
    let manifest = format!(
        "name = \"depots\"\n\
         [component.packer]\nsource = \"@packer\"\nreuse = {{ requests = 1000, concurrent = 4 }}\n\
         [component.packer.limits]\n{PATIENT}\nmemory = \"3MiB\"\n\
         [component.packer.dependencies]\n\"test:depot\" = {{ component = \"depot\", link = \"isolated\" }}\n\
         [component.depot]\nsource = \"@depot\"\n[component.depot.limits]\n{PATIENT}\nmemory = \"3MiB\"\n\
         [[trigger.http]]\nroute = \"/...\"\ncomponent = \"packer\"\n"
    );
    let server = wharf().up(App::new(&manifest).folder()).start();
    for _ in 0..60 {
        answers(&server, "/parts?count=20", "20 parts");
        answers(&server, "/finish?end=lost", "Err(Trouble::Lost(7))");
        answers(&server, "/points?count=20", "20 points, true");
    }
}

fn nested(link: &str) -> Server {
    linked(link, ["nester", "depot"], [PATIENT, PATIENT])
}

#[test]
fn what_belongs_to_a_store_crosses_in_elements_too() {
    for link in LINKS {
        let server = nested(link);
        answers(&server, "/unpack?count=3", "6 parts");
        answers(&server, "/pack?count=3", "crate 1: part 0; crate 2: part 0 part 1; crate 3: part 0 part 1 part 2");
        answers(&server, "/rows", "[\"ONE\", \"\", \"THREE\"]");
        answers(&server, "/send", "a letter: without a name");
        if link == "isolated" {
            // In one store the engine does not let a component read the parts that it wrote itself.
            answers(&server, "/send?name=box", "box: 2 parts");
        }
        answers(&server, "/promise", "promised: 2 parts");
        // Many at once, for which no guest can be asked to open them.
        answers(&server, "/many?count=500", "500 parts, the last is Some(\"part 499\")");
        answers(&server, "/tickets?count=40", &format!("{:?}, 40 then, 0 now", (0..40).collect::<Vec<_>>()));
        answers(&server, "/redeem?count=40", "780, 0 left");
        answers(&server, "/renew", "1, 1 issued");
        answers(&server, "/renew?most=0", "1 is too many, 0 issued");
    }
}

#[test]
fn what_nobody_reads_goes_where_it_was_made() {
    for link in LINKS {
        let server = nested(link);
        // Streams in elements that were on their way end too, and resources are dropped.
        answers(&server, "/left?count=9", "Some(\"crate 1\"), 0 waiting");
        answers(&server, "/few?count=100", "[Some(0), Some(1)] of 2, 0 now");
    }
}

#[test]
fn a_dependency_that_fails_takes_the_streams_in_its_streams_along() {
    let server = nested("isolated");
    assert_eq!(outcome(&server, "/pack?count=2&end=panic").0, 502);
    server.logged("WHARF-0054: the dependency depot failed in `pack`: the component trapped");
    answers(&server, "/pack?count=1", "crate 1: part 0");
    // A future tells what went wrong before it; of what went wrong after it nobody takes a part for the whole.
    let told = "the dependency depot failed in `promise`: the component trapped";
    answers(&server, "/promise?end=first", told);
    assert_eq!(outcome(&server, "/promise?end=later").0, 502);
    server.logged(&format!("WHARF-0054: {told}"));
}

#[test]
fn a_request_does_not_wait_for_a_stream_of_streams_that_a_dependency_keeps() {
    let server = wharf()
        .up(App::new(
            "name = \"nested\"\n\
             [component.nester]\nsource = \"@nester\"\nlimits = { concurrency = 1, wall = \"300s\" }\n\
             [component.nester.dependencies]\n\"test:depot\" = { component = \"depot\", link = \"isolated\" }\n\
             [component.depot]\nsource = \"@depot\"\n[[trigger.http]]\nroute = \"/...\"\ncomponent = \"nester\"\n",
        )
        .folder())
        .start();
    // The second is let in when the first has ended.
    answers(&server, "/hold", "held");
    answers(&server, "/hold", "held");
}

#[test]
fn who_gives_a_resource_that_is_gone_fails_and_nobody_else() {
    let server = nested("isolated");
    assert_eq!(outcome(&server, "/stale").0, 500);
    server.logged("the instance that made a resource has ended");
    answers(&server, "/redeem?count=2", "1, 0 left");
}
