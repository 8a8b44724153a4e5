//! The guest's side: a `wharf up` on one core, asked to make many calls in one request, or few in many at a time.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use tempfile::TempDir;
use wharf_testkit::{Certificate, Http1};

use crate::CONCURRENCY;
use crate::web::Ports;

/// Where everything is that calls go to.
pub struct Servers {
    pub redis: String,
    pub postgres: String,
    pub web: Ports,
    /// What the web server shows where it speaks TLS.
    pub identity: Certificate,
}

/// A running program, ended when dropped.
pub struct Wharf {
    child: Child,
    address: SocketAddr,
    _folder: TempDir,
}

/// Calls of one request while calls a second are counted: enough that the request itself does not matter. With 50 it was a third of the work.
const CALLS: u64 = 1000;

impl Wharf {
    /// Starts the program; `more` is added to the operator's file.
    pub fn start(wharf: &Path, laps: &Path, servers: &Servers, more: &str) -> Result<Self> {
        let folder = TempDir::new()?;
        let (redis, postgres, Ports { plain, tls }) = (&servers.redis, &servers.postgres, servers.web);
        let authority = servers.identity.certificate();
        fs::copy(laps, folder.path().join("laps.wasm"))?;
        let manifest = format!(
            "name = \"laps\"\n[component.laps]\nsource = \"laps.wasm\"\n\
             [component.laps.limits]\ncpu = \"5m\"\nwall = \"5m\"\nconcurrency = 256\n\
             [component.laps.grants]\nhttp = [\"http://127.0.0.1:{plain}\", \"https://127.0.0.1:{tls}\"]\n\
             keyvalue = {{ memory = {{ concurrency = 256 }}, redb = {{ concurrency = 256 }}, redis = {{ concurrency = 256 }} }}\n\
             sql = {{ sqlite = {{ concurrency = 256 }}, postgres = {{ concurrency = 256 }} }}\n\
             [[trigger.http]]\nroute = \"/...\"\ncomponent = \"laps\"\n"
        );
        let operator = format!(
            "{more}[keyvalue.memory]\nbackend = \"memory\"\n[keyvalue.redb]\nbackend = \"redb\"\n\
             [keyvalue.redis]\nbackend = \"redis\"\nurl = \"{redis}\"\n\
             [sql.sqlite]\nbackend = \"sqlite\"\n[sql.postgres]\nbackend = \"postgres\"\nurl = \"{postgres}\"\nshared-user = true\n\
             [http.server.\"https://127.0.0.1:{tls}\"]\nauthorities = \"{}\"\nplatform-authorities = false\n",
            authority.display()
        );
        fs::write(folder.path().join("wharf.toml"), manifest)?;
        fs::write(folder.path().join("node.toml"), operator)?;
        let mut command = Command::new(wharf);
        command.arg("up").arg(folder.path()).args(["--listen", "127.0.0.1:0", "--quiet", "--cores", "1"]);
        let mut child = command.stdout(Stdio::piped()).spawn().with_context(|| format!("{}", wharf.display()))?;
        let mut line = String::new();
        BufReader::new(child.stdout.take().context("it has a stdout")?).read_line(&mut line)?;
        let address = line.split_whitespace().next().and_then(|url| url.strip_prefix("http://"));
        let address = address.and_then(|address| address.parse().ok());
        let address = address.with_context(|| format!("it did not start: {line}"))?;
        Ok(Self { child, address, _folder: folder })
    }

    /// Returns the nanoseconds of one call, by the guest's clock, with `count` calls in a row in one request.
    pub fn nanos(&self, path: &str, count: u64) -> Result<f64> {
        Ok(ask(&mut Http1::connect(self.address), path, count)? as f64 / count as f64)
    }

    /// Returns how many calls a second the guest makes, with many requests at a time.
    pub fn calls_per_second(&self, path: &str, time: Duration) -> Result<f64> {
        let (calls, stop) = (AtomicU64::new(0), AtomicBool::new(false));
        let started = Instant::now();
        std::thread::scope(|scope| {
            let askers: Vec<_> = (0..CONCURRENCY)
                .map(|_| {
                    scope.spawn(|| {
                        let mut connection = Http1::connect(self.address);
                        while !stop.load(Ordering::Relaxed) {
                            ask(&mut connection, path, CALLS)?;
                            calls.fetch_add(CALLS, Ordering::Relaxed);
                        }
                        Ok(())
                    })
                })
                .collect();
            std::thread::sleep(time);
            stop.store(true, Ordering::Relaxed);
            askers.into_iter().try_for_each(|asker| match asker.join() {
                Ok(result) => result,
                Err(_) => bail!("an asker panicked"),
            })
        })?;
        Ok(calls.into_inner() as f64 / started.elapsed().as_secs_f64())
    }
}

fn ask(connection: &mut Http1, path: &str, count: u64) -> Result<u64> {
    let mark = if path.contains('?') { '&' } else { '?' };
    let answer = connection.get("laps", &format!("{path}{mark}count={count}"));
    let answer = answer.map_err(|broken| anyhow::anyhow!("{path}: {broken:?}"))?;
    if answer.status() != 200 {
        bail!("{path}: {} {}", answer.status(), answer.text());
    }
    answer.text().parse().with_context(|| format!("{path}: {}", answer.text()))
}

impl Drop for Wharf {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
