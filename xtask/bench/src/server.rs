//! A server under test: started on its core, waited for, stopped.

use std::fs::{self, File};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use rustix::process::{Pid, Signal, kill_process};

use super::Bench;
use super::client::{self, Answer};
use super::cores;
use super::launch::Launch;

/// How long an answer may take in any benchmark that does not say otherwise.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);
/// How long a server has to end when told to, before it is killed.
const STOP_TIMEOUT: Duration = Duration::from_secs(15);
/// Pause between attempts to connect when no time is measured.
const RETRY: Duration = Duration::from_millis(10);

/// A running server; stopped when dropped.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    child: Child,
    started: Instant,
    log: PathBuf,
    stopped: bool,
}

/// How long a start took.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Started {
    /// Until a connection was accepted.
    pub(crate) connected: Duration,
    /// Until the first byte of an answer's body.
    pub(crate) first_byte: Duration,
}

impl Server {
    /// Starts a server on a core and does not wait for it. What it prints goes to a file in `target/bench/logs`.
    pub(crate) fn spawn(name: &str, launch: &Launch, core: usize, bench: &Bench) -> Result<Server> {
        let (mut command, address, log) = prepare(name, launch, bench)?;
        let (started, child) = cores::on(core, || (Instant::now(), spawn(&mut command)))?;
        Ok(Server { address, child: child?, started, log, stopped: false })
    }

    /// The same on all cores.
    pub(crate) fn spawn_anywhere(name: &str, launch: &Launch, bench: &Bench) -> Result<Server> {
        let (mut command, address, log) = prepare(name, launch, bench)?;
        let started = Instant::now();
        Ok(Server { address, child: spawn(&mut command)?, started, log, stopped: false })
    }

    /// Starts a server and waits until it answers.
    pub(crate) fn start(name: &str, launch: &Launch, core: usize, bench: &Bench) -> Result<Server> {
        let mut server = Server::spawn(name, launch, core, bench)?;
        server.wait_for("/", ANSWER_TIMEOUT)?;
        Ok(server)
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Asks once, on a connection of its own.
    pub(crate) fn get(&self, path: &str) -> Result<Answer> {
        client::get(self.address, path, ANSWER_TIMEOUT)
    }

    /// Waits for an answer, whatever its status.
    pub(crate) fn wait_for(&mut self, path: &str, timeout: Duration) -> Result<Answer> {
        let start = Instant::now();
        loop {
            let error = match client::get(self.address, path, timeout) {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            self.fail_if_ended()?;
            if start.elapsed() > timeout {
                bail!("no answer within {} s: {error:#}; it said: {}", timeout.as_secs(), self.said());
            }
            sleep(RETRY);
        }
    }

    /// Tries to connect all the time, then asks for `/`; times count from the start of the process. Call it right after
    /// [`Server::spawn`].
    pub(crate) fn race(&mut self, expected: &str) -> Result<Started> {
        // Time between two attempts: short beside what is measured, long enough to leave the kernel to the server.
        const PAUSE: Duration = Duration::from_micros(50);
        let mut attempts = 0_u64;
        let mut connection = loop {
            if let Ok(connection) = client::Connection::open(self.address, ANSWER_TIMEOUT) {
                break connection;
            }
            attempts += 1;
            if attempts.is_multiple_of(1000) {
                self.fail_if_ended()?;
                if self.started.elapsed() > ANSWER_TIMEOUT {
                    bail!("nobody listens after {} s: {}", ANSWER_TIMEOUT.as_secs(), self.said());
                }
            }
            // Not a sleep: waking up takes longer than the pause.
            let pause = Instant::now();
            while pause.elapsed() < PAUSE {
                std::hint::spin_loop();
            }
        };
        let connected = self.started.elapsed();
        let answer = connection.get("/")?;
        answer.expect(expected)?;
        Ok(Started { connected, first_byte: answer.first_byte - self.started })
    }

    /// Ends the server as an operator would, and waits for its end.
    pub(crate) fn stop(mut self) -> Result<()> {
        self.end()
    }

    fn end(&mut self) -> Result<()> {
        self.stopped = true;
        if let Some(status) = self.child.try_wait()? {
            return Err(self.ended(status));
        }
        if let Some(pid) = i32::try_from(self.pid()).ok().and_then(Pid::from_raw) {
            kill_process(pid, Signal::TERM)?;
        }
        let start = Instant::now();
        while self.child.try_wait()?.is_none() {
            if start.elapsed() > STOP_TIMEOUT {
                self.child.kill()?;
                self.child.wait()?;
                bail!("the server did not end within {} s of SIGTERM", STOP_TIMEOUT.as_secs());
            }
            sleep(Duration::from_millis(2));
        }
        Ok(())
    }

    fn fail_if_ended(&mut self) -> Result<()> {
        match self.child.try_wait()? {
            Some(status) => {
                self.stopped = true;
                Err(self.ended(status))
            }
            None => Ok(()),
        }
    }

    fn ended(&self, status: ExitStatus) -> anyhow::Error {
        anyhow::anyhow!("the server ended with {status}; it said: {}", self.said())
    }

    /// Returns the end of what the server printed.
    fn said(&self) -> String {
        let text = fs::read(&self.log).unwrap_or_default();
        let tail = &text[text.len().saturating_sub(2000)..];
        String::from_utf8_lossy(tail).trim().to_owned()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // A benchmark that failed leaves no server behind; its own error is the one that is reported.
        if !self.stopped {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

/// Returns the command, the address that it serves at, and the file that it prints to.
fn prepare(name: &str, launch: &Launch, bench: &Bench) -> Result<(Command, SocketAddr, PathBuf)> {
    let address = free_address()?;
    let mut command = launch.command(address, bench)?;
    let logs = bench.out.join("logs");
    fs::create_dir_all(&logs)?;
    let log = logs.join(format!("{}.log", name.replace([' ', '/'], "-")));
    let file = File::create(&log)?;
    command.stdout(file.try_clone()?).stderr(file).stdin(std::process::Stdio::null());
    Ok((command, address, log))
}

fn spawn(command: &mut Command) -> Result<Child> {
    command.spawn().with_context(|| format!("cannot start {}", command.get_program().to_string_lossy()))
}

/// Returns an address that nobody listens on. Known before the server starts, so that a client can wait for it.
fn free_address() -> Result<SocketAddr> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?)
}
