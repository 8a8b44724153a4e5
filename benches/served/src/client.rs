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

    /// Asks and returns the first bytes of the body, whatever frames them.
    pub fn body(&mut self) -> Result<Vec<u8>> {
        self.0.write_all(REQUEST)?;
        let mut answer = Vec::new();
        let mut piece = [0; 4096];
        loop {
            let length = self.0.read(&mut piece)?;
            ensure!(length > 0, "the connection was closed");
            answer.extend_from_slice(&piece[..length]);
            let head = answer.windows(4).position(|window| window == b"\r\n\r\n");
            // The components answer with one short line: a body that has begun to arrive has arrived.
            if let Some(head) = head.filter(|head| answer.len() > head + 4) {
                ensure!(answer.starts_with(b"HTTP/1.1 200 "), "answered {}", String::from_utf8_lossy(&answer));
                return Ok(answer[head + 4..].to_vec());
            }
        }
    }
}
