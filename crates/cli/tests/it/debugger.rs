//! The debugger's side of `--debug`, spoken by a client of its own, and by LLDB where there is one that knows WebAssembly.

mod client;
mod dwarf;

use crate::diagnose::{PRICE, line_of};
use crate::support::wharf;
use client::Client;
use dwarf::Source;
use std::process::{Command, Stdio};
use std::thread;
use wharf_testkit::{App, Response, Server, guest, service, until};

/// The line of `price.c` that has `text` in it.
fn line(text: &str) -> u64 {
    line_of(PRICE, text) as u64
}

/// Where its locals are complete.
const RETURN: &str = "return price->gross";

/// So little time that a guest which stands still would be ended.
const LIMITS: &str = "[component.price.limits]\nwall = \"1ms\"\ncpu = \"1ms\"";

/// An app of the component that is debugged, with so little time that a guest which stands still would be ended, and a neighbour.
fn app() -> App {
    let hello = service("hello", "hello", "");
    App::new(&format!("name = \"shop\"\n{hello}{}", service("price", "debugging-price", LIMITS)))
}

fn serve(app: &App) -> (Server, Client) {
    let server = wharf().up(app.folder()).with("--debug=price --debug-listen 127.0.0.1:0").start();
    let address = server.start["debugger"].as_str().unwrap().parse().unwrap();
    let client = Client::connect(address);
    (server, client)
}

/// Sends a request and waits for its answer in a thread of its own.
fn request<'s>(
    scope: &'s thread::Scope<'s, '_>,
    server: &Server,
    path: &'static str,
) -> thread::ScopedJoinHandle<'s, Response> {
    let mut connection = server.connect();
    scope.spawn(move || connection.get("price", path).unwrap())
}

#[test]
fn a_breakpoint_stops_a_request_and_shows_its_stack_its_locals_and_its_memory() {
    let app = app();
    let (server, mut client) = serve(&app);
    // The debugger reads the module from the process, and finds the lines in it.
    let (base, module) = client.module("core.wasm");
    let source = Source::read(&module);
    let place = base + source.line("price.c", line(RETURN));
    client.ok(&format!("Z0,{place:x},1"));
    client.send("vCont;c:p1.-1");
    thread::scope(|scope| {
        let answer = request(scope, &server, "/?20");
        let stop = client.receive();
        assert!(stop.starts_with("T05") && stop.contains("swbreak"), "{stop}");
        let stack = client.stack();
        assert_eq!(stack[0], place);
        assert!(stack.len() >= 3 && stack.iter().all(|place| *place > base), "{stack:x?}");
        // The locals of C are in memory, at a place that a local of WebAssembly has.
        let frame = client.number(&format!("qWasmLocal:0;{}", source.frame_base("add_tax")));
        let tax = frame.wrapping_add_signed(source.variable("add_tax", "tax"));
        assert_eq!(client.memory(u64::from(tax)), 3, "19 % of 20");
        let price = client.memory(u64::from(frame.wrapping_add_signed(source.variable("add_tax", "price"))));
        assert_eq!(client.memory(u64::from(price)), 20, "net");
        assert_eq!(client.memory(u64::from(price) + 8), 23, "gross");
        // A function that calls nobody has its variables below the stack pointer, which is the first global.
        let pointer = client.number("qWasmGlobal:0;0");
        assert!(frame < pointer && pointer - frame < 1 << 16, "{frame:x} {pointer:x}");
        // Nobody waits for the guest that stands still: its neighbour answers.
        assert_eq!(server.get("hello", "/").text(), "hello\n");
        client.ok(&format!("z0,{place:x},1"));
        let mut places = vec![place];
        for _ in 0..3 {
            let stop = client.ask("vCont;s:p1.1");
            assert!(stop.starts_with("T05") && !stop.contains("swbreak"), "{stop}");
            places.push(client.stack()[0]);
        }
        assert!(places.is_sorted() && places[0] < places[3], "{places:x?}");
        // What is written is what the guest reads.
        client.ok(&format!("M{:x},4:63000000", u64::from(price) + 8));
        client.ok(&format!("Z0,{place:x},1"));
        client.send("vCont;c:p1.-1");
        let answer = answer.join().unwrap();
        assert_eq!(answer.status(), 200);
        assert!(["price 23\n", "price 99\n"].contains(&answer.text().as_str()), "{}", answer.text());
        // The breakpoint is that of the component: it stops the next request too.
        let answer = request(scope, &server, "/?100");
        assert!(client.receive().contains("swbreak"));
        let frame = client.number(&format!("qWasmLocal:0;{}", source.frame_base("add_tax")));
        let price = client.memory(u64::from(frame.wrapping_add_signed(source.variable("add_tax", "price"))));
        client.ok(&format!("M{:x},4:63000000", u64::from(price) + 8));
        client.send("vCont;c:p1.-1");
        assert_eq!(answer.join().unwrap().text(), "price 99\n");
    });
}

