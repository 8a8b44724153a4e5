//! S3: SeaweedFS behind its S3 gateway.
//!
//! Of what can be had by its name from a public registry it is the one that is a real server in all that clients lean on: it checks
//! signatures, takes uploads in parts, ranges, copies and lists, lets one of many concurrent conditional writes win, and has its
//! data after a kill. It takes two to three seconds to start, and mostly waits: a master, a volume and a filer come up in turn.
//! Doubles start quicker, and take any key, forget all when they end, or ignore conditions.
//!
//! Where it differs from the original: keys are listed folder by folder, so `a/x` comes before `a b`; and no part of a key between
//! slashes may be longer than 255 bytes.

use std::fs;
use std::ops::Deref;
use std::path::Path;

use super::daemon::{Daemon, End, Login, Recipe};
use super::ports::Ports;
use super::tls::Tls;
use super::{find, probe};

/// Ports of the gateway, the filer, the master and the volume, and for each of them one for gRPC.
const PORTS: usize = 8;
/// With TLS there is a second one of the gateway without, where we look whether it is up.
const PLAIN_GATEWAY: usize = PORTS;
const GATEWAY: usize = 0;
const FILER: usize = 1;
const MASTER: usize = 2;
const VOLUME: usize = 3;
const GRPC: usize = 4;

/// A running SeaweedFS with one user, who may do everything.
#[derive(Debug)]
pub struct S3 {
    daemon: Daemon,
    scheme: &'static str,
}

/// How an [`S3`] is to be.
#[derive(Clone, Debug, Default)]
pub struct Options {
    tls: Option<Tls>,
    args: Vec<String>,
}

impl S3 {
    /// The id of the one key.
    pub const ACCESS_KEY: &str = "wharf";
    /// The secret of the one key.
    pub const SECRET_KEY: &str = "wharf-secret";
    /// The region that signatures name.
    pub const REGION: &str = "us-east-1";

    /// Starts one without buckets. Nothing, when the program is missing.
    pub fn start() -> Option<S3> {
        S3::options().start()
    }

    /// Returns what can be set before the start.
    pub fn options() -> Options {
        Options::default()
    }

    /// Returns `http://127.0.0.1:PORT`, or `https://…` with TLS; buckets are the first part of a path.
    pub fn url(&self) -> String {
        format!("{}://127.0.0.1:{}", self.scheme, self.port())
    }

    /// Makes a bucket. Its name has three letters or more.
    ///
    /// # Panics
    /// When the server does not make it.
    pub fn create_bucket(&self, name: &str) {
        // By the filer, which asks for no signature: a bucket is a folder there.
        let filer = self.other_port(FILER);
        let question = format!(
            "POST /buckets/{name}/ HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
        );
        let answer = probe::ask(filer, question.as_bytes(), |answer| probe::contains(answer, "\r\n\r\n"));
        let made = answer.as_ref().is_some_and(|answer| answer.starts_with(b"HTTP/1.1 201"));
        assert!(made, "bucket {name}: {:?}", answer.map(|answer| String::from_utf8_lossy(&answer).into_owned()));
    }
}

impl Options {
    /// Speaks TLS, and nothing else, at its port.
    #[must_use]
    pub fn tls(mut self, tls: Tls) -> Self {
        self.tls = Some(tls);
        self
    }

    /// Adds an argument of `weed server`, such as `-s3.concurrentUploadLimitMB=1`.
    #[must_use]
    pub fn argument(mut self, argument: &str) -> Self {
        self.args.push(argument.to_owned());
        self
    }

    /// Starts it. Nothing, when the program is missing.
    pub fn start(self) -> Option<S3> {
        let program = find::program("weed")?;
        let (scheme, count) = if self.tls.is_some() { ("https", PORTS + 1) } else { ("http", PORTS) };
        let daemon = Daemon::start(count, None, |folder, ports| {
            fs::write(folder.join("s3.json"), users()).expect("a server's folder can be written");
            Recipe {
                program: program.clone(),
                args: self.args(folder, ports),
                owner: None,
                is_ready: if self.tls.is_some() { is_ready_beside_tls } else { is_ready },
                login: Login::default(),
                // Asked to end, it waits for 15 seconds. What it has answered is in its files.
                stop: End::Kill,
                discard: End::Kill,
            }
        });
        Some(S3 { daemon, scheme })
    }

