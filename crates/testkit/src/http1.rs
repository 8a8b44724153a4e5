//! A client of HTTP/1 that shows what came byte by byte, and sends what no decent client would.

use crate::wait::BOUND;
use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};

/// A connection.
#[derive(Debug)]
pub struct Http1 {
    stream: TcpStream,
    /// What was read and not taken yet.
    ahead: Vec<u8>,
}

/// Status line and headers, or trailers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Head {
    /// The status.
    pub status: u16,
    /// Names in lower case, with values, in order.
    pub headers: Vec<(String, String)>,
}

/// A complete answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Response {
    /// Status and headers.
    pub head: Head,
    /// The body without its framing.
    pub body: Vec<u8>,
    /// What came after a chunked body.
    pub trailers: Vec<(String, String)>,
}

/// An answer that is not complete.
#[derive(Debug)]
pub struct Broken {
    /// Status and headers, if they came.
    pub head: Option<Head>,
    /// What came of the body.
    pub body: Vec<u8>,
    /// Why there is no more.
    pub why: io::Error,
}

impl Head {
    /// Returns the first header of that name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

impl Response {
    /// Returns the status.
    pub fn status(&self) -> u16 {
        self.head.status
    }

    /// Returns the first header of that name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.header(name)
    }

    /// Returns the body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

impl Http1 {
    /// Connects.
    ///
    /// # Panics
    /// When that fails.
    pub fn connect(address: SocketAddr) -> Self {
        Self::try_connect(address).unwrap_or_else(|error| panic!("cannot connect to {address}: {error}"))
    }

    /// Connects, if the other side takes it.
    ///
    /// # Errors
    /// When it does not.
    pub fn try_connect(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect_timeout(&address, BOUND)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(BOUND))?;
        stream.set_write_timeout(Some(BOUND))?;
        Ok(Self { stream, ahead: Vec::new() })
    }

    /// Returns the socket.
    pub fn socket(&self) -> &TcpStream {
        &self.stream
    }

    /// Sends bytes.
    ///
    /// # Errors
    /// When the other side does not take them.
    pub fn try_send(&mut self, bytes: impl AsRef<[u8]>) -> io::Result<()> {
        self.stream.write_all(bytes.as_ref())
    }

