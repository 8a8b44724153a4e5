//! Core dumps, profiles, and the lines of sources in traps.

use crate::support::wharf;
use serde_json::Value;
use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use wasmparser::{KnownCustom, Name, Parser, Payload};
use wharf_testkit::{App, Server, guest, until};

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

/// The functions of all modules of a component that have a name.
fn functions(component: &Path) -> BTreeMap<u32, Vec<String>> {
    let bytes = std::fs::read(component).unwrap();
    let mut named: BTreeMap<u32, Vec<String>> = BTreeMap::new();
    for payload in Parser::new(0).parse_all(&bytes) {
        let Payload::CustomSection(section) = payload.unwrap() else { continue };
        let KnownCustom::Name(names) = section.as_known() else { continue };
        for names in names {
            let Ok(Name::Function(functions)) = names else { continue };
            for function in functions {
                let function = function.unwrap();
                named.entry(function.index).or_default().push(function.name.to_owned());
            }
        }
    }
    named
}

/// What a core dump is made of.
#[derive(Default)]
struct Dump {
    name: String,
    functions: Vec<u32>,
    memories: usize,
    data: Vec<u8>,
}

fn read_dump(file: &Path) -> Dump {
    let bytes = std::fs::read(file).unwrap();
    let mut dump = Dump::default();
    for payload in Parser::new(0).parse_all(&bytes) {
        match payload.unwrap() {
            Payload::CustomSection(section) => match section.as_known() {
                KnownCustom::CoreDump(core) => dump.name = core.name.to_owned(),
                KnownCustom::CoreDumpStack(stack) => {
                    dump.functions.extend(stack.frames.iter().map(|frame| frame.funcidx));
                }
                _ => {}
            },
            Payload::MemorySection(memories) => dump.memories = memories.count() as usize,
            Payload::DataSection(segments) => {
                segments.into_iter().for_each(|segment| dump.data.extend(segment.unwrap().data));
            }
            _ => {}
        }
    }
    dump
}

#[test]
fn a_trap_leaves_a_core_dump_that_names_its_functions() {
    let app = App::empty();
    let folder = app.path("dumps");
    let server = wharf().up(guest("trap-lines")).with(&format!("--coredump {}/", folder.display())).start();
    assert_eq!(server.get("x", "/panic").status(), 500);
    server.logged("core dump: ");
    let written = files(&folder);
    let [file] = written.as_slice() else { panic!("{written:?}") };
    assert!(file.file_name().unwrap().to_str().unwrap().starts_with("trap-lines-trap-lines-2"), "{file:?}");
    assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    assert!(server.log().contains(&file.display().to_string()), "{}", server.log());
    let dump = read_dump(file);
    assert_eq!((dump.name.as_str(), dump.memories > 0), ("trap-lines-trap-lines", true));
    let names = functions(&guest("trap-lines"));
    let stack: Vec<&String> = dump.functions.iter().filter_map(|index| names.get(index)).flatten().collect();
    for function in ["lookup", "discount", "checkout"] {
        assert!(stack.iter().any(|name| name.contains(function)), "{function} is missing in {stack:?}");
    }
    // All memory is there: what the guest kept of its request too.
    assert!(dump.data.windows(6).any(|bytes| bytes == b"/panic"));
    assert_eq!(server.get("x", "/").status(), 200);
    assert_eq!(files(&folder).len(), 1, "a request that went well leaves none");
}

#[test]
fn core_dumps_are_so_many_and_no_more() {
    let app = App::empty();
    let folder = app.folder().join("dumps");
    let server = wharf().up(guest("trap-lines")).with(&format!("--coredump {}/", folder.display())).start();
    for _ in 0..18 {
        server.get("x", "/unreachable");
    }
    server.logged("no core dump: 16 were written since the start");
    assert_eq!(files(&folder).len(), 16);
    drop(server);
    let file = app.path("one");
    let server = wharf().up(guest("trap-lines")).with(&format!("--coredump {}", file.display())).start();
    server.get("x", "/panic");
    server.logged("core dump: ");
    let first = read_dump(&file).functions;
    server.get("x", "/unreachable");
    server.logged("no core dump: the first trap has the file");
    assert_eq!(read_dump(&file).functions, first, "the first trap tells most");
    let log = wharf().up(guest("trap-lines")).with("--coredump /no/such/folder/dump").fail().badly(2, &["/no/such"]);
    assert!(log.stderr.contains("core dumps cannot be written"), "{log}");
}