    fn args(&self, folder: &Path, ports: &Ports) -> Vec<String> {
        let parts = [("s3", GATEWAY), ("filer", FILER), ("master", MASTER), ("volume", VOLUME)];
        let tls = self.tls.as_ref().map(|tls| tls_args(tls, folder, ports)).unwrap_or_default();
        let ports = parts.iter().flat_map(|(part, index)| {
            let http = if *index == GATEWAY && self.tls.is_some() { PLAIN_GATEWAY } else { *index };
            let (http, grpc) = (ports.get(http), ports.get(GRPC + index));
            [format!("-{part}.port={http}"), format!("-{part}.port.grpc={grpc}")]
        });
        let folder = folder.display();
        let folders = [
            format!("-dir={folder}"),
            format!("-s3.config={folder}/s3.json"),
            format!("-s3.localSocket={folder}/s3.sock"),
            format!("-filer.localSocket={folder}/filer.sock"),
        ];
        let rest = [
            "-ip=127.0.0.1",
            "-ip.bind=127.0.0.1",
            "-filer",
            "-s3",
            "-s3.allowDeleteBucketNotEmpty=false",
            "-s3.iam=false",
            "-s3.port.iceberg=0",
            "-s3.port.lance=0",
            "-master.telemetry=false",
            // Without peers, and with little patience, the master elects itself before the volume asks for it, which happens once
            // after two seconds and then every five.
            "-master.peers=none",
            "-master.electionTimeout=300ms",
            "-master.heartbeatInterval=50ms",
            "-master.volumeSizeLimitMB=64",
            // Not a share of what is free: on a nearly full disk every write would be refused, after half a minute.
            "-volume.max=100",
            "-volume.minFreeSpace=1MiB",
        ];
        let begin = ["-logtostderr=true", "server"].map(str::to_owned);
        let all = begin.into_iter().chain(folders).chain(rest.map(str::to_owned)).chain(ports);
        all.chain(tls).chain(self.args.iter().cloned()).collect()
    }
}

fn tls_args(tls: &Tls, folder: &Path, ports: &Ports) -> Vec<String> {
    let files = tls.write(folder, None);
    let mut args = vec![
        format!("-s3.port.https={}", ports.get(GATEWAY)),
        format!("-s3.cert.file={}", files.certificate.display()),
        format!("-s3.key.file={}", files.key.display()),
    ];
    if let Some(clients) = files.clients {
        args.extend([format!("-s3.cacert.file={}", clients.display()), "-s3.tlsVerifyClientCert=true".to_owned()]);
    }
    args
}

impl Deref for S3 {
    type Target = Daemon;

    fn deref(&self) -> &Daemon {
        &self.daemon
    }
}

impl Drop for S3 {
    fn drop(&mut self) {
        // Its parts also listen on sockets in a folder that nothing can change.
        for (part, index) in [("s3", GATEWAY), ("filer", FILER), ("master", MASTER), ("volume", VOLUME)] {
            let port = self.other_port(GRPC + index);
            let _ = fs::remove_file(format!("/tmp/seaweedfs-{part}-grpc-{port}.sock"));
        }
    }
}

fn users() -> String {
    let (access, secret) = (S3::ACCESS_KEY, S3::SECRET_KEY);
    let user = serde_json::json!({
        "name": "test",
        "credentials": [{ "accessKey": access, "secretKey": secret }],
        "actions": ["Admin", "Read", "Write", "List", "Tagging"],
    });
    serde_json::json!({ "identities": [user] }).to_string()
}

/// The gateway answers before the volume has told the master of itself; until then objects can be neither written nor read.
fn is_ready(ports: &Ports, _: &Login) -> bool {
    answers(ports, GATEWAY)
}

fn is_ready_beside_tls(ports: &Ports, _: &Login) -> bool {
    answers(ports, PLAIN_GATEWAY)
}

fn answers(ports: &Ports, gateway: usize) -> bool {
    let get = |index, path| {
        let question = format!("GET {path} HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n\r\n");
        let is_whole = |answer: &[u8]| answer.ends_with(b"}") || answer.ends_with(b"\r\n\r\n");
        probe::ask(ports.get(index), question.as_bytes(), is_whole).unwrap_or_default()
    };
    get(gateway, "/healthz").starts_with(b"HTTP/1.1 200") && probe::contains(&get(MASTER, "/dir/status"), "DataNodes")
}
