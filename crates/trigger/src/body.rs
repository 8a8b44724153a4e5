//! Bodies on both sides of a guest: what a client sends, bounded; what a client is sent, from wherever it comes.

use bytes::Bytes;
use http_body::{Body as HttpBody, Frame, SizeHint};
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::sync::oneshot;
use wasmtime_wasi_http::Error;
use wharf_runtime::{Cause, Failure, GuestBody};

/// The body of a request, which breaks off when it passes its limit.
pub(crate) struct LimitedBody<B> {
    inner: B,
    limit_bytes: u64,
    left_bytes: u64,
    passed: Option<oneshot::Sender<Failure>>,
    is_over: bool,
}

impl<B: HttpBody> LimitedBody<B> {
    /// Bounds `inner` to `limit_bytes`. What is returned with it tells when that is passed, whoever reads the body.
    pub(crate) fn new(inner: B, limit_bytes: u64) -> (Self, Overrun) {
        // A declared length was compared with the limit before, and the connection holds the client to it.
        let (passed, overrun) = match inner.size_hint().exact() {
            Some(_) => (None, Overrun::default()),
            None => {
                let (passed, overrun) = oneshot::channel();
                (Some(passed), Overrun(Some(overrun)))
            }
        };
        (Self { inner, limit_bytes, left_bytes: limit_bytes, passed, is_over: false }, overrun)
    }
}

impl<B> LimitedBody<B> {
    fn pass(&mut self) -> Error {
        if let Some(passed) = self.passed.take() {
            // Who was answered already does not care.
            let _ = passed.send(Cause::RequestBody { limit_bytes: self.limit_bytes }.into());
        }
        self.is_over = true;
        Error::HttpRequestBodySize(Some(self.limit_bytes))
    }
}

/// Tells when the body of a request passed its limit. Nothing is paid for a body of declared length.
#[derive(Debug, Default)]
pub struct Overrun(Option<oneshot::Receiver<Failure>>);

impl Overrun {
    /// Ready with the failure when the limit was passed; pending for ever if it was not, or that was told already.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Failure> {
        let Some(receiver) = &mut self.0 else { return Poll::Pending };
        let told = std::task::ready!(Pin::new(receiver).poll(cx));
        self.0 = None;
        told.map_or(Poll::Pending, Poll::Ready)
    }
}

impl<B> HttpBody for LimitedBody<B>
where
    B: HttpBody<Data = Bytes> + Unpin,
    B::Error: Into<Error>,
{
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        if self.is_over {
            // A guest that reads on gets nothing of the rest, were it small enough.
            return Poll::Ready(Some(Err(self.pass())));
        }
        let Some(frame) = std::task::ready!(Pin::new(&mut self.inner).poll_frame(cx)) else {
            return Poll::Ready(None);
        };
        let frame = frame.map_err(Into::into)?;
        let bytes = frame.data_ref().map_or(0, |data| data.len() as u64);
        match self.left_bytes.checked_sub(bytes) {
            Some(left) => self.left_bytes = left,
            None => return Poll::Ready(Some(Err(self.pass()))),
        }
        Poll::Ready(Some(Ok(frame)))
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

/// The body of a response.
pub enum Body {
    /// Nothing.
    Empty,
    /// Bytes that are all here: an error page, a static answer.
    Whole(Bytes),
    /// A guest's.
    Guest {
        /// What it writes.
        body: Box<GuestBody>,
        /// Whether what it reads is too much.
        overrun: Overrun,
    },
    /// What the gateway makes while it is sent.
    Made(Pin<Box<dyn HttpBody<Data = Bytes, Error = BodyError> + Send>>),
}

/// Why a response broke off. The client sees a broken response, never a complete one.
#[derive(Debug)]
pub struct BodyError(pub Failure);

impl fmt::Display for BodyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for BodyError {}

impl From<&'static str> for Body {
    fn from(text: &'static str) -> Self {
        Self::Whole(Bytes::from_static(text.as_bytes()))
    }
}

impl From<String> for Body {
    fn from(text: String) -> Self {
        Self::Whole(text.into())
    }
}

impl HttpBody for Body {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        match &mut *self {
            Self::Empty => Poll::Ready(None),
            Self::Whole(bytes) => {
                let bytes = std::mem::take(bytes);
                *self = Self::Empty;
                Poll::Ready((!bytes.is_empty()).then_some(Ok(Frame::data(bytes))))
            }
            Self::Guest { body, overrun } => {
                let frame = Pin::new(body).poll_frame(cx);
                // Also in the place of its end: what a guest makes of a part of a request is no complete answer.
                if let Poll::Ready(failure) = overrun.poll(cx) {
                    *self = Self::Empty;
                    return Poll::Ready(Some(Err(BodyError(failure))));
                }
                frame.map_err(BodyError)
            }
            Self::Made(body) => body.as_mut().poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Empty => true,
            Self::Whole(bytes) => bytes.is_empty(),
            // While more of the request may come, the end is said by the last poll and not before.
            Self::Guest { body, overrun } => body.is_end_stream() && overrun.0.is_none(),
            Self::Made(body) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Empty => SizeHint::with_exact(0),
            Self::Whole(bytes) => SizeHint::with_exact(bytes.len() as u64),
            Self::Guest { body, .. } => body.size_hint(),
            Self::Made(body) => body.size_hint(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_body_util::{BodyExt, Full};

    #[tokio::test]
    async fn a_body_breaks_off_when_it_passes_its_limit() {
        let exact = LimitedBody::new(Full::new(Bytes::from_static(b"12345")), 5).0.collect().await.unwrap();
        assert_eq!(exact.to_bytes(), "12345");
        let over = LimitedBody::new(Full::new(Bytes::from_static(b"123456")), 5).0.collect().await;
        assert!(matches!(over, Err(Error::HttpRequestBodySize(Some(5)))));
    }

    #[tokio::test]
    async fn what_comes_after_the_limit_is_told_and_not_given() {
        let (mut sender, body) = http_body_util::Channel::<Bytes, Error>::new(3);
        for piece in ["1234", "5678", "9"] {
            sender.send_data(Bytes::from(piece)).await.unwrap();
        }
        drop(sender);
        let (mut body, mut overrun) = LimitedBody::new(body, 5);
        assert_eq!(body.frame().await.unwrap().unwrap().into_data().unwrap(), "1234");
        let poll = |overrun: &mut Overrun| overrun.poll(&mut Context::from_waker(std::task::Waker::noop()));
        assert!(poll(&mut overrun).is_pending());
        for _ in 0..2 {
            assert!(body.frame().await.unwrap().is_err());
        }
        assert!(matches!(poll(&mut overrun), Poll::Ready(failure) if failure.cause.code() == "WHARF-0052"));
        assert!(poll(&mut overrun).is_pending());
    }

    #[tokio::test]
    async fn a_whole_body_says_its_size() {
        let body = Body::from("hello");
        assert_eq!(body.size_hint().exact(), Some(5));
        assert_eq!(body.collect().await.unwrap().to_bytes(), "hello");
    }
}
