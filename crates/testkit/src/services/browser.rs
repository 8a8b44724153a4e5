//! A browser: Chromium without a window, told what to do through chromedriver, by W3C's WebDriver protocol.
//!
//! Of the protocol only what these tests need: each command is one HTTP request with JSON, and scripts in the page look at the rest.

use std::net::{Ipv4Addr, SocketAddr};
use std::ops::Deref;
use std::path::Path;
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use super::daemon::{Daemon, End, Login, Recipe};
use super::ports::Ports;
use super::{find, probe};
use crate::http1::Http1;
use crate::wait::BOUND;

/// How often a page is looked at while something is waited for.
const LOOK: Duration = Duration::from_millis(20);

/// How the browser is started: without a window, without what calls home, and so that whoever runs the tests may be root.
const FLAGS: &[&str] = &[
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    // It hears its driver by a pipe, and ends when that closes: nothing else ends it where the test was killed.
    "--remote-debugging-pipe",
];

/// What can be read on the page, also in the open shadow roots that scripts put there.
const TEXT: &str = "
    const shadows = [...document.querySelectorAll('*')].flatMap((element) => [...(element.shadowRoot?.children ?? [])]);
    return [document.body, ...shadows].map((element) => element?.innerText ?? '').join('\\n');";

/// A running Chromium with one empty tab and a new profile. One that was restarted has no tab.
#[derive(Debug)]
pub struct Browser {
    daemon: Daemon,
    session: String,
}

impl Browser {
    /// Starts one. Nothing, when the browser or its driver is missing.
    ///
    /// # Panics
    /// When the driver cannot start the browser; says what it said.
    pub fn start() -> Option<Browser> {
        let (driver, binary) = (find::program("chromedriver")?, find::program("chromium")?);
        let daemon = Daemon::start(1, None, |_, ports| Recipe {
            program: driver.clone(),
            args: vec![format!("--port={}", ports.get(0))],
            owner: None,
            is_ready,
            login: Login::default(),
            stop: End::Terminate,
            discard: End::Kill,
        });
        let session = session(&daemon, &binary).unwrap_or_else(|why| panic!("no browser: {why}\n{}", daemon.log()));
        Some(Browser { daemon, session })
    }

    /// Goes to a page and waits until it is loaded.
    ///
    /// # Panics
    /// When there is none.
    #[track_caller]
    pub fn open(&self, url: &str) {
        self.command("url", &json!({ "url": url })).unwrap_or_else(|why| panic!("{url}: {why}"));
    }

    /// Gives the window a size in pixels.
    ///
    /// # Panics
    /// When it does not take it.
    #[track_caller]
    pub fn resize(&self, width: u32, height: u32) {
        let size = json!({ "width": width, "height": height });
        self.command("window/rect", &size).unwrap_or_else(|why| panic!("{size}: {why}"));
    }

    /// Runs the body of a function in the page and returns what it returns.
    ///
    /// # Panics
    /// When it throws, or the page goes away meanwhile.
    #[track_caller]
    pub fn run(&self, script: &str) -> Value {
        self.try_run(script).unwrap_or_else(|why| panic!("{script}: {why}"))
    }

    /// Waits until the page shows all of `texts` and none of `not`, whoever makes it do so, and returns all that it shows.
    ///
    /// # Panics
    /// When it does not; says what it shows instead.
    #[track_caller]
    pub fn shows(&self, texts: &[&str], not: &[&str]) -> String {
        let mut waited = Duration::ZERO;
        loop {
            // A page that reloads itself has no answer for a moment.
            let shown = self.try_run(TEXT).map(|text| text.as_str().unwrap_or_default().to_owned());
            let has = |text: &&str| shown.as_ref().is_ok_and(|shown| shown.contains(*text));
            if texts.iter().all(has) && !not.iter().any(has) {
                return shown.unwrap_or_default();
            }
            assert!(waited < BOUND, "waited in vain for {texts:?} without {not:?}; the page shows: {shown:#?}");
            thread::sleep(LOOK);
            waited += LOOK;
        }
    }

    fn try_run(&self, script: &str) -> Result<Value, String> {
        self.command("execute/sync", &json!({ "script": script, "args": [] }))
    }

    fn command(&self, name: &str, argument: &Value) -> Result<Value, String> {
        post(&self.daemon, &format!("/session/{}/{name}", self.session), argument)
    }
}

impl Deref for Browser {
    type Target = Daemon;

    fn deref(&self) -> &Daemon {
        &self.daemon
    }
}

/// Starts the browser and returns the name by which the driver knows it.
fn session(daemon: &Daemon, binary: &Path) -> Result<String, String> {
    let profile = format!("--user-data-dir={}", daemon.folder().join("profile").display());
    let flags: Vec<&str> = FLAGS.iter().copied().chain([profile.as_str()]).collect();
    let options = json!({ "goog:chromeOptions": { "binary": binary, "args": flags } });
    let made = post(daemon, "/session", &json!({ "capabilities": { "alwaysMatch": options } }))?;
    made["sessionId"].as_str().map(str::to_owned).ok_or_else(|| made.to_string())
}

/// Sends one command. Fails with what the driver says.
fn post(daemon: &Daemon, path: &str, argument: &Value) -> Result<Value, String> {
    let body = argument.to_string();
    let port = daemon.port();
    let head = format!("POST {path} HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\ncontent-type: application/json\r\n");
    let mut connection = Http1::connect(SocketAddr::from((Ipv4Addr::LOCALHOST, port)));
    connection.send(format!("{head}content-length: {}\r\nconnection: close\r\n\r\n{body}", body.len()));
    let answer = connection.response().map_err(|broken| format!("{path}: {broken:?}"))?;
    let mut value: Value =
        serde_json::from_slice(&answer.body).map_err(|error| format!("{error}: {}", answer.text()))?;
    match answer.status() {
        200 => Ok(value["value"].take()),
        _ => Err(value["value"]["message"].as_str().unwrap_or_default().to_owned()),
    }
}

fn is_ready(ports: &Ports, _: &Login) -> bool {
    let question = b"GET /status HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n\r\n";
    let answer = probe::ask(ports.get(0), question, |answer| probe::contains(answer, "\r\n\r\n"));
    answer.is_some_and(|answer| answer.starts_with(b"HTTP/1.1 200"))
}
