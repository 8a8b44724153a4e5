//! The smallest HTTP/1.1 client that measures: it knows when the first byte of a body arrived and how long an answer
//! was on the wire.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

/// Bytes of an answer after which something is wrong: the guests say a line.
const ANSWER_BYTES_MAX: usize = 1 << 20;

/// The type of every answer that is expected.
const TEXT: &str = "text/plain; charset=utf-8";

/// A keep-alive connection.
pub(crate) struct Connection {
    stream: TcpStream,
    /// The host that is asked for.
    pub(crate) host: String,
}

/// An answer, read to its end.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) content_type: String,
    pub(crate) body: Vec<u8>,
    /// Bytes of head and body as they were on the wire.
    pub(crate) wire_bytes: usize,
    /// When the first byte of the body, or the end of a body of none, was read.
    pub(crate) first_byte: Instant,
}

/// How the end of a body is known.
enum Framing {
    Length(usize),
    Chunked,
    Closed,
}

// === impl Connection ===

impl Connection {
    /// Connects once, at once.
    pub(crate) fn open(address: SocketAddr, timeout: Duration) -> Result<Connection> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(timeout))?;
        Ok(Connection { stream, host: address.to_string() })
    }

    /// Asks for a path and reads the answer.
    pub(crate) fn get(&mut self, path: &str) -> Result<Answer> {
        self.send(path)?;
        self.receive()
    }

    /// Asks for a path and leaves the answer to [`Connection::receive`].
    pub(crate) fn send(&mut self, path: &str) -> Result<()> {
        // The same request as the load generator's, so that the answers have the same length.
        let request = format!("GET {path} HTTP/1.1\r\nHost: {}\r\n\r\n", self.host);
        self.stream.write_all(request.as_bytes()).context("cannot send the request")
    }

    /// Tells whether an answer, or the end of the connection, arrives within the time-out.
    pub(crate) fn has_news(&self) -> Result<bool> {
        match self.stream.peek(&mut [0]) {
            Ok(_) => Ok(true),
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Reads an answer to its end.
    pub(crate) fn receive(&mut self) -> Result<Answer> {
        let mut bytes = Vec::new();
        let head_len = loop {
            if let Some(end) = find(&bytes, b"\r\n\r\n") {
                break end + 4;
            }
            self.read_more(&mut bytes)?;
        };
        let head = String::from_utf8_lossy(&bytes[..head_len]).into_owned();
        let framing = framing(&head)?;
        let mut first_byte = Instant::now();
        let body = loop {
            let arrived = &bytes[head_len..];
            if let Some(body) = complete(arrived, &framing)? {
                break body;
            }
            let was_empty = arrived.is_empty();
            let closed = !self.read_more_or_end(&mut bytes)?;
            if was_empty {
                first_byte = Instant::now();
            }
            match (closed, &framing) {
                (false, _) => {}
                (true, Framing::Closed) => break bytes[head_len..].to_vec(),
                (true, _) => bail!("the answer ended in the middle"),
            }
        };
        let content_type = header(&head, "content-type").unwrap_or_default().to_owned();
        Ok(Answer { status: status(&head)?, content_type, body, wire_bytes: bytes.len(), first_byte })
    }

    fn read_more(&mut self, bytes: &mut Vec<u8>) -> Result<()> {
        match self.read_more_or_end(bytes)? {
            true => Ok(()),
            false => bail!("the connection was closed before the answer"),
        }
    }

    /// Returns false at the end of the connection.
    fn read_more_or_end(&mut self, bytes: &mut Vec<u8>) -> Result<bool> {
        if bytes.len() > ANSWER_BYTES_MAX {
            bail!("the answer is longer than {ANSWER_BYTES_MAX} bytes");
        }
        let mut piece = [0; 4096];
        let length = self.stream.read(&mut piece).context("no answer")?;
        bytes.extend_from_slice(&piece[..length]);
        Ok(length > 0)
    }
}

// === impl Answer ===

impl Answer {
    /// Fails unless this is the expected text with a status of 200.
    pub(crate) fn expect(&self, body: &str) -> Result<()> {
        let is = (self.status, self.content_type.as_str(), String::from_utf8_lossy(&self.body));
        if (is.0, is.1, &*is.2) != (200, TEXT, body) {
            bail!("answered {is:?} instead of 200 {body:?}");
        }
        Ok(())
    }
}

/// Asks once on a connection of its own.
pub(crate) fn get(address: SocketAddr, path: &str, timeout: Duration) -> Result<Answer> {
    Connection::open(address, timeout)?.get(path)
}

fn status(head: &str) -> Result<u16> {
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
    status.with_context(|| format!("no status in {head:?}"))
}

fn framing(head: &str) -> Result<Framing> {
    if let Some(length) = header(head, "content-length") {
        return Ok(Framing::Length(length.parse().context("the content-length is no number")?));
    }
    let chunked = header(head, "transfer-encoding").is_some_and(|value| value.eq_ignore_ascii_case("chunked"));
    Ok(if chunked { Framing::Chunked } else { Framing::Closed })
}

fn header<'a>(head: &'a str, wanted: &str) -> Option<&'a str> {
    head.lines().filter_map(|line| line.split_once(':')).find_map(|(name, value)| {
        let fits = name.eq_ignore_ascii_case(wanted);
        fits.then(|| value.trim())
    })
}

/// Returns the body when all of it has arrived.
fn complete(arrived: &[u8], framing: &Framing) -> Result<Option<Vec<u8>>> {
    match framing {
        Framing::Length(length) => Ok(arrived.get(..*length).map(<[u8]>::to_vec)),
        Framing::Chunked => dechunk(arrived),
        Framing::Closed => Ok(None),
    }
}

/// Returns what the chunks hold once the last one, and its empty trailer, has arrived.
pub(crate) fn dechunk(mut rest: &[u8]) -> Result<Option<Vec<u8>>> {
    let mut body = Vec::new();
    loop {
        let Some(end) = find(rest, b"\r\n") else { return Ok(None) };
        let size = String::from_utf8_lossy(&rest[..end]);
        let size = usize::from_str_radix(size.split(';').next().unwrap_or_default().trim(), 16);
        let size = size.context("a chunk has no size")?;
        let start = end + 2;
        let Some(chunk) = rest.get(start..start + size + 2) else { return Ok(None) };
        if size == 0 {
            return Ok(Some(body));
        }
        body.extend_from_slice(&chunk[..size]);
        rest = &rest[start + size + 2..];
    }
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
}
