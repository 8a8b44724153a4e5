//! Redis.

use std::fs;
use std::ops::Deref;

use super::daemon::{Daemon, End, Login, Recipe};
use super::ports::Ports;
use super::{find, probe};

/// A running redis-server.
#[derive(Debug)]
pub struct Redis {
    daemon: Daemon,
    password: Option<String>,
}

/// How a [`Redis`] is to be.
#[derive(Clone, Debug, Default)]
pub struct Options {
    password: Option<String>,
    in_memory: bool,
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

    /// Returns `redis://[default:PASSWORD@]127.0.0.1:PORT/0`.
    pub fn url(&self) -> String {
        // With the name of the user that has no name: some clients send an empty one otherwise.
        let user = self.password.iter().map(|password| format!("default:{password}@")).collect::<String>();
        format!("redis://{user}127.0.0.1:{}/0", self.port())
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
        let daemon = Daemon::start(1, None, |folder, ports| {
            let port = ports.get(0);
            let settings = folder.join("redis.conf");
            fs::write(&settings, self.lines(port)).expect("a server's folder can be written");
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
        Some(Redis { daemon, password })
    }

    /// Relative paths are in the server's folder, where it starts.
    fn lines(&self, port: u16) -> String {
        let persistence = match self.in_memory {
            true => "appendonly no",
            false => "appendonly yes\nappendfsync always",
        };
        let password = self.password.iter().map(|password| format!("requirepass \"{password}\"\n")).collect::<String>();
        let settings = self.settings.join("\n");
        format!("bind 127.0.0.1\nport {port}\nsave \"\"\n{persistence}\n{password}{settings}\n")
    }
}

impl Deref for Redis {
    type Target = Daemon;

    fn deref(&self) -> &Daemon {
        &self.daemon
    }
}

/// While it loads its data it answers with an error.
fn is_ready(ports: &Ports, login: &Login) -> bool {
    let auth = match login.password.as_str() {
        "" => String::new(),
        password => format!("AUTH \"{password}\"\r\n"),
    };
    let is_pong = |answer: &[u8]| probe::contains(answer, "+PONG\r\n");
    let is_enough = |answer: &[u8]| is_pong(answer) || probe::contains(answer, "-");
    probe::ask(ports.get(0), format!("{auth}PING\r\n").as_bytes(), is_enough).is_some_and(|answer| is_pong(&answer))
}