#[test]
fn a_trap_stops_where_it_happens_before_it_is_logged() {
    let app = app();
    let (server, mut client) = serve(&app);
    let (base, module) = client.module("core.wasm");
    let source = Source::read(&module);
    client.send("vCont;c:p1.-1");
    thread::scope(|scope| {
        let answer = request(scope, &server, "/?0");
        // SIGILL: an unreachable instruction.
        assert!(client.receive().starts_with("T04"), "the trap stops the guest");
        let place = client.stack()[0] - base;
        assert!(
            source.line("price.c", line("__builtin_trap()")) <= place && place < source.line("price.c", line(RETURN)),
            "{place:x}"
        );
        assert!(!server.log().contains("WHARF-0030"));
        client.send("vCont;c:p1.-1");
        assert_eq!(answer.join().unwrap().status(), 500);
        server.logged("WHARF-0030");
    });
}

#[test]
fn a_busy_guest_is_interrupted_and_goes_on() {
    let server = wharf().up(guest("misbehave-p3")).with("--debug --debug-listen 127.0.0.1:0").start();
    let mut client = Client::connect(server.start["debugger"].as_str().unwrap().parse().unwrap());
    client.send("vCont;c:p1.-1");
    let mut busy = server.connect();
    busy.send("GET /loop-before HTTP/1.1\r\nhost: x\r\n\r\n");
    // Until the request is in the guest, an interruption finds no stack.
    until("the guest is on the stack", || {
        client.interrupt();
        assert!(client.receive().starts_with("T02"));
        let is_there = !client.stack().is_empty();
        client.send("vCont;c:p1.-1");
        is_there
    });
    // The client leaves, and with it the guest: the next request finds the component free.
    drop(busy);
    assert_eq!(server.get("x", "/ok").status(), 200);
}

#[test]
fn whoever_leaves_sets_the_other_free() {
    let app = app();
    let (mut server, mut client) = serve(&app);
    let (base, module) = client.module("core.wasm");
    let place = base + Source::read(&module).line("price.c", line(RETURN));
    client.ok(&format!("Z0,{place:x},1"));
    client.send("vCont;c:p1.-1");
    // The client of the request leaves while its guest stands still.
    let mut gone = server.connect();
    gone.send("GET /?20 HTTP/1.1\r\nhost: price\r\n\r\n");
    assert!(client.receive().contains("swbreak"));
    drop(gone);
    until("the guest is gone", || client.stack().is_empty());
    assert_eq!(client.ask("qWasmLocal:0;0"), "");
    client.send("vCont;c:p1.-1");
    thread::scope(|scope| {
        let answer = request(scope, &server, "/?20");
        assert!(client.receive().contains("swbreak"));
        // The debugger leaves while the guest stands still.
        drop(client);
        assert_eq!(answer.join().unwrap().text(), "price 23\n");
    });
    server.logged("the debugger has left");
    assert_eq!(server.get("price", "/?20").text(), "price 23\n", "without a debugger there are no breakpoints");
    assert!(server.is_alive());
}