#[test]
fn programs_of_each_kind_leave_a_core_dump() {
    let app = App::empty();
    for (name, is_dumped) in [("args", true), ("args-p1", true)] {
        let file = app.path(name);
        let flag = format!("--coredump={}", file.display());
        let ended = wharf().run(["run", &flag, guest(name).to_str().unwrap(), "--panic"]);
        ended.badly(1, &["WHARF-0030", "core dump: ", "no source lines", "debug = \"line-tables-only\""]);
        assert_eq!(!read_dump(&file).functions.is_empty(), is_dumped, "{name}");
        let ended = wharf().run(["run", &flag, guest(name).to_str().unwrap(), "--exit", "1"]).badly(1, &[]);
        assert!(!ended.stderr.contains("core dump"), "an exit is no trap: {ended}");
    }
}

/// Returns the innermost function of each sample of a profile.
fn profile(file: &Path) -> Vec<String> {
    let profile: Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
    assert!(profile["meta"]["preprocessedProfileVersion"].is_number(), "{}", profile["meta"]);
    let thread = &profile["threads"][0];
    let at = |table: &str, column: &str, index: &Value| {
        let index = usize::try_from(index.as_u64().unwrap()).unwrap();
        thread[table][column][index].clone()
    };
    let samples = thread["samples"]["stack"].as_array().unwrap();
    let function = |stack: &Value| {
        let frame = at("stackTable", "frame", stack);
        let name = at("funcTable", "name", &at("frameTable", "func", &frame));
        thread["stringArray"][usize::try_from(name.as_u64().unwrap()).unwrap()].as_str().unwrap().to_owned()
    };
    samples.iter().filter(|stack| !stack.is_null()).map(function).collect()
}

fn serve(flags: &str) -> Server {
    wharf().up(guest("trap-lines")).with(flags).start()
}

#[test]
fn a_profile_has_samples_of_the_function_that_works() {
    let app = App::empty();
    let file = app.path("busy.json");
    let server = serve(&format!("--profile {}", file.display()));
    assert_eq!(server.get("x", "/busy").status(), 200);
    let ended = server.stop().well();
    assert!(
        ended.stderr.contains("profile of trap-lines: ") && ended.stderr.contains("profiler.firefox.com"),
        "{ended}"
    );
    let samples = profile(&file);
    let busy = samples.iter().filter(|function| function.starts_with("trap_lines::busy")).count();
    assert!(busy * 2 > samples.len(), "{busy} of {}: {:?}", samples.len(), samples.first());
}

#[test]
fn a_profile_ends_after_its_requests_while_the_server_goes_on() {
    let app = App::empty();
    let file = app.path("two.json");
    let mut server = serve(&format!("--profile {} --profile-requests 2", file.display()));
    server.get("x", "/busy");
    assert!(!server.log().contains("profile of"));
    server.get("x", "/busy");
    server.logged("profile of trap-lines");
    assert!(!profile(&file).is_empty());
    let bytes = std::fs::read(&file).unwrap();
    assert_eq!(server.get("x", "/busy").status(), 200);
    assert!(server.is_alive());
    let ended = server.stop().well();
    assert_eq!(ended.stderr.matches("profile of").count(), 1, "{ended}");
    assert_eq!(std::fs::read(&file).unwrap(), bytes);
}

#[test]
fn a_program_and_a_module_are_profiled_to_their_end() {
    let app = App::empty();
    for name in ["args", "args-p1"] {
        let file = app.path(name);
        let flag = format!("--profile={}", file.display());
        let ended = wharf().run(["run", &flag, guest(name).to_str().unwrap()]).well();
        // It is too quick for a sample, most times; that is said, and there is no empty file.
        let said = ended.stderr.contains("profile of args") || ended.stderr.contains("no profile: no guest used");
        assert!(said, "{ended}");
        assert_eq!(file.exists(), ended.stderr.contains("profile of"), "{ended}");
    }
    wharf().run(["run", "--profile=/no/such/p.json", guest("args").to_str().unwrap()]).badly(2, &["/no/such/p.json"]);
}

