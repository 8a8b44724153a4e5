//! The simplest client that there can be: what it costs is a part of what is measured.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};

use anyhow::{Result, ensure};

use crate::PATIENCE;

const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";

/// A keep-alive connection.
pub struct Client(TcpStream);

impl Client {
    pub fn connect(address: SocketAddr) -> Result<Client> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        Ok(Client(stream))
    }

    /// Asks and returns the body. Where guests are slow, as under valgrind, it comes in chunks.
    pub fn body(&mut self) -> Result<Vec<u8>> {
        self.0.write_all(REQUEST)?;
        let mut answer = Vec::new();
        let mut piece = [0; 4096];
        loop {
            let length = self.0.read(&mut piece)?;
            ensure!(length > 0, "the connection was closed");
            answer.extend_from_slice(&piece[..length]);
            let Some(end) = answer.windows(4).position(|window| window == b"\r\n\r\n") else { continue };
            let head = String::from_utf8_lossy(&answer[..end]);
            ensure!(head.starts_with("HTTP/1.1 200 "), "answered {head}");
            let body = match head.lines().find_map(|line| line.strip_prefix("content-length: ")) {
                Some(length) => whole(&answer[end + 4..], length.parse()?),
                None => joined(&answer[end + 4..]),
            };
            if let Some(body) = body {
                return Ok(body);
            }
        }
    }
}

fn whole(body: &[u8], length: usize) -> Option<Vec<u8>> {
    body.get(..length).map(<[u8]>::to_vec)
}

/// Returns what is in chunks, if the last of them has come.
fn joined(mut chunks: &[u8]) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let end = chunks.windows(2).position(|window| window == b"\r\n")?;
        let length = usize::from_str_radix(str::from_utf8(&chunks[..end]).ok()?, 16).ok()?;
        let chunk = chunks.get(end + 2..end + 2 + length)?;
        chunks = chunks.get(end + 2 + length + 2..)?;
        if length == 0 {
            return Some(body);
        }
        body.extend_from_slice(chunk);
    }
}