#[test]
fn what_is_no_protocol_ends_the_session_at_most() {
    let app = app();
    let (mut server, client) = serve(&app);
    let address = server.start["debugger"].as_str().unwrap().parse().unwrap();
    drop(client);
    for nonsense in [
        "GET / HTTP/1.1\r\nhost: x\r\n\r\n",
        "$#00$$$###}}}}*~~",
        "+$qWasmCallStack:ffffffffffffffff#00",
        "$m4000000000000000,ffffffffffffffff#00$mffffffffffffffff,ffff#00",
    ] {
        let mut client = Client::connect(address);
        client.raw(nonsense.as_bytes());
        drop(client);
    }
    let mut client = Client::connect(address);
    for (asked, answer) in [
        ("qWasmLocal:0;99999999999", ""),
        ("qWasmLocal:99999999999;0", ""),
        ("qWasmGlobal:0;0", ""),
        ("qWasmStackValue:7;7", ""),
        ("qWasmCallStack:1", ""),
    ] {
        assert_eq!(client.ask(asked), answer, "{asked}");
    }
    // Where nothing is, nothing is read, written or stopped at.
    for asked in ["m10,4", "M10,1:00", "mc000000000000000,4", "m4fffffff00000000,4", "M4000000000000000,1:00"] {
        assert!(client.ask(asked).starts_with('E'), "{asked}");
    }
    for place in ["10", "c000000000000000", "4fffffff00000000"] {
        assert_ne!(client.ask(&format!("Z0,{place},1")), "OK", "{place}");
    }
    client.ok("D");
    assert!(server.is_alive());
    assert_eq!(server.get("price", "/?20").text(), "price 23\n");
}

#[test]
fn a_new_version_is_debugged_after_the_debugger_attached_again() {
    let app = App::empty();
    let file = app.copy_guest("debugging-price", "price.wasm");
    let server = wharf().up(&file).with("--watch --debug --debug-listen 127.0.0.1:0").start();
    let address = server.start["debugger"].as_str().unwrap().parse().unwrap();
    let mut client = Client::connect(address);
    client.send("vCont;c:p1.-1");
    app.copy_guest("hello", "price.wasm");
    assert_eq!(client.receive(), "W00", "the process that it knew is no more");
    server.logged("the debugger has left");
    let mut client = Client::connect(address);
    assert!(client.libraries().iter().all(|(name, _)| name != "core.wasm"), "{:?}", client.libraries());
    client.send("vCont;c:p1.-1");
    until("the new version answers", || server.get("x", "/").text() == "hello\n");
}

#[test]
fn a_program_waits_for_its_debugger_and_tells_it_how_it_ended() {
    for (name, code) in [("args", 1), ("args-p1", 7)] {
        let mut program = wharf().command();
        program.args(["run", "--debug", "--debug-listen=127.0.0.1:0", guest(name).to_str().unwrap(), "--exit", "7"]);
        let (ended, mut client) = client::beside(program);
        let stack = client.stack();
        assert!(!stack.is_empty(), "{name} is seen at its first instruction");
        assert!(client.ask("vCont;s:p1.1").starts_with("T05"), "{name}");
        assert_eq!(client.ask("vCont;c:p1.-1"), format!("W{code:02x}"), "{name}");
        assert_eq!(ended(), Some(code), "{name}");
    }
}

#[test]
fn the_component_to_debug_is_one_that_the_app_has() {
    let app = app();
    let up = |flag: &str| wharf().up(app.folder()).with(flag).fail();
    up("--debug").badly(2, &["the app shop has 2 components", "--debug=hello, --debug=price"]);
    up("--debug=api").badly(2, &["no component \"api\" to debug", "it has hello, price"]);
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    up(&format!("--debug=price --debug-listen {address}"))
        .badly(2, &["cannot listen for a debugger", "--debug-listen 127.0.0.1:0"]);
    up("--debug-listen 127.0.0.1:0").badly(2, &["--debug"]);
}

