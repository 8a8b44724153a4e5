//! Bodies on both sides of a guest: what a client sends, bounded; what a client is sent, from wherever it comes.

use bytes::Bytes;
use http_body::{Body as HttpBody, Frame, SizeHint};
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};
use wasmtime_wasi_http::Error;
use wharf_runtime::{Failure, GuestBody};

/// The body of a request, which breaks off when it passes its limit.
pub struct LimitedBody<B> {
    inner: B,
    limit_bytes: u64,
    left_bytes: u64,
}

impl<B> LimitedBody<B> {
    /// Bounds `inner` to `limit_bytes`.
    pub fn new(inner: B, limit_bytes: u64) -> Self {
        Self { inner, limit_bytes, left_bytes: limit_bytes }
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
        let Some(frame) = std::task::ready!(Pin::new(&mut self.inner).poll_frame(cx)) else {
            return Poll::Ready(None);
        };
        let frame = frame.map_err(Into::into)?;
        let bytes = frame.data_ref().map_or(0, |data| data.len() as u64);
        match self.left_bytes.checked_sub(bytes) {
            Some(left) => self.left_bytes = left,
            None => return Poll::Ready(Some(Err(Error::HttpRequestBodySize(Some(self.limit_bytes))))),
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
    Guest(Box<GuestBody>),
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
            Self::Guest(body) => Pin::new(body).poll_frame(cx).map_err(BodyError),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Empty => true,
            Self::Whole(bytes) => bytes.is_empty(),
            Self::Guest(body) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Empty => SizeHint::with_exact(0),
            Self::Whole(bytes) => SizeHint::with_exact(bytes.len() as u64),
            Self::Guest(body) => body.size_hint(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_body_util::{BodyExt, Full};

    #[tokio::test]
    async fn a_body_breaks_off_when_it_passes_its_limit() {
        let exact = LimitedBody::new(Full::new(Bytes::from_static(b"12345")), 5).collect().await.unwrap();
        assert_eq!(exact.to_bytes(), "12345");
        let over = LimitedBody::new(Full::new(Bytes::from_static(b"123456")), 5).collect().await;
        assert!(matches!(over, Err(Error::HttpRequestBodySize(Some(5)))));
    }

    #[tokio::test]
    async fn a_whole_body_says_its_size() {
        let body = Body::from("hello");
        assert_eq!(body.size_hint().exact(), Some(5));
        assert_eq!(body.collect().await.unwrap().to_bytes(), "hello");
    }
}
