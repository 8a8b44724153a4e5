//! A response as a guest sees it: a head, then pieces of a body, then perhaps trailers.

use std::io::{self, Read as _, Write as _};

use wasip2::http::types::{
    Fields, IncomingBody, IncomingRequest, OutgoingBody, OutgoingResponse, ResponseOutparam, Trailers,
};
use wasip2::io::streams::{InputStream, OutputStream, StreamError};

/// A response whose head is sent.
pub(crate) struct Reply {
    stream: Option<OutputStream>,
    body: OutgoingBody,
}

impl Reply {
    pub(crate) fn start(out: ResponseOutparam, status: u16, headers: Fields) -> Option<Reply> {
        let response = OutgoingResponse::new(headers);
        response.set_status_code(status).ok()?;
        let body = response.body().ok()?;
        ResponseOutparam::set(out, Ok(response));
        let stream = Some(body.write().ok()?);
        Some(Reply { stream, body })
    }

    /// Sends one piece; an error says that nobody takes it any more.
    pub(crate) fn send(&mut self, piece: &[u8]) -> io::Result<()> {
        let Some(stream) = &mut self.stream else { return Ok(()) };
        stream.write_all(piece)?;
        stream.flush()
    }

    /// Writes no bytes, as soon as the host takes a write at all.
    pub(crate) fn send_nothing(&self) -> Result<(), StreamError> {
        let Some(stream) = &self.stream else { return Ok(()) };
        while stream.check_write()? == 0 {
            stream.subscribe().block();
        }
        stream.write(&[])
    }

    pub(crate) fn finish(mut self, trailers: Option<Trailers>) {
        drop(self.stream.take());
        let _ = OutgoingBody::finish(self.body, trailers);
    }
}

/// Sends a whole response of text.
pub(crate) fn text(out: ResponseOutparam, status: u16, text: &str) {
    let headers = Fields::new();
    let _ = headers.append("content-type", b"text/plain; charset=utf-8");
    if let Some(mut reply) = Reply::start(out, status, headers) {
        let _ = reply.send(text.as_bytes());
        reply.finish(None);
    }
}

/// A request's or response's body while it is read.
pub(crate) struct Pieces {
    stream: Option<InputStream>,
    body: Option<IncomingBody>,
}

impl Pieces {
    pub(crate) fn of(request: &IncomingRequest) -> Pieces {
        Pieces::open(request.consume().ok())
    }

    pub(crate) fn open(body: Option<IncomingBody>) -> Pieces {
        Pieces { stream: body.as_ref().and_then(|body| body.stream().ok()), body }
    }

    /// Returns the next piece; none at the end or when the sender went away.
    pub(crate) fn next(&mut self) -> Option<Vec<u8>> {
        let mut piece = vec![0; 64 * 1024];
        let length = self.stream.as_mut()?.read(&mut piece).ok()?;
        piece.truncate(length);
        (length > 0).then_some(piece)
    }

    /// Waits for what follows the body.
    pub(crate) fn trailers(mut self) -> Option<Trailers> {
        drop(self.stream.take());
        let future = IncomingBody::finish(self.body.take()?);
        future.subscribe().block();
        future.get()?.ok()?.ok()?
    }
}
