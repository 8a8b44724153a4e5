//! Bytes to a server and bytes from it.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{Ipv4Addr, TcpStream};
use std::time::Duration;

use wharf_testkit::BOUND;

/// How long silence has to last to be one. A server that is up answers in a thousandth of it.
const SILENCE: Duration = Duration::from_millis(300);

/// A connection to a port of loopback.
pub(crate) struct Wire(TcpStream);

impl Wire {
    pub(crate) fn to(port: u16) -> Wire {
        Wire(TcpStream::connect((Ipv4Addr::LOCALHOST, port)).expect("the server listens"))
    }

    /// Sends bytes and returns what comes, until `end` does.
    pub(crate) fn ask(&mut self, question: impl AsRef<[u8]>, end: impl AsRef<[u8]>) -> String {
        let (end, mut answer, mut piece) = (end.as_ref(), Vec::new(), [0; 4096]);
        self.0.set_read_timeout(Some(BOUND)).unwrap();
        self.0.write_all(question.as_ref()).expect("the server reads");
        while !answer.windows(end.len()).any(|window| window == end) {
            let count = self.0.read(&mut piece).expect("the server answers");
            assert!(count > 0, "the answer ends with {:?}", String::from_utf8_lossy(&answer));
            answer.extend_from_slice(&piece[..count]);
        }
        String::from_utf8_lossy(&answer).into_owned()
    }

    /// Tells whether the server is silent when it gets `question`, with the connection open.
    pub(crate) fn is_silent(&mut self, question: impl AsRef<[u8]>) -> bool {
        self.0.set_read_timeout(Some(SILENCE)).unwrap();
        self.0.write_all(question.as_ref()).unwrap();
        let error = self.0.read(&mut [0; 1]).err();
        error.is_some_and(|error| matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut))
    }

    /// Tells whether the server has ended the connection.
    pub(crate) fn is_broken(&mut self) -> bool {
        self.0.set_read_timeout(Some(BOUND)).unwrap();
        match self.0.read(&mut [0; 1]) {
            Ok(count) => count == 0,
            Err(error) => error.kind() == ErrorKind::ConnectionReset,
        }
    }
}

/// Tells whether nobody listens at a port.
pub(crate) fn is_refused(port: u16) -> bool {
    TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err_and(|error| error.kind() == ErrorKind::ConnectionRefused)
}
