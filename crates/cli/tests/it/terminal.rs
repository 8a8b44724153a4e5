//! `wharf dev` in a terminal: what the keys do, how it looks, and what is left of the terminal afterwards.
//!
//! The terminal is that of `script`, with a shell in it, as a user has one.

use crate::support::wharf;
use std::io::{Read, Write};
use std::net::SocketAddr;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Arc, Mutex};
use wharf_testkit::{App, Http1, eventually, guest, until};

/// What takes the lines of running builds back.
const TAKE_BACK: &str = "\x1b[1A\x1b[2K";

/// Somebody at a terminal, with a shell.
struct Terminal {
    script: Child,
    keys: ChildStdin,
    screen: Arc<Mutex<Vec<u8>>>,
}

impl Terminal {
    /// Opens one in a folder where `wharf` is the program, `xdg-open` writes down what it is called with, and `is-single` tells whether
    /// the terminal gives single keys.
    fn open(app: &App, environment: &[(&str, &str)]) -> Self {
        let bin = app.path("bin");
        std::fs::create_dir(&bin).unwrap();
        std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_wharf"), bin.join("wharf")).unwrap();
        let program = |name: &str, text: &str| {
            use std::os::unix::fs::PermissionsExt;
            std::fs::write(bin.join(name), format!("#!/bin/sh\n{text}\n")).unwrap();
            std::fs::set_permissions(bin.join(name), std::fs::Permissions::from_mode(0o755)).unwrap();
        };
        program("xdg-open", "echo \"$1\" > opened");
        // A shell that asks for lines would switch that on before it runs something: so it is looked at by the program that it runs.
        program("modes", "stty -a | tr ' ;' '\\n\\n' | grep -xE -- '-?(icanon|echo)' | tr '\\n' ' '");
        let shell = format!("PATH='{}':\"$PATH\" exec sh -i", bin.display());
        let mut script = Command::new("script");
        script.args(["--quiet", "--flush", "--command", &shell, "/dev/null"]).current_dir(app.folder());
        for (name, value) in wharf().command().get_envs() {
            match value {
                Some(value) => script.env(name, value),
                None => script.env_remove(name),
            };
        }
        script.env("PS1", "ready> ").env("SHELL", "/bin/sh").env("TERM", "xterm").env_remove("ENV");
        script.envs(environment.iter().copied());
        let mut script = script.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut shown = script.stdout.take().unwrap();
        let screen = Arc::new(Mutex::new(Vec::new()));
        let writer = Arc::clone(&screen);
        std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(count @ 1..) = shown.read(&mut bytes) {
                writer.lock().unwrap().extend_from_slice(&bytes[..count]);
            }
        });
        let keys = script.stdin.take().unwrap();
        let mut terminal = Self { script, keys, screen };
        terminal.shows("ready> ", 1);
        terminal.types("stty cols 60\n");
        terminal.shows("ready> ", 2);
        terminal
    }

    fn screen(&self) -> String {
        String::from_utf8_lossy(&self.screen.lock().unwrap()).replace('\r', "")
    }

    fn types(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).unwrap();
        self.keys.flush().unwrap();
    }

    /// Waits until a text was shown so many times.
    #[track_caller]
    fn shows(&self, text: &str, times: usize) {
        let last = std::cell::RefCell::new(String::new());
        let shown = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            until(text, || {
                *last.borrow_mut() = self.screen();
                last.borrow().matches(text).count() >= times
            });
        }));
        assert!(shown.is_ok(), "{text:?} was not shown {times} times:\n{}", last.borrow());
    }

    /// Starts `wharf dev` and returns where it serves, once it does.
    fn serves(&mut self, flags: &str) -> SocketAddr {
        self.types(&format!("wharf dev --listen 127.0.0.1:0 {flags}; echo \"ended with $?\"\n"));
        let address = eventually("where it serves", || {
            let screen = self.screen();
            let (before, _) = screen.split_once(" serves shop")?;
            before.rsplit_once("http://")?.1.parse().ok()
        });
        self.shows("in place after", 1);
        address
    }

    /// Returns what the shell shows of a command, up to its next prompt.
    fn runs(&mut self, command: &str) -> String {
        let before = self.screen().len();
        // The quotes tell what is typed, which the terminal shows as well, from what is printed.
        self.types(&format!("echo '<'begin'>'; {command}; echo '<'end'>'\n"));
        eventually(command, || {
            let after = self.screen().split_off(before);
            let (_, shown) = after.split_once("<begin>\n")?;
            Some(shown.split_once("<end>")?.0.to_owned())
        })
    }

    /// Asserts that lines are typed, and seen, as before.
    #[track_caller]
    fn is_as_before(&mut self) {
        assert_eq!(self.runs("modes").split_whitespace().collect::<Vec<_>>(), ["icanon", "echo"], "{}", self.screen());
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // The end of the terminal ends what runs in it.
        let _ = self.script.kill();
        let _ = self.script.wait();
    }
}