#[test]
fn lines_of_sources_are_shown_from_the_project() {
    // The sources of this guest are where its build says, which is no folder of this machine.
    let server = serve("");
    server.get("x", "/overflow");
    until("the trap is in the log", || server.log().contains("WHARF-0030"));
    let log = server.log();
    for line in ["strict_add (inlined)", "library/core/src/num/", "trap-lines/src/lib.rs:"] {
        assert!(log.contains(line), "{line}: {log}");
    }
    assert!(!log.contains("no source lines") && !log.contains("/rustc/"), "{log}");
}

/// Returns the number of the line of an example's source that has `text` in it.
pub(crate) fn line_of(source: &str, text: &str) -> usize {
    1 + source.lines().position(|line| line.contains(text)).unwrap_or_else(|| panic!("no line has {text:?}"))
}

const TOTAL: &str = include_str!("../../../../examples/debugging/total/src/lib.rs");
pub(crate) const PRICE: &str = include_str!("../../../../examples/debugging/price.c");

/// Sends a request that traps, and returns what is logged of it.
fn trap(server: &Server, path: &str) -> String {
    assert_eq!(server.get("price", path).status(), 500);
    let is_whole = || server.log().contains("WHARF-0030") && server.log().contains("request=\"");
    until("the trap is in the log", is_whole);
    server.log()
}

#[test]
fn traps_have_lines_in_rust_and_in_c() {
    let log = trap(&wharf().up(guest("debugging-total")).start(), "/");
    let place = format!("total/src/lib.rs:{}:", line_of(TOTAL, "10 / prices.len()"));
    assert!(log.contains("total::read") && log.contains(&place), "{place}: {log}");
    let log = trap(&wharf().up(guest("debugging-price")).start(), "/?0");
    // The condition and its trap are one instruction of the processor.
    let place = format!("/price.c:{}:", line_of(PRICE, "if (price->net == 0)"));
    for expected in ["0: add_tax\n", &place, "1: exports_wasi_http_incoming_handler_handle\n"] {
        assert!(log.contains(expected), "{expected:?}: {log}");
    }
    // The file that the bindings were generated into is in the folder of the component.
    assert!(log.contains("\n           at c/debugging-price.wasm/http.c:"), "{log}");
}

#[test]
fn traps_have_lines_in_reused_instances_and_in_dependencies() {
    let reused = "name = \"shop\"\n[component.price]\nsource = \"@trap-lines\"\nreuse = { requests = 9 }\n\
                  [[trigger.http]]\nroute = \"/...\"\ncomponent = \"price\"\n";
    let log = trap(&wharf().up(App::new(reused).folder()).start(), "/unreachable");
    assert!(log.contains("lookup") && log.contains("trap-lines/src/lib.rs:"), "{log}");
    for link in ["fused", "isolated"] {
        let app = App::new(&format!(
            "name = \"shapes\"\n[component.front]\nsource = \"@front\"\n\
             [component.front.dependencies]\n\"test:shapes\" = {{ component = \"shapes\", link = \"{link}\" }}\n\
             [component.shapes]\nsource = \"@shapes\"\n[[trigger.http]]\nroute = \"/...\"\ncomponent = \"front\"\n"
        ));
        let server = wharf().up(app.folder()).start();
        server.get("x", "/fail?how=panic");
        // What the guest prints of itself has no folders above its package.
        until("the dependency's lines are in the log", || server.log().contains("rust/shapes/src/lib.rs:"));
        assert!(server.log().contains("WHARF-0030"), "{link}: {}", server.log());
    }
    let shapes = guest("shapes").display().to_string();
    wharf().run(["call", &shapes, "fail(\"panic\")"]).badly(1, &["WHARF-0030", "shapes/src/lib.rs:"]);
}

#[test]
fn a_component_without_lines_is_told_how_to_keep_them_once() {
    let server = wharf().up(guest("misbehave")).start();
    for _ in 0..3 {
        server.get("x", "/trap-before");
    }
    until("three traps are in the log", || server.log().matches("WHARF-0030").count() == 3);
    assert_eq!(server.log().matches("there are no source lines").count(), 1, "{}", server.log());
}
