//! A stream of the server's messages, none of which is larger than a call allows: the library reads each of them whole.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_postgres::tls::{ChannelBinding, TlsConnect, TlsStream};

/// A byte for the kind, and the length with itself.
const HEAD_BYTES: usize = 5;

/// How large a message may be.
#[derive(Debug)]
pub(super) struct Limit {
    bytes: AtomicUsize,
    is_passed: AtomicBool,
}

impl Default for Limit {
    fn default() -> Self {
        // What is said at the start is small.
        Self { bytes: AtomicUsize::new(1 << 20), is_passed: AtomicBool::new(false) }
    }
}

impl Limit {
    /// Sets it for a call.
    pub(super) fn set(&self, bytes: usize) {
        self.bytes.store(bytes, Ordering::Relaxed);
    }

    /// Tells whether a message was too large, which ended the connection.
    pub(super) fn is_passed(&self) -> bool {
        self.is_passed.load(Ordering::Relaxed)
    }
}

/// A stream with a limit.
pub(super) struct Frames<S> {
    stream: S,
    limit: Arc<Limit>,
    head: [u8; HEAD_BYTES],
    /// Bytes of the head that are there.
    read: usize,
    /// Bytes of the message that are to come.
    left: usize,
}

impl<S> Frames<S> {
    pub(super) fn new(stream: S, limit: Arc<Limit>) -> Self {
        Self { stream, limit, head: [0; HEAD_BYTES], read: 0, left: 0 }
    }

    fn look(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            let skipped = self.left.min(bytes.len());
            self.left -= skipped;
            bytes = &bytes[skipped..];
            let count = (HEAD_BYTES - self.read).min(bytes.len());
            if self.left > 0 || count == 0 {
                continue;
            }
            self.head[self.read..self.read + count].copy_from_slice(&bytes[..count]);
            self.read += count;
            bytes = &bytes[count..];
            if self.read < HEAD_BYTES {
                continue;
            }
            let [_, a, b, c, d] = self.head;
            let length = u32::from_be_bytes([a, b, c, d]) as usize;
            (self.read, self.left) = (0, length.saturating_sub(4));
            if length > self.limit.bytes.load(Ordering::Relaxed) {
                self.limit.is_passed.store(true, Ordering::Relaxed);
                return Err(io::Error::new(io::ErrorKind::InvalidData, "a message of the database is too large"));
            }
        }
        Ok(())
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Frames<S> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buf.filled().len();
        ready!(Pin::new(&mut this.stream).poll_read(cx, buf))?;
        Poll::Ready(this.look(&buf.filled()[before..]))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Frames<S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write(cx, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }
}

impl<S: TlsStream + Unpin> TlsStream for Frames<S> {
    fn channel_binding(&self) -> ChannelBinding {
        self.stream.channel_binding()
    }
}

/// Puts the limit on what comes out of TLS.
pub(super) struct Within<C> {
    pub(super) connect: C,
    pub(super) limit: Arc<Limit>,
}

impl<S, C> TlsConnect<S> for Within<C>
where
    C: TlsConnect<S>,
    C::Future: Send + 'static,
{
    type Stream = Frames<C::Stream>;
    type Error = C::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Stream, Self::Error>> + Send>>;

    fn connect(self, stream: S) -> Self::Future {
        let (connecting, limit) = (self.connect.connect(stream), self.limit);
        Box::pin(async move { Ok(Frames::new(connecting.await?, limit)) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_measured_however_they_are_cut() {
        let message = |length: u32| [&[b'D'][..], &length.to_be_bytes(), &vec![0xff; length as usize - 4]].concat();
        let bytes = [message(4), message(10), message(100), message(4), message(101)].concat();
        for cut in 1..bytes.len() {
            let limit = Arc::new(Limit::default());
            limit.set(100);
            let mut frames = Frames::new((), Arc::clone(&limit));
            let results: Vec<_> = bytes.chunks(cut).map(|piece| frames.look(piece).is_ok()).collect();
            let good = (bytes.len() - 102 + HEAD_BYTES - 1) / cut;
            assert!(results[..good].iter().all(|is_ok| *is_ok), "{cut}");
            assert!(!results[good] && limit.is_passed(), "{cut}");
        }
    }
}