    /// Sends bytes.
    ///
    /// # Panics
    /// When the other side does not take them.
    #[track_caller]
    pub fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.try_send(bytes).unwrap_or_else(|error| panic!("cannot send: {error}"));
    }

    /// Sends a GET request and reads the answer.
    ///
    /// # Errors
    /// When there is no complete answer.
    pub fn get(&mut self, host: &str, path: &str) -> Result<Response, Broken> {
        let request = format!("GET {path} HTTP/1.1\r\nhost: {host}\r\n\r\n");
        self.try_send(request).map_err(|why| Broken { head: None, body: Vec::new(), why })?;
        self.response()
    }

    /// Closes the sending side.
    pub fn finish_sending(&self) {
        let _ = self.stream.shutdown(Shutdown::Write);
    }

    /// Waits for the other side to close, and tells whether nothing came before.
    pub fn is_closed(&mut self) -> bool {
        self.ahead.is_empty() && self.fill().is_err()
    }

    /// Reads everything until the other side closes.
    ///
    /// # Panics
    /// When it does not.
    #[track_caller]
    pub fn rest(mut self) -> String {
        let why = loop {
            if let Err(error) = self.fill() {
                break error;
            }
        };
        let is_open = matches!(why.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut);
        assert!(!is_open, "the connection is still open");
        String::from_utf8_lossy(&self.ahead).into_owned()
    }

    /// Reads an answer to anything but HEAD.
    ///
    /// # Errors
    /// When it is not complete.
    pub fn response(&mut self) -> Result<Response, Broken> {
        let head = self.head().map_err(|why| Broken { head: None, body: Vec::new(), why })?;
        let mut response = Response { head, ..Response::default() };
        match self.body(&mut response) {
            Ok(()) => Ok(response),
            Err(why) => Err(Broken { head: Some(response.head), body: response.body, why }),
        }
    }

    /// Reads a status line and headers, also those of an interim answer.
    ///
    /// # Errors
    /// When the other side closes before their end.
    pub fn head(&mut self) -> io::Result<Head> {
        let line = self.line()?;
        let status = line.strip_prefix("HTTP/1.").and_then(|rest| rest.get(2..5)?.parse().ok());
        let status = status.ok_or_else(|| invalid(&format!("no status line: {line:?}")))?;
        Ok(Head { status, headers: self.fields()? })
    }

    /// Reads exactly `count` bytes of what follows, framing and all.
    ///
    /// # Errors
    /// When the other side closes before.
    pub fn bytes(&mut self, count: usize) -> io::Result<Vec<u8>> {
        while self.ahead.len() < count {
            self.fill()?;
        }
        Ok(self.ahead.drain(..count).collect())
    }

    /// Reads one chunk of a chunked body; empty at its end, which is then read with its trailers.
    ///
    /// # Errors
    /// When the other side closes before.
    pub fn chunk(&mut self) -> io::Result<Vec<u8>> {
        let chunk = self.one_chunk()?;
        if chunk.is_empty() {
            self.fields()?;
        }
        Ok(chunk)
    }

    fn one_chunk(&mut self) -> io::Result<Vec<u8>> {
        let line = self.line()?;
        let size = line.split(';').next().unwrap_or_default();
        let size = usize::from_str_radix(size, 16).map_err(|_| invalid(&format!("no size of a chunk: {line:?}")))?;
        if size == 0 {
            return Ok(Vec::new());
        }
        let chunk = self.bytes(size)?;
        self.bytes(2)?;
        Ok(chunk)
    }

    fn body(&mut self, response: &mut Response) -> io::Result<()> {
        let status = response.head.status;
        if status < 200 || status == 204 || status == 304 {
            return Ok(());
        }
        if response.header("transfer-encoding") == Some("chunked") {
            loop {
                let chunk = self.one_chunk()?;
                if chunk.is_empty() {
                    response.trailers = self.fields()?;
                    return Ok(());
                }
                response.body.extend(chunk);
            }
        }
        match response.header("content-length").map(str::parse::<usize>) {
            Some(length) => {
                let length = length.map_err(|_| invalid("no content-length"))?;
                while self.ahead.len() < length {
                    if let Err(error) = self.fill() {
                        response.body = std::mem::take(&mut self.ahead);
                        return Err(error);
                    }
                }
                response.body = self.bytes(length)?;
                Ok(())
            }
            None => {
                while self.fill().is_ok() {}
                response.body = std::mem::take(&mut self.ahead);
                Ok(())
            }
        }
    }

    fn fields(&mut self) -> io::Result<Vec<(String, String)>> {
        let mut fields = Vec::new();
        loop {
            let line = self.line()?;
            if line.is_empty() {
                return Ok(fields);
            }
            let (name, value) = line.split_once(':').ok_or_else(|| invalid(&format!("no field: {line:?}")))?;
            fields.push((name.to_ascii_lowercase(), value.trim().to_owned()));
        }
    }

    fn line(&mut self) -> io::Result<String> {
        loop {
            if let Some(end) = self.ahead.windows(2).position(|pair| pair == b"\r\n") {
                let line = String::from_utf8_lossy(&self.ahead[..end]).into_owned();
                self.ahead.drain(..end + 2);
                return Ok(line);
            }
            self.fill()?;
        }
    }

    fn fill(&mut self) -> io::Result<()> {
        let mut buffer = [0; 16 * 1024];
        let read = self.stream.read(&mut buffer)?;
        if read == 0 {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the other side closed the connection"));
        }
        self.ahead.extend_from_slice(&buffer[..read]);
        Ok(())
    }
}

fn invalid(why: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why)
}
