//! MQTT: mosquitto, which speaks versions 3.1.1 and 5.

use std::fs;
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::daemon::{Daemon, End, Login, Recipe};
use super::ports::Ports;
use super::tls::{Files, Tls};
use super::{find, probe};

/// A running mosquitto.
#[derive(Debug)]
pub struct Mqtt {
    daemon: Daemon,
    login: Option<(String, String)>,
    scheme: &'static str,
}

/// How an [`Mqtt`] is to be.
#[derive(Clone, Debug, Default)]
pub struct Options {
    login: Option<(String, String)>,
    tls: Option<Tls>,
    settings: Vec<String>,
}

impl Mqtt {
    /// Starts one that lets everybody in. Nothing, when the program is missing.
    pub fn start() -> Option<Mqtt> {
        Mqtt::options().start()
    }

    /// Returns what can be set before the start.
    pub fn options() -> Options {
        Options::default()
    }

    /// Returns `mqtt://[USER:PASSWORD@]127.0.0.1:PORT`, or `mqtts://…` with TLS.
    pub fn url(&self) -> String {
        let login = self.login.iter().map(|(user, password)| format!("{user}:{password}@")).collect::<String>();
        format!("{}://{login}127.0.0.1:{}", self.scheme, self.port())
    }
}

impl Options {
    /// Has clients log in so; both are part of a URL as they are.
    #[must_use]
    pub fn login(mut self, user: &str, password: &str) -> Self {
        self.login = Some((user.to_owned(), password.to_owned()));
        self
    }

    /// Speaks TLS, and nothing else, at its port.
    #[must_use]
    pub fn tls(mut self, tls: Tls) -> Self {
        self.tls = Some(tls);
        self
    }

    /// Adds a line of `mosquitto.conf`, such as `max_packet_size 1024`.
    #[must_use]
    pub fn setting(mut self, line: &str) -> Self {
        self.settings.push(line.to_owned());
        self
    }

    /// Starts it. Nothing, when a program is missing.
    pub fn start(self) -> Option<Mqtt> {
        let program = find::program("mosquitto")?;
        let passwords = self.login.as_ref().map(|_| find::program("mosquitto_passwd"));
        if passwords == Some(None) {
            return None;
        }
        let passwords = passwords.flatten();
        let (user, password) = self.login.clone().unwrap_or_default();
        // With TLS there is a second port without, where we look whether it is up.
        let (scheme, count) = if self.tls.is_some() { ("mqtts", 2) } else { ("mqtt", 1) };
        let daemon = Daemon::start(count, None, |folder, ports| {
            let settings = folder.join("mosquitto.conf");
            self.write_passwords(folder, passwords.as_ref());
            fs::write(&settings, self.lines(folder, ports)).expect("a server's folder can be written");
            Recipe {
                program: program.clone(),
                args: vec!["-c".to_owned(), settings.display().to_string()],
                owner: None,
                is_ready,
                login: Login { user: user.clone(), password: password.clone() },
                stop: End::Terminate,
                discard: End::Kill,
            }
        });
        Some(Mqtt { daemon, login: self.login, scheme })
    }

    fn write_passwords(&self, folder: &Path, program: Option<&PathBuf>) {
        let (Some(program), Some((user, password))) = (program, &self.login) else { return };
        let mut command = Command::new(program);
        command.args(["-b", "-c"]).arg(folder.join("passwords")).args([user, password]);
        let output = command.output();
        assert!(output.as_ref().is_ok_and(|output| output.status.success()), "{command:?}: {output:?}");
    }

    fn lines(&self, folder: &Path, ports: &Ports) -> String {
        // A listener has the lines below it, up to the next one; the others are for all of them.
        let tls = self.tls.as_ref().map(|tls| tls_lines(&tls.write(folder, None), ports.get(0))).unwrap_or_default();
        let port = ports.last();
        let folder = folder.display();
        let access = match self.login {
            Some(_) => format!("allow_anonymous false\npassword_file {folder}/passwords"),
            None => "allow_anonymous true".to_owned(),
        };
        // As root it would become a user who cannot read its folder.
        let user = if rustix::process::geteuid().is_root() { "user root\n" } else { "" };
        // Saved after every change: by itself it saves twice an hour, and a kill would lose everything.
        let persistence =
            format!("persistence true\npersistence_location {folder}/\nautosave_on_changes true\nautosave_interval 1");
        let settings = self.settings.join("\n");
        format!("listener {port} 127.0.0.1\nlog_dest stderr\n{user}{access}\n{persistence}\n{settings}\n{tls}")
    }
}

impl Deref for Mqtt {
    type Target = Daemon;

    fn deref(&self) -> &Daemon {
        &self.daemon
    }
}

fn tls_lines(files: &Files, port: u16) -> String {
    let (certificate, key) = (files.certificate.display(), files.key.display());
    let clients = files.clients.iter().map(|file| format!("cafile {}\nrequire_certificate true\n", file.display()));
    format!("listener {port} 127.0.0.1\ncertfile {certificate}\nkeyfile {key}\n{}", clients.collect::<String>())
}

/// Connects as a client of version 3.1.1 with a clean session, which leaves nothing behind.
fn is_ready(ports: &Ports, login: &Login) -> bool {
    /// The answer that takes a client: its kind, the length of the rest, no session, return code 0.
    const ACCEPTED: [u8; 4] = [0x20, 2, 0, 0];
    let mut flags = 0x02; // A clean session.
    let mut rest = text("probe");
    if !login.user.is_empty() {
        flags |= 0xc0; // A user and a password follow.
        rest.extend([text(&login.user), text(&login.password)].concat());
    }
    let head = [text("MQTT"), vec![4, flags, 0, 60]].concat();
    let length = u8::try_from(head.len() + rest.len()).ok().filter(|length| *length < 0x80);
    let length = length.expect("a test's user and password have less than 100 letters");
    let question = [vec![0x10, length], head, rest].concat();
    probe::ask(ports.last(), &question, |answer| answer.len() >= ACCEPTED.len())
        .is_some_and(|answer| answer == ACCEPTED)
}

/// Returns a text as MQTT writes it, its length first.
fn text(text: &str) -> Vec<u8> {
    let length = u16::try_from(text.len()).expect("a test's user and password have less than 100 letters");
    [&length.to_be_bytes()[..], text.as_bytes()].concat()
}