#[test]
fn dev_debugs_a_component_while_the_others_change() {
    let app = app();
    let server = wharf().dev(app.folder()).with("--debug=price --debug-listen 127.0.0.1:0").start();
    let address = server.start["debugger"].as_str().unwrap().parse().unwrap();
    server.logged("in place after");
    let mut client = Client::connect(address);
    let supported = client.ask("qSupported:multiprocess+;swbreak+;vContSupported+");
    assert!(supported.contains("PacketSize=") && supported.contains("qXfer:libraries:read+"), "{supported}");
    let (base, module) = client.module("core.wasm");
    let source = Source::read(&module);
    let place = base + source.line("price.c", line(RETURN));
    client.ok(&format!("Z0,{place:x},1"));
    client.send("vCont;c:p1.-1");
    let changed = |guest: &str| {
        let hello = service("hello", guest, "");
        app.change(&format!("name = \"shop\"\n{hello}{}", service("price", "debugging-price", LIMITS)));
    };
    thread::scope(|scope| {
        let answer = request(scope, &server, "/?20");
        assert!(client.receive().contains("swbreak"));
        changed("misbehave");
        until("the other component", || server.get("hello", "/ok").text() == "ok\n");
        // The guest that stands still, and its debugger, noticed nothing.
        assert_eq!(client.stack()[0], place);
        client.send("vCont;c:p1.-1");
        assert_eq!(answer.join().unwrap().text(), "price 23\n");
        let answer = request(scope, &server, "/?20");
        assert!(client.receive().contains("swbreak"), "the breakpoint is still that of the component");
        client.ok("D");
        assert_eq!(answer.join().unwrap().text(), "price 23\n");
    });
    server.logged("the debugger has left");
    assert_eq!(server.get("price", "/?20").text(), "price 23\n");
    server.stop();
}

/// LLDB of LLVM 22 or later, which knows WebAssembly.
fn lldb() -> Option<Command> {
    let names = ["lldb-24", "lldb-23", "lldb-22", "lldb"];
    // One that does not says that it knows no such way to connect.
    let knows = |name: &&str| {
        let tried =
            Command::new(name).args(["--batch", "-o", "process connect -p wasm connect://127.0.0.1:1"]).output();
        tried.is_ok_and(|tried| String::from_utf8_lossy(&tried.stderr).contains("Failed to connect"))
    };
    names.iter().find(|name| knows(name)).map(Command::new)
}

#[test]
fn lldb_stops_at_a_line_steps_over_lines_and_shows_variables() {
    let Some(mut lldb) = lldb() else {
        eprintln!("SKIPPED: there is no LLDB that knows WebAssembly (LLVM 22 or later)");
        return;
    };
    let app = app();
    let server = wharf().up(app.folder()).with("--debug=price --debug-listen 127.0.0.1:0").start();
    let connect = format!("process connect -p wasm connect://{}", server.start["debugger"].as_str().unwrap());
    let commands = [
        connect.as_str(),
        "breakpoint set --name add_tax",
        "continue",
        "bt",
        "next",
        "next",
        "next",
        "frame variable",
        "print *price",
        // Over a `return`: into the caller.
        "next",
        "frame variable price",
        "detach",
    ];
    lldb.arg("--batch").args(commands.iter().flat_map(|command| ["-o", command]));
    let debugger = lldb.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let shown = thread::scope(|scope| {
        // The component stands still until LLDB lets it go on, with its breakpoint.
        server.logged("a debugger is attached");
        let answer = request(scope, &server, "/?20");
        let shown = debugger.wait_with_output().unwrap();
        assert_eq!(answer.join().unwrap().text(), "price 23\n");
        String::from_utf8_lossy(&shown.stdout).into_owned()
    });
    for expected in [
        "core.wasm`add_tax",
        "exports_wasi_http_incoming_handler_handle",
        "at price.c:27",
        "at price.c:28",
        "at price.c:31",
        "(int) tax = 3",
        "net = 20, tax_percent = 19, gross = 23",
        "at price.c:65",
    ] {
        assert!(shown.contains(expected), "{expected} is missing in:\n{shown}");
    }
}
