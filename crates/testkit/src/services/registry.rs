//! A small registry and web server on loopback: manifests, blobs, tags, tokens, and answers that no good server gives.

mod answer;

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use sha2::{Digest as _, Sha256};

/// Who is let in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Door {
    /// Everybody.
    #[default]
    Open,
    /// Who fetches a token, which everybody gets.
    Token,
    /// Who fetches a token with this name and password.
    Login(&'static str, &'static str),
    /// Who sends this name and password with each request.
    Basic(&'static str, &'static str),
    /// Nobody.
    Closed,
}

/// A running registry. Ends when dropped.
#[derive(Debug)]
pub struct Registry {
    address: SocketAddr,
    shared: Arc<Mutex<Shared>>,
}

/// What it has.
#[derive(Debug, Default)]
struct Shared {
    /// By path; the query is not part of it.
    answers: BTreeMap<String, Answer>,
    tags: BTreeMap<String, Vec<String>>,
    door: Door,
    requests: Vec<String>,
    /// Requests that are answered 503 before others are served.
    busy: usize,
    has_ended: bool,
}

/// One answer.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// Header lines, without line breaks.
    pub headers: Vec<String>,
    /// The body.
    pub body: Vec<u8>,
    /// Repeats the body until the client leaves.
    pub is_endless: bool,
}

/// The digests of what was pushed.
#[derive(Clone, Debug)]
pub struct Pushed {
    /// Of the manifest.
    pub manifest: String,
    /// Of the bytes.
    pub layer: String,
}

impl Registry {
    /// Starts one.
    pub fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("loopback has a free port");
        let address = listener.local_addr().expect("a listener has an address");
        let shared = Arc::new(Mutex::new(Shared::default()));
        let served = Arc::clone(&shared);
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if lock(&served).has_ended {
                    break;
                }
                let shared = Arc::clone(&served);
                thread::spawn(move || serve(&stream, address, &shared));
            }
        });
        Self { address, shared }
    }

    /// Returns `127.0.0.1:PORT`.
    pub fn host(&self) -> String {
        self.address.to_string()
    }

    /// Lets others in, or fewer.
    pub fn set_door(&self, door: Door) {
        lock(&self.shared).door = door;
    }

    /// Answers 503 to so many requests.
    pub fn set_busy(&self, requests: usize) {
        lock(&self.shared).busy = requests;
    }

    /// Keeps bytes as a WebAssembly artifact.
    pub fn push(&self, repository: &str, tag: &str, bytes: &[u8]) -> Pushed {
        let layer = self.push_blob(repository, bytes);
        let manifest = format!(
            r#"{{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{{"mediaType":"application/vnd.wasm.config.v0+json","digest":"{layer}","size":2}},"layers":[{{"mediaType":"application/wasm","digest":"{layer}","size":{}}}]}}"#,
            bytes.len()
        );
        Pushed { manifest: self.push_manifest(repository, tag, &manifest), layer }
    }

    /// Keeps a blob and returns its digest.
    pub fn push_blob(&self, repository: &str, bytes: &[u8]) -> String {
        let digest = digest(bytes);
        self.answer(&format!("/v2/{repository}/blobs/{digest}"), Answer::ok(bytes));
        digest
    }

    /// Keeps a manifest of any text and returns its digest.
    pub fn push_manifest(&self, repository: &str, tag: &str, manifest: &str) -> String {
        let digest = digest(manifest.as_bytes());
        for name in [tag, &digest] {
            self.answer(&format!("/v2/{repository}/manifests/{name}"), Answer::ok(manifest.as_bytes()));
        }
        let mut shared = lock(&self.shared);
        let tags = shared.tags.entry(repository.to_owned()).or_default();
        if !tags.iter().any(|known| known == tag) {
            tags.push(tag.to_owned());
        }
        digest
    }

    /// Answers a path so, whatever it had before.
    pub fn answer(&self, path: &str, answer: Answer) {
        lock(&self.shared).answers.insert(path.to_owned(), answer);
    }

    /// Returns the requests so far, `GET /path`, and forgets them.
    pub fn requests(&self) -> Vec<String> {
        std::mem::take(&mut lock(&self.shared).requests)
    }
}

impl Answer {
    /// Returns a good answer.
    pub fn ok(body: &[u8]) -> Self {
        Self { status: 200, headers: Vec::new(), body: body.to_vec(), is_endless: false }
    }

    /// Returns an answer without a body.
    pub fn status(status: u16) -> Self {
        Self { status, ..Self::ok(b"") }
    }

    /// Returns an answer that sends elsewhere.
    pub fn redirect(location: &str) -> Self {
        Self { status: 307, headers: vec![format!("location: {location}")], ..Self::ok(b"") }
    }

    /// Returns an answer that never ends.
    pub fn endless() -> Self {
        Self { is_endless: true, ..Self::ok(&[0; 64 << 10]) }
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        lock(&self.shared).has_ended = true;
        // Wakes the thread that waits for connections.
        let _ = TcpStream::connect(self.address);
    }
}

/// Returns `sha256:…`.
pub fn digest(bytes: &[u8]) -> String {
    let hex: String = Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256:{hex}")
}

fn lock(shared: &Mutex<Shared>) -> MutexGuard<'_, Shared> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Answers one request and closes.
fn serve(stream: &TcpStream, address: SocketAddr, shared: &Mutex<Shared>) {
    let mut lines = BufReader::new(stream).take(64 << 10);
    let mut head = Vec::new();
    loop {
        let mut line = String::new();
        match lines.read_line(&mut line) {
            Ok(read) if read > 0 && !line.trim().is_empty() => head.push(line.trim().to_owned()),
            _ => break,
        }
    }
    if head.is_empty() {
        return;
    }
    let answer = answer::answer(&mut lock(shared), address, &head);
    // Whoever leaves in the middle has seen enough.
    let _ = send(stream, &answer);
}

fn send(mut stream: &TcpStream, answer: &Answer) -> std::io::Result<()> {
    let mut head = format!("HTTP/1.1 {} x\r\nconnection: close\r\n", answer.status);
    for header in &answer.headers {
        head.push_str(&format!("{header}\r\n"));
    }
    if !answer.is_endless {
        head.push_str(&format!("content-length: {}\r\n", answer.body.len()));
    }
    stream.write_all(format!("{head}\r\n").as_bytes())?;
    stream.write_all(&answer.body)?;
    if answer.is_endless {
        // Until the client has had enough and leaves.
        loop {
            stream.write_all(&answer.body)?;
        }
    }
    stream.flush()
}