/// An app of two components, of which the first is built by a command that says so.
fn app() -> App {
    let app = App::empty();
    let build = format!("echo x >> builds && sh slow.sh && cp {} web.wasm", guest("hello").display());
    app.write("slow.sh", "true");
    app.copy_guest("hello-p3", "other.wasm");
    app.write(
        "wharf.toml",
        format!(
            "name = \"shop\"\n[component.web]\nsource = \"web.wasm\"\n\
             build = {{ command = \"{build}\", watch = [\"slow.sh\"] }}\n\
             [component.other]\nsource = \"other.wasm\"\n\
             [[trigger.http]]\nroute = \"/...\"\ncomponent = \"web\"\n\
             [[trigger.http]]\nroute = \"/other/...\"\ncomponent = \"other\"\n"
        ),
    );
    app
}

fn get(address: SocketAddr, path: &str) -> u16 {
    Http1::connect(address).get("x", path).unwrap().status()
}

#[test]
fn keys_do_what_the_help_says() {
    let app = app();
    let mut terminal = Terminal::open(&app, &[]);
    let address = terminal.serves("");
    terminal.shows("r rebuild · o open in a browser · l log level · q quit", 1);
    terminal.types("?");
    terminal.shows("r rebuild · o open in a browser · l log level · q quit", 2);
    for (number, level) in ["debug", "trace", "info"].into_iter().enumerate() {
        terminal.types(if number == 1 { "L" } else { "l" });
        terminal.shows(&format!("log level: {level}"), 1);
    }
    terminal.types("r");
    until("another build", || std::fs::read_to_string(app.path("builds")).unwrap().lines().count() == 2);
    terminal.types("o");
    let opened =
        eventually("a browser", || std::fs::read_to_string(app.path("opened")).ok().filter(|url| url.ends_with('\n')));
    assert_eq!(opened, format!("http://{address}\n"));
    terminal.types("q");
    terminal.shows("ended with 0", 1);
    terminal.is_as_before();
}

#[test]
fn the_terminal_is_as_it_was_however_it_ends() {
    for end in ["\x03", "\x04", "-TERM", "-INT"] {
        let app = app();
        let mut terminal = Terminal::open(&app, &[]);
        terminal.serves("");
        match end.strip_prefix('-') {
            None => terminal.types(end),
            Some(signal) => send(signal, dev_in(&app)),
        }
        terminal.shows("ended with 0", 1);
        terminal.is_as_before();
    }
}

/// Returns the id of the `wharf` that runs in the app's folder.
fn dev_in(app: &App) -> String {
    let folder = app.folder().canonicalize().unwrap();
    let is_it = |process: &std::fs::DirEntry| {
        let link = |name: &str| std::fs::read_link(process.path().join(name)).unwrap_or_default();
        link("cwd") == folder && link("exe").ends_with("wharf")
    };
    let found = std::fs::read_dir("/proc").unwrap().filter_map(Result::ok).find(is_it);
    found.expect("wharf dev runs").file_name().into_string().unwrap()
}

fn send(signal: &str, process: String) {
    let sent = Command::new("sh").args(["-c", &format!("kill -{signal} {process}")]).status().unwrap();
    assert!(sent.success());
}

