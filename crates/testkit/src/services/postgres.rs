//! PostgreSQL.

mod cluster;

use std::fs;
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::daemon::{Daemon, End, Login, Recipe};
use super::folder::{Owner, give};
use super::ports::Ports;
use super::tls::{Files, Tls};
use super::{find, folder, probe};

/// A running postgres with a cluster of its own. Clients log in by SCRAM.
#[derive(Debug)]
pub struct Postgres {
    daemon: Daemon,
    psql: PathBuf,
}

/// How a [`Postgres`] is to be.
#[derive(Clone, Debug, Default)]
pub struct Options {
    with_fsync: bool,
    tls: Option<Tls>,
    settings: Vec<String>,
}

impl Postgres {
    /// The one user, who may do everything.
    pub const USER: &str = "wharf";
    /// The user's password.
    pub const PASSWORD: &str = "wharf-secret";
    /// The database that is there from the start.
    pub const DATABASE: &str = "postgres";

    /// Starts one. Nothing, when a program is missing.
    pub fn start() -> Option<Postgres> {
        Postgres::options().start()
    }

    /// Returns what can be set before the start.
    pub fn options() -> Options {
        Options::default()
    }

    /// Returns `postgres://USER:PASSWORD@127.0.0.1:PORT/DATABASE`.
    pub fn url(&self) -> String {
        self.url_of(Self::DATABASE)
    }

    /// Returns the URL of another database.
    pub fn url_of(&self, database: &str) -> String {
        format!("postgres://{}:{}@127.0.0.1:{}/{database}", Self::USER, Self::PASSWORD, self.port())
    }

    /// Runs SQL by `psql` and returns what it printed: a line for each row, with `|` between columns.
    ///
    /// # Panics
    /// When it fails; shows what psql said.
    #[track_caller]
    pub fn sql(&self, text: &str) -> String {
        let mut command = Command::new(&self.psql);
        command.args(["--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "--set=ON_ERROR_STOP=1", "--command"]);
        let output = command.arg(text).arg(self.url()).output();
        let output = output.unwrap_or_else(|error| panic!("cannot run {}: {error}", self.psql.display()));
        assert!(output.status.success(), "{text}\n{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).trim_end().to_owned()
    }
}

impl Options {
    /// Waits for the disk at each commit. Without it, data survives a kill of the server and not one of the machine.
    #[must_use]
    pub fn with_fsync(mut self) -> Self {
        self.with_fsync = true;
        self
    }

    /// Speaks TLS to those who ask for it. With an authority for clients, everybody else than [`Postgres::USER`] has to, and shows a
    /// certificate beside the password.
    #[must_use]
    pub fn tls(mut self, tls: Tls) -> Self {
        self.tls = Some(tls);
        self
    }

    /// Adds a setting of `postgresql.conf`, such as `max_connections=5`.
    #[must_use]
    pub fn setting(mut self, setting: &str) -> Self {
        self.settings.push(setting.to_owned());
        self
    }

    /// Starts it. Nothing, when a program is missing.
    pub fn start(self) -> Option<Postgres> {
        let (program, initdb) = (find::program("postgres")?, find::program("initdb")?);
        let psql = find::program("psql")?;
        let owner = cluster::owner();
        let template = cluster::template(&program, &initdb, owner);
        let daemon = Daemon::start(1, owner, |folder, ports| {
            let data = folder.join("data");
            folder::copy(&template, &data, owner).expect("a cluster can be copied");
            let port = ports.get(0);
            let fixed = [
                format!("port={port}"),
                "listen_addresses=127.0.0.1".to_owned(),
                format!("unix_socket_directories={}", folder.display()),
                format!("fsync={}", self.with_fsync),
                // Files of its folder, not of the machine: they go with it.
                "dynamic_shared_memory_type=mmap".to_owned(),
                // Many servers run at once, each with little data.
                "shared_buffers=16MB".to_owned(),
            ];
            let tls = self.tls.as_ref().map(|tls| tls_settings(folder, &tls.write(folder, owner), owner));
            let settings = fixed
                .iter()
                .chain(tls.iter().flatten())
                .chain(&self.settings)
                .flat_map(|setting| ["-c".to_owned(), setting.clone()]);
            Recipe {
                program: program.clone(),
                args: ["-D".to_owned(), data.display().to_string()].into_iter().chain(settings).collect(),
                owner,
                is_ready,
                login: Login::default(),
                // Ends what clients do and writes all; its other ways wait for clients or for a recovery.
                stop: End::Interrupt,
                // Killed, it would leave a piece of the machine's shared memory.
                discard: End::Quit,
            }
        });
        Some(Postgres { daemon, psql })
    }
}

impl Deref for Postgres {
    type Target = Daemon;

    fn deref(&self) -> &Daemon {
        &self.daemon
    }
}

fn tls_settings(folder: &Path, files: &Files, owner: Option<Owner>) -> Vec<String> {
    let files_of = |name: &str, file: &Path| format!("ssl_{name}_file={}", file.display());
    let mut settings = vec!["ssl=on".to_owned(), files_of("cert", &files.certificate), files_of("key", &files.key)];
    if let Some(clients) = &files.clients {
        let hosts = folder.join("hosts.conf");
        let user = Postgres::USER;
        let lines = format!(
            "host all {user} 127.0.0.1/32 scram-sha-256\nhostssl all all 127.0.0.1/32 scram-sha-256 clientcert=verify-ca\n"
        );
        fs::write(&hosts, lines).and_then(|()| give(&hosts, owner)).expect("a server's folder can be written");
        settings.extend([files_of("ca", clients), format!("hba_file={}", hosts.display())]);
    }
    settings
}

/// It is up when it asks for the password. While it starts or recovers it answers with an error.
fn is_ready(ports: &Ports, _: &Login) -> bool {
    const VERSION: u32 = 3 << 16;
    let names = format!("user\0{}\0database\0{}\0\0", Postgres::USER, Postgres::DATABASE);
    let rest = [&VERSION.to_be_bytes()[..], names.as_bytes()].concat();
    let length = u32::try_from(rest.len() + 4).expect("two short names");
    let question = [&length.to_be_bytes()[..], &rest].concat();
    probe::ask(ports.get(0), &question, |answer| !answer.is_empty()).is_some_and(|answer| answer[0] == b'R')
}
