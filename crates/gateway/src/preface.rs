//! Tells HTTP/2 by prior knowledge from HTTP/1 on a plain connection, by looking at its first bytes without taking them.
//!
//! Source: RFC 9113, section 3.4. A request of HTTP/1 differs within three bytes of the 24; no method is spelled `PRI`.

use std::time::Duration;
use tokio::net::TcpStream;

const PREFACE: &[u8; 24] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// Pause when the first bytes could be either: more are on their way, and looking again at once would spin.
const PAUSE: Duration = Duration::from_millis(10);

/// What a client speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Protocol {
    Http1,
    Http2,
}

/// Waits for the first bytes of a connection. Absent if the client leaves instead.
///
/// Cancel-safe: nothing is taken from the stream.
pub(crate) async fn detect(stream: &TcpStream) -> Option<Protocol> {
    let mut bytes = [0; PREFACE.len()];
    loop {
        let seen = stream.peek(&mut bytes).await.ok()?;
        match judge(&bytes[..seen]) {
            Verdict::Gone => return None,
            Verdict::Is(protocol) => return Some(protocol),
            Verdict::Unclear => tokio::time::sleep(PAUSE).await,
        }
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    Gone,
    Unclear,
    Is(Protocol),
}

fn judge(seen: &[u8]) -> Verdict {
    if seen.is_empty() {
        Verdict::Gone
    } else if seen == PREFACE {
        Verdict::Is(Protocol::Http2)
    } else if PREFACE.starts_with(seen) {
        Verdict::Unclear
    } else {
        Verdict::Is(Protocol::Http1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_told_from_the_preface_as_soon_as_it_can_be() {
        for text in ["G", "POST", "PUT /", "PRI * HTTP/1.1", "\r\n", "\x16\x03\x01"] {
            assert_eq!(judge(text.as_bytes()), Verdict::Is(Protocol::Http1), "{text:?}");
        }
        for text in ["P", "PR", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r"] {
            assert_eq!(judge(text.as_bytes()), Verdict::Unclear, "{text:?}");
        }
        assert_eq!(judge(PREFACE), Verdict::Is(Protocol::Http2));
        assert_eq!(judge(b""), Verdict::Gone);
    }
}