#[test]
fn it_may_be_stopped_and_go_on_in_the_background_and_in_the_foreground() {
    let app = app();
    let mut terminal = Terminal::open(&app, &[]);
    terminal.types("set -m\n");
    let address = terminal.serves("--access-log off");
    terminal.types("\x1a");
    terminal.shows("Stopped", 1);
    terminal.is_as_before();
    terminal.types("bg\n");
    assert_eq!(get(address, "/ok"), 200);
    // The shell has the keyboard, and what is typed there is not for the program.
    terminal.is_as_before();
    assert_eq!(terminal.runs("echo lll"), "lll\n");
    assert_eq!(get(address, "/ok"), 200);
    terminal.types("fg\n");
    // Until the program has noticed, what is typed waits for the end of a line.
    terminal.types("l");
    terminal.shows("log level: debug", 1);
    terminal.types("\x1a");
    terminal.shows("Stopped", 2);
    terminal.types("fg\n");
    terminal.types("l");
    terminal.shows("log level: trace", 1);
    assert_eq!(get(address, "/ok"), 200);
    let prompts = terminal.screen().matches("ready> ").count();
    terminal.types("q");
    terminal.shows("ready> ", prompts + 1);
    assert_eq!(terminal.runs("echo \"ended with $?\""), "ended with 0\n");
    terminal.is_as_before();
}

#[test]
fn lines_of_requests_stay_while_a_build_is_shown_below_them() {
    let app = app();
    let mut terminal = Terminal::open(&app, &[]);
    let address = terminal.serves("");
    app.write(
        "slow.sh",
        "until test -e go; do sleep 0.05; done # and a comment that is longer than the terminal is wide",
    );
    terminal.shows("building web", 2);
    for _ in 0..5 {
        assert_eq!(get(address, "/other/ok"), 200);
    }
    terminal.shows("/other/ok", 5);
    terminal.shows(TAKE_BACK, 3);
    app.write("go", "");
    terminal.shows("in place after", 2);
    let left = on_a_screen(&terminal.screen());
    assert_eq!(left.matches("GET x/other/ok 200").count(), 5, "{left}");
    assert!(!left.contains("building"), "{left}");
    assert!(
        terminal
            .screen()
            .lines()
            .all(|line| !line.contains("building web") || line.chars().count() < 60 + TAKE_BACK.len())
    );
    // Each component has a colour of its own.
    let colour_of = |component: &str| left.split(component).next().unwrap().rsplit("\x1b[").next().unwrap().to_owned();
    assert_eq!(get(address, "/ok"), 200);
    terminal.shows("GET x/ok 200", 1);
    terminal.shows("mshop/web\x1b[0m", 1);
    assert!(colour_of("shop/other").ends_with('m'), "{left}");
}

/// Returns what a terminal is left with, without a bound of its height.
fn on_a_screen(written: &str) -> String {
    let mut lines = vec![String::new()];
    let mut rest = written;
    while let Some(c) = rest.chars().next() {
        if let Some(after) = rest.strip_prefix(TAKE_BACK) {
            lines.pop();
            *lines.last_mut().expect("there is a line above") = String::new();
            rest = after;
            continue;
        }
        if c == '\n' {
            lines.push(String::new())
        } else {
            lines.last_mut().unwrap().push(c)
        }
        rest = &rest[c.len_utf8()..];
    }
    lines.join("\n")
}

#[test]
fn there_are_no_colours_for_those_who_want_none() {
    for environment in [("NO_COLOR", "1"), ("TERM", "dumb")] {
        let app = app();
        let mut terminal = Terminal::open(&app, &[environment]);
        let address = terminal.serves("");
        assert_eq!(get(address, "/other/ok"), 200);
        terminal.shows("shop/other", 1);
        app.write("wharf.toml", "name = 3");
        terminal.shows("the version that is there goes on", 1);
        terminal.types("q");
        terminal.shows("ended with 0", 1);
        let sequences = terminal.screen().replace(TAKE_BACK, if environment.0 == "NO_COLOR" { "" } else { TAKE_BACK });
        assert!(!sequences.contains('\x1b'), "{sequences:?}");
    }
}
