//! A decent client of HTTP/1 and HTTP/2: hyper's.

use crate::certificate::Certificate;
use crate::wait::BOUND;
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Channel, Empty, Full, channel};
use hyper::body::Incoming;
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use std::convert::Infallible;
use std::net::SocketAddr;
use tokio::net::TcpStream;
use tokio::task::JoinSet;

/// The body of a request.
pub type RequestBody = UnsyncBoxBody<Bytes, Infallible>;

/// Returns a body with nothing in it.
pub fn empty() -> RequestBody {
    Empty::new().boxed_unsync()
}

/// Returns a body that is all there.
pub fn full(bytes: impl Into<Bytes>) -> RequestBody {
    Full::new(bytes.into()).boxed_unsync()
}

/// Returns a body and where to put its pieces.
pub fn piecewise() -> (channel::Sender<Bytes, Infallible>, RequestBody) {
    let (sender, body) = Channel::new(1);
    (sender, body.boxed_unsync())
}

/// A connection. Closed when dropped.
pub struct Connection {
    sender: Sender,
    _task: JoinSet<()>,
}

enum Sender {
    Http1(http1::SendRequest<RequestBody>),
    Http2(http2::SendRequest<RequestBody>),
}

impl Connection {
    /// Connects and speaks HTTP/2 at once.
    pub async fn http2(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).await.unwrap_or_else(|error| panic!("cannot connect: {error}"));
        Self::speak_http2(stream).await
    }

    /// Connects by TLS and speaks what is agreed on, of what is offered.
    ///
    /// # Panics
    /// When the handshake fails.
    pub async fn tls(address: SocketAddr, certificate: &Certificate, offered: &[&[u8]]) -> (Self, Option<Vec<u8>>) {
        let stream = TcpStream::connect(address).await.unwrap_or_else(|error| panic!("cannot connect: {error}"));
        let name = "localhost".try_into().expect("a name");
        let connector = tokio_rustls::TlsConnector::from(certificate.client(offered));
        let stream = connector.connect(name, stream).await.unwrap_or_else(|error| panic!("no handshake: {error}"));
        let agreed = stream.get_ref().1.alpn_protocol().map(<[u8]>::to_vec);
        let connection = if agreed.as_deref() == Some(b"h2") {
            Self::speak_http2(stream).await
        } else {
            Self::speak_http1(stream).await
        };
        (connection, agreed)
    }

    async fn speak_http1(stream: impl hyper_io::Stream) -> Self {
        let (sender, connection) =
            http1::handshake(TokioIo::new(stream)).await.unwrap_or_else(|error| panic!("no HTTP/1: {error}"));
        let mut task = JoinSet::new();
        task.spawn(async { drop(connection.await) });
        Self { sender: Sender::Http1(sender), _task: task }
    }

    async fn speak_http2(stream: impl hyper_io::Stream) -> Self {
        let handshake = http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await;
        let (sender, connection) = handshake.unwrap_or_else(|error| panic!("no HTTP/2: {error}"));
        let mut task = JoinSet::new();
        task.spawn(async { drop(connection.await) });
        Self { sender: Sender::Http2(sender), _task: task }
    }

    /// Sends a request and waits for the head of its answer.
    ///
    /// # Errors
    /// When there is none.
    pub async fn send(&mut self, request: Request<RequestBody>) -> hyper::Result<Response<Incoming>> {
        let answer = async {
            match &mut self.sender {
                Sender::Http1(sender) => sender.send_request(request).await,
                Sender::Http2(sender) => sender.send_request(request).await,
            }
        };
        tokio::time::timeout(BOUND, answer).await.unwrap_or_else(|_| panic!("no answer"))
    }

    /// Sends a GET request and takes the whole answer.
    ///
    /// # Errors
    /// When it is broken.
    pub async fn get(&mut self, url: &str) -> hyper::Result<Response<Bytes>> {
        let request = Request::get(url);
        let host = url.split('/').nth(2).unwrap_or_default();
        let request = match &self.sender {
            Sender::Http1(_) => request.header("host", host),
            Sender::Http2(_) => request,
        };
        let answer = self.send(request.body(empty()).unwrap_or_else(|error| panic!("{url}: {error}"))).await?;
        let (parts, body) = answer.into_parts();
        let body =
            tokio::time::timeout(BOUND, body.collect()).await.unwrap_or_else(|_| panic!("no end of the body"))?;
        Ok(Response::from_parts(parts, body.to_bytes()))
    }
}

mod hyper_io {
    //! What both protocols ask of a stream.

    use tokio::io::{AsyncRead, AsyncWrite};

    pub(super) trait Stream: AsyncRead + AsyncWrite + Unpin + Send + 'static {}

    impl<T: AsyncRead + AsyncWrite + Unpin + Send + 'static> Stream for T {}
}
