//! One question to a server and its answer, to see whether it is up.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::time::Duration;

/// How long one look may take. A server that is up answers at once; one that does not is asked again.
const PATIENCE: Duration = Duration::from_secs(2);

/// Sends `question` to a port of loopback, and returns what comes until `is_enough` says so. Nothing, when that does not come.
pub(super) fn ask(port: u16, question: &[u8], is_enough: impl Fn(&[u8]) -> bool) -> Option<Vec<u8>> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE).ok()?;
    stream.set_read_timeout(Some(PATIENCE)).ok()?;
    stream.write_all(question).ok()?;
    let mut answer = Vec::new();
    let mut piece = [0; 4096];
    while !is_enough(&answer) {
        match stream.read(&mut piece) {
            Ok(count) if count > 0 => answer.extend_from_slice(&piece[..count]),
            _ => return None,
        }
    }
    Some(answer)
}

/// Tells whether `bytes` have `text` in them.
pub(super) fn contains(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}
