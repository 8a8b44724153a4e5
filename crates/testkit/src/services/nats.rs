//! NATS with JetStream.

use std::fs;
use std::ops::Deref;
use std::path::Path;

use super::daemon::{Daemon, End, Login, Recipe};
use super::ports::Ports;
use super::tls::{Files, Tls};
use super::{find, probe};

/// A running nats-server with JetStream.
#[derive(Debug)]
pub struct Nats {
    daemon: Daemon,
    login: Option<(String, String)>,
    scheme: &'static str,
}

/// How a [`Nats`] is to be.
#[derive(Clone, Debug, Default)]
pub struct Options {
    login: Option<(String, String)>,
    tls: Option<Tls>,
    settings: Vec<String>,
}

impl Nats {
    /// Starts one that asks for no password. Nothing, when the program is missing.
    pub fn start() -> Option<Nats> {
        Nats::options().start()
    }

    /// Returns what can be set before the start.
    pub fn options() -> Options {
        Options::default()
    }

    /// Returns `nats://[USER:PASSWORD@]127.0.0.1:PORT`, or `tls://…` with TLS.
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

    /// Says nothing without TLS but that it wants it.
    #[must_use]
    pub fn tls(mut self, tls: Tls) -> Self {
        self.tls = Some(tls);
        self
    }

    /// Adds a line of the server's settings, such as `max_payload: 64KB`.
    #[must_use]
    pub fn setting(mut self, line: &str) -> Self {
        self.settings.push(line.to_owned());
        self
    }

    /// Starts it. Nothing, when the program is missing.
    pub fn start(self) -> Option<Nats> {
        let program = find::program("nats-server")?;
        let (user, password) = self.login.clone().unwrap_or_default();
        // With TLS there is a second port for its health, where we look whether it is up.
        let (scheme, count, is_ready): (_, _, fn(&Ports, &Login) -> bool) =
            if self.tls.is_some() { ("tls", 2, is_healthy) } else { ("nats", 1, is_ready) };
        let daemon = Daemon::start(count, None, |folder, ports| {
            let settings = folder.join("nats.conf");
            fs::write(&settings, self.lines(folder, ports)).expect("a server's folder can be written");
            Recipe {
                program: program.clone(),
                args: vec!["--config".to_owned(), settings.display().to_string()],
                owner: None,
                is_ready,
                login: Login { user: user.clone(), password: password.clone() },
                stop: End::Terminate,
                discard: End::Kill,
            }
        });
        Some(Nats { daemon, login: self.login, scheme })
    }

    /// The folder of JetStream is in the server's folder, where it starts.
    fn lines(&self, folder: &Path, ports: &Ports) -> String {
        let login = self.login.iter();
        let login =
            login.map(|(user, password)| format!("authorization {{ user: \"{user}\", password: \"{password}\" }}\n"));
        let settings = self.settings.join("\n");
        let port = ports.get(0);
        let tls = self.tls.as_ref().map(|tls| tls_lines(&tls.write(folder, None), ports.last())).unwrap_or_default();
        let own = format!("listen: \"127.0.0.1:{port}\"\n{tls}jetstream {{ store_dir: \"jetstream\" }}\n");
        format!("{own}{}{settings}\n", login.collect::<String>())
    }
}

impl Deref for Nats {
    type Target = Daemon;

    fn deref(&self) -> &Daemon {
        &self.daemon
    }
}

fn tls_lines(files: &Files, health: u16) -> String {
    let (certificate, key) = (files.certificate.display(), files.key.display());
    let clients = files.clients.iter().map(|clients| format!(", ca_file: \"{}\", verify: true", clients.display()));
    let clients = clients.collect::<String>();
    // The default of half a second is little on a machine that compiles.
    format!(
        "http: \"127.0.0.1:{health}\"\n\
         tls {{ cert_file: \"{certificate}\", key_file: \"{key}\", timeout: 10{clients} }}\n"
    )
}

/// Asks over HTTP, where it wants TLS from those who speak its own protocol.
fn is_healthy(ports: &Ports, _: &Login) -> bool {
    let question = b"GET /healthz HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n\r\n";
    let answer = probe::ask(ports.last(), question, |answer| probe::contains(answer, "\r\n\r\n"));
    answer.is_some_and(|answer| answer.starts_with(b"HTTP/1.1 200"))
}

fn is_ready(ports: &Ports, login: &Login) -> bool {
    let credentials = match login.user.as_str() {
        "" => String::new(),
        user => format!(r#","user":"{user}","pass":"{}""#, login.password),
    };
    let hello = format!("CONNECT {{\"verbose\":false{credentials}}}\r\nPING\r\n");
    let is_pong = |answer: &[u8]| probe::contains(answer, "PONG\r\n");
    let is_enough = |answer: &[u8]| is_pong(answer) || probe::contains(answer, "-ERR");
    probe::ask(ports.get(0), hello.as_bytes(), is_enough).is_some_and(|answer| is_pong(&answer))
}
