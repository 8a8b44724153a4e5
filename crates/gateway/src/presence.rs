//! Notices that a client left while its request is being worked on.
//!
//! A client that closed its socket and one that closed its sending side send the same: an end of stream. Which of them it was is
//! answered by the next bytes that are sent to it, which the one takes and the other resets; before there are any, both get some time.
//! A probe of our own is none of the bytes that could be sent: an empty segment is acknowledged by both, and an interim response is
//! more than some clients of HTTP/1 bear. One that resets the connection, at once or by such an answer, gets no time. HTTP/2 says itself
//! when a client gives up, and TLS is closed by a message: both need no look.

use std::mem::MaybeUninit;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};
use tokio::io::Interest;
use tokio::net::TcpStream;
use tokio::time::Sleep;
use wharf_telemetry::clock;

/// How often a connection is looked at while a request waits. Nothing is paid by requests that take less.
const LOOK: Duration = Duration::from_millis(250);

/// Watches one connection on behalf of one request.
pub(crate) struct Presence {
    stream: Option<Arc<TcpStream>>,
    patience: Duration,
    closed_since: Option<Instant>,
    alarm: Option<Pin<Box<Sleep>>>,
}

#[derive(Debug, PartialEq, Eq)]
enum Client {
    There,
    HalfClosed,
    Gone,
}

impl Presence {
    /// Watches `stream`, if there is one to watch; a half-closed one is given `patience`.
    pub(crate) fn new(stream: Option<Arc<TcpStream>>, patience: Duration) -> Self {
        Self { stream, patience, closed_since: None, alarm: None }
    }

    /// Ready when the client is gone. To be polled only while there is nothing to send.
    pub(crate) fn poll_gone(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some(stream) = &self.stream else { return Poll::Pending };
        let alarm = self.alarm.get_or_insert_with(|| Box::pin(tokio::time::sleep(LOOK)));
        while alarm.as_mut().poll(cx).is_ready() {
            match look(stream) {
                Client::Gone => return Poll::Ready(()),
                Client::There => self.closed_since = None,
                Client::HalfClosed => {
                    let since = *self.closed_since.get_or_insert_with(clock::now);
                    if clock::since(since) >= self.patience {
                        return Poll::Ready(());
                    }
                }
            }
            alarm.as_mut().reset(tokio::time::Instant::now() + LOOK);
        }
        Poll::Pending
    }
}

fn look(stream: &TcpStream) -> Client {
    if is_reset(stream) {
        return Client::Gone;
    }
    let mut byte = [MaybeUninit::uninit()];
    match socket2::SockRef::from(stream).peek(&mut byte) {
        Ok(0) => Client::HalfClosed,
        Ok(_) => Client::There,
        Err(error) if matches!(error.kind(), std::io::ErrorKind::WouldBlock | std::io::ErrorKind::Interrupted) => {
            Client::There
        }
        Err(_) => Client::Gone,
    }
}

/// Tells whether the client reset the connection. Reading does not: after an end of stream it says nothing else any more.
fn is_reset(stream: &TcpStream) -> bool {
    let ready = pin!(stream.ready(Interest::WRITABLE)).poll(&mut Context::from_waker(Waker::noop()));
    matches!(ready, Poll::Ready(Ok(ready)) if ready.is_write_closed())
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::AsyncWriteExt;
    use tokio::net::TcpListener;

    async fn pair() -> (TcpStream, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        (client, listener.accept().await.unwrap().0)
    }

    async fn gone_within(server: TcpStream, patience: Duration, bound: Duration) -> bool {
        let mut presence = Presence::new(Some(Arc::new(server)), patience);
        tokio::time::timeout(bound, std::future::poll_fn(|cx| presence.poll_gone(cx))).await.is_ok()
    }

    #[tokio::test]
    async fn a_client_that_waits_or_sends_ahead_is_there() {
        let (mut client, server) = pair().await;
        client.write_all(b"GET /next").await.unwrap();
        assert!(!gone_within(server, Duration::ZERO, 3 * LOOK).await);
    }

    #[tokio::test]
    async fn a_client_that_resets_is_gone_at_once() {
        let (client, server) = pair().await;
        socket2::SockRef::from(&client).set_linger(Some(Duration::ZERO)).unwrap();
        drop(client);
        assert!(gone_within(server, Duration::from_secs(60), Duration::from_secs(10)).await);
    }

    #[tokio::test]
    async fn a_client_that_closed_is_gone_when_it_refuses_what_is_sent() {
        let (client, mut server) = pair().await;
        drop(client);
        server.write_all(b"HTTP/1.1 200 OK").await.unwrap();
        assert!(gone_within(server, Duration::from_secs(60), Duration::from_secs(10)).await);
    }

    #[tokio::test]
    async fn a_half_closed_client_is_given_time() {
        let (mut client, server) = pair().await;
        client.shutdown().await.unwrap();
        assert!(gone_within(server, 2 * LOOK, Duration::from_secs(10)).await);
        let (mut client, mut server) = pair().await;
        client.shutdown().await.unwrap();
        server.write_all(b"HTTP/1.1 200 OK").await.unwrap();
        assert!(!gone_within(server, Duration::from_secs(60), 4 * LOOK).await);
    }
}
