//! NATS with JetStream.

use std::fs;
use std::ops::Deref;

use super::daemon::{Daemon, End, Login, Recipe};
use super::ports::Ports;
use super::{find, probe};

/// A running nats-server with JetStream.
#[derive(Debug)]
pub struct Nats {
    daemon: Daemon,
    login: Option<(String, String)>,
}

/// How a [`Nats`] is to be.
#[derive(Clone, Debug, Default)]
pub struct Options {
    login: Option<(String, String)>,
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

    /// Returns `nats://[USER:PASSWORD@]127.0.0.1:PORT`.
    pub fn url(&self) -> String {
        let login = self.login.iter().map(|(user, password)| format!("{user}:{password}@")).collect::<String>();
        format!("nats://{login}127.0.0.1:{}", self.port())
    }
}

impl Options {
    /// Has clients log in so; both are part of a URL as they are.
    #[must_use]
    pub fn login(mut self, user: &str, password: &str) -> Self {
        self.login = Some((user.to_owned(), password.to_owned()));
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
        let daemon = Daemon::start(1, None, |folder, ports| {
            let port = ports.get(0);
            let settings = folder.join("nats.conf");
            fs::write(&settings, self.lines(port)).expect("a server's folder can be written");
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
        Some(Nats { daemon, login: self.login })
    }

    /// The folder of JetStream is in the server's folder, where it starts.
    fn lines(&self, port: u16) -> String {
        let login = self.login.iter();
        let login =
            login.map(|(user, password)| format!("authorization {{ user: \"{user}\", password: \"{password}\" }}\n"));
        let settings = self.settings.join("\n");
        let own = format!("listen: \"127.0.0.1:{port}\"\njetstream {{ store_dir: \"jetstream\" }}\n");
        format!("{own}{}{settings}\n", login.collect::<String>())
    }
}

impl Deref for Nats {
    type Target = Daemon;

    fn deref(&self) -> &Daemon {
        &self.daemon
    }
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
