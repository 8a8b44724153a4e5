//! Redis.

use std::fs;
use std::ops::Deref;
use std::path::Path;

use super::daemon::{Daemon, End, Login, Recipe};
use super::ports::Ports;
use super::tls::{Files, Tls};
use super::{find, probe};

/// A running redis-server.
#[derive(Debug)]
pub struct Redis {
    daemon: Daemon,
    password: Option<String>,
    scheme: &'static str,
}

/// How a [`Redis`] is to be.
#[derive(Clone, Debug, Default)]
pub struct Options {
    password: Option<String>,
    in_memory: bool,
    tls: Option<Tls>,
    settings: Vec<String>,
}

impl Redis {
    /// Starts one that keeps every write and asks for no password. Nothing, when the program is missing.
    pub fn start() -> Option<Redis> {
        Redis::options().start()
    }

    /// Returns what can be set before the start.
    pub fn options() -> Options {
        Options::default()
    }

    /// Returns `redis://[default:PASSWORD@]127.0.0.1:PORT/0`, or `rediss://…` with TLS.
    pub fn url(&self) -> String {
        // With the name of the user that has no name: some clients send an empty one otherwise.
        let user = self.password.iter().map(|password| format!("default:{password}@")).collect::<String>();
        format!("{}://{user}127.0.0.1:{}/0", self.scheme, self.port())
    }
}

impl Options {
    /// Has clients give this password, which is part of a URL as it is.
    #[must_use]
    pub fn password(mut self, password: &str) -> Self {
        self.password = Some(password.to_owned());
        self
    }

    /// Writes nothing to its folder: after an end of any kind it is empty.
    #[must_use]
    pub fn in_memory(mut self) -> Self {
        self.in_memory = true;
        self
    }

    /// Speaks TLS, and nothing else, at its port.
    #[must_use]
    pub fn tls(mut self, tls: Tls) -> Self {
        self.tls = Some(tls);
        self
    }

    /// Adds a line of `redis.conf`, such as `maxmemory 2mb`.
    #[must_use]
    pub fn setting(mut self, line: &str) -> Self {
        self.settings.push(line.to_owned());
        self
    }

    /// Starts it. Nothing, when the program is missing.
    pub fn start(self) -> Option<Redis> {
        let program = find::program("redis-server")?;
        let password = self.password.clone();
        // With TLS there is a second port without, where we look whether it is up.
        let (scheme, count) = if self.tls.is_some() { ("rediss", 2) } else { ("redis", 1) };
        let daemon = Daemon::start(count, None, |folder, ports| {
            let settings = folder.join("redis.conf");
            fs::write(&settings, self.lines(folder, ports)).expect("a server's folder can be written");
            Recipe {
                program: program.clone(),
                args: vec![settings.display().to_string()],
                owner: None,
                is_ready,
                login: Login { password: password.clone().unwrap_or_default(), ..Login::default() },
                stop: End::Terminate,
                discard: End::Kill,
            }
        });
        Some(Redis { daemon, password, scheme })
    }

    /// Relative paths are in the server's folder, where it starts.
    fn lines(&self, folder: &Path, ports: &Ports) -> String {
        let persistence = match self.in_memory {
            true => "appendonly no",
            false => "appendonly yes\nappendfsync always",
        };
        let password = self.password.iter().map(|password| format!("requirepass \"{password}\"\n")).collect::<String>();
        let settings = self.settings.join("\n");
        let port = ports.last();
        let tls = self.tls.as_ref().map(|tls| tls_lines(&tls.write(folder, None), ports.get(0))).unwrap_or_default();
        format!("bind 127.0.0.1\nport {port}\n{tls}save \"\"\n{persistence}\n{password}{settings}\n")
    }
}

impl Deref for Redis {
    type Target = Daemon;

    fn deref(&self) -> &Daemon {
        &self.daemon
    }
}

fn tls_lines(files: &Files, port: u16) -> String {
    let (certificate, key) = (files.certificate.display(), files.key.display());
    // It wants a file of authorities also where it asks no client for a certificate.
    let (clients, wanted) = match &files.clients {
        Some(clients) => (clients.display(), "yes"),
        None => (files.certificate.display(), "no"),
    };
    format!(
        "tls-port {port}\ntls-cert-file {certificate}\ntls-key-file {key}\ntls-ca-cert-file {clients}\n\
         tls-auth-clients {wanted}\n"
    )
}

/// While it loads its data it answers with an error.
fn is_ready(ports: &Ports, login: &Login) -> bool {
    let auth = match login.password.as_str() {
        "" => String::new(),
        password => format!("AUTH \"{password}\"\r\n"),
    };
    let is_pong = |answer: &[u8]| probe::contains(answer, "+PONG\r\n");
    let is_enough = |answer: &[u8]| is_pong(answer) || probe::contains(answer, "-");
    probe::ask(ports.last(), format!("{auth}PING\r\n").as_bytes(), is_enough).is_some_and(|answer| is_pong(&answer))
}
