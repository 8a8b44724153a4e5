//! Turns what a guest prints into log lines, bounded a line and an invocation, in bytes and in lines.
//!
//! In: bytes of the guest's stdout and stderr. Out: [`telemetry::log::Record`]s. Next: `telemetry::log`.
//!
//! The engine's own asynchronous sinks queue empty writes without a bound (GHSA-5m8g-xhq4-4h93), so none of them is used for a served guest.

use bytes::Bytes;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use tokio::io::AsyncWrite;
use wasmtime_wasi::async_trait;
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamResult};
use wharf_telemetry::log::{GuestLine, Log, Logged, Record, Stream};
use wharf_telemetry::{RequestId, Size, clock};

/// The longest line that is kept whole; a longer one is cut into several.
const LINE_BYTES: usize = 8 * 1024;

/// Bytes of a message's line beside its context and its text: the longest level, a colon and spaces.
const HEAD_BYTES: usize = 11;

/// What one invocation may print on one stream; the rest is swallowed after a line that says so, and counted.
const INVOCATION_BYTES: usize = 256 * 1024;

/// Lines that one invocation may print on one stream: short ones cost the log more than they cost the guest. Those of both streams
/// fit into the log's queue, and lines of ordinary length, 64 bytes, reach both bounds at once.
const INVOCATION_LINES: usize = 4096;

/// One stream (stdout or stderr) of one invocation. Clones share the line that is being written.
#[derive(Clone)]
pub struct LineSink(Arc<Mutex<Lines>>);

struct Lines {
    log: Log,
    app: Arc<str>,
    component: Arc<str>,
    request: Option<RequestId>,
    stream: Stream,
    line: Vec<u8>,
    left_bytes: usize,
    left_lines: usize,
    /// What is left out, once a bound was passed.
    dropped: Option<Dropped>,
}

#[derive(Default)]
struct Dropped {
    lines: u64,
    /// Whether the last one has no end yet.
    is_open: bool,
}

impl Dropped {
    fn count(&mut self, piece: &[u8]) {
        self.lines += u64::from(piece.ends_with(b"\n"));
        self.is_open = !piece.is_empty() && !piece.ends_with(b"\n");
    }
}

impl LineSink {
    /// Returns a sink whose lines carry the names given.
    pub fn new(log: Log, app: Arc<str>, component: Arc<str>, request: Option<RequestId>, stream: Stream) -> Self {
        let lines = Lines {
            log,
            app,
            component,
            request,
            stream,
            line: Vec::new(),
            left_bytes: INVOCATION_BYTES,
            left_lines: INVOCATION_LINES,
            dropped: None,
        };
        Self(Arc::new(Mutex::new(lines)))
    }

    /// Writes a message: a line, or several if it is long, which each say its level and context. What was printed before it and has no end
    /// yet is a line of its own.
    pub(crate) fn log(&self, logged: &Logged, message: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).log(logged, message);
    }

    fn push(&self, bytes: &[u8]) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(bytes);
    }
}

impl Lines {
    fn push(&mut self, bytes: &[u8]) {
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            let mut rest = piece;
            if self.dropped.is_none() {
                let taken = if self.left_lines == 0 { 0 } else { piece.len().min(self.left_bytes) };
                self.left_bytes -= taken;
                self.push_piece(&piece[..taken]);
                rest = &piece[taken..];
                if !rest.is_empty() {
                    self.stop();
                }
            }
            if let Some(dropped) = &mut self.dropped {
                dropped.count(rest);
            }
        }
    }

    fn log(&mut self, logged: &Logged, message: &str) {
        self.emit();
        // Counted too, or messages of little more than a context would cost nothing.
        let head = logged.context.len() + HEAD_BYTES;
        let mut rest = message;
        while self.dropped.is_none() {
            let room = self.left_bytes.min(LINE_BYTES).saturating_sub(head);
            let (part, more) = rest.split_at(rest.floor_char_boundary(room));
            if self.left_lines == 0 || room == 0 || (part.is_empty() && !rest.is_empty()) {
                self.stop();
                break;
            }
            self.left_bytes -= head + part.len();
            self.left_lines -= 1;
            self.write(Some(logged.clone()), part.to_owned());
            if more.is_empty() {
                return;
            }
            rest = more;
        }
        if let Some(dropped) = &mut self.dropped {
            dropped.lines += 1;
        }
    }

    /// Says that there is more. How much is known at the end.
    fn stop(&mut self) {
        self.emit();
        let bound = Size::from(INVOCATION_BYTES);
        self.write(None, format!("[more than {bound} or {INVOCATION_LINES} lines; the rest is left out]"));
        self.dropped = Some(Dropped::default());
    }

    fn push_piece(&mut self, piece: &[u8]) {
        let (text, ended) = match piece.split_last() {
            Some((b'\n', text)) => (text.strip_suffix(b"\r").unwrap_or(text), true),
            _ => (piece, false),
        };
        for part in text.chunks(LINE_BYTES) {
            if self.line.len() + part.len() > LINE_BYTES {
                self.emit();
            }
            self.line.extend_from_slice(part);
        }
        if ended {
            self.emit_even_if_empty();
        }
    }

    fn emit(&mut self) {
        if !self.line.is_empty() {
            self.emit_even_if_empty();
        }
    }

    fn emit_even_if_empty(&mut self) {
        let text = String::from_utf8_lossy(&self.line).into_owned();
        self.line.clear();
        self.left_lines = self.left_lines.saturating_sub(1);
        self.write(None, text);
    }

    fn write(&self, logged: Option<Logged>, text: String) {
        self.log.write(Record::Guest(GuestLine {
            at: clock::wall(),
            app: Arc::clone(&self.app),
            component: Arc::clone(&self.component),
            request: self.request.clone(),
            stream: self.stream,
            logged,
            text,
        }));
    }
}

impl Drop for Lines {
    fn drop(&mut self) {
        self.emit();
        if let Some(Dropped { lines, is_open }) = self.dropped {
            let lines = lines + u64::from(is_open);
            self.write(None, format!("[{lines} {} left out]", if lines == 1 { "line was" } else { "lines were" }));
        }
    }
}

// === impl StdoutStream: what the engine wants of a sink ===

impl IsTerminal for LineSink {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for LineSink {
    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        Box::new(self.clone())
    }

    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.clone())
    }
}

#[async_trait]
impl Pollable for LineSink {
    async fn ready(&mut self) {}
}

impl OutputStream for LineSink {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.push(&bytes);
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(LINE_BYTES)
    }
}

impl AsyncWrite for LineSink {
    fn poll_write(self: Pin<&mut Self>, _cx: &mut Context<'_>, bytes: &[u8]) -> Poll<std::io::Result<usize>> {
        self.push(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests;
