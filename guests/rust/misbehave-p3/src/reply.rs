//! A response as a guest sees it: a head that the handler returns, a body that a task writes afterwards.

use std::future::Future;

use wasip3::http::types::{ErrorCode, Fields, Request, Response, Trailers};
use wasip3::wit_bindgen::{FutureReader, FutureWriter, StreamReader, StreamResult, StreamWriter};
use wasip3::{wit_future, wit_stream};

type BodyEnd = Result<Option<Trailers>, ErrorCode>;

/// The body of a response whose head is on its way.
pub(crate) struct Body {
    stream: StreamWriter<u8>,
    end: FutureWriter<BodyEnd>,
}

impl Body {
    /// Sends one piece; `false` says that nobody takes it any more.
    pub(crate) async fn send(&mut self, piece: &[u8]) -> bool {
        self.stream.write_all(piece.to_vec()).await.is_empty()
    }

    /// Offers a write of no bytes; `false` says that nobody reads any more.
    pub(crate) async fn send_nothing(&mut self) -> bool {
        self.stream.write(Vec::new()).await.0 != StreamResult::Dropped
    }

    pub(crate) async fn finish(self, end: BodyEnd) {
        drop(self.stream);
        let _ = self.end.write(end).await;
    }
}

/// Makes a response and starts the task that writes its body.
pub(crate) fn start<W, F>(status: u16, headers: Fields, write: W) -> Response
where
    W: FnOnce(Body) -> F,
    F: Future<Output = ()> + 'static,
{
    let (stream, contents) = wit_stream::new();
    let (end, trailers) = wit_future::new(|| Ok(None));
    let (response, _sent) = Response::new(headers, Some(contents), trailers);
    let _ = response.set_status_code(status);
    wasip3::spawn(write(Body { stream, end }));
    response
}

/// Makes a whole response of text.
pub(crate) fn text(status: u16, text: String) -> Response {
    let headers = Fields::new();
    let _ = headers.append("content-type", b"text/plain; charset=utf-8");
    start(status, headers, |mut body| async move {
        body.send(text.as_bytes()).await;
        body.finish(Ok(None)).await;
    })
}

/// A request's or response's body while it is read.
pub(crate) struct Pieces {
    stream: StreamReader<u8>,
    end: FutureReader<BodyEnd>,
}

impl Pieces {
    pub(crate) fn of_request(request: Request) -> Pieces {
        let (_, consumed) = wit_future::new(|| Ok(()));
        let (stream, end) = Request::consume_body(request, consumed);
        Pieces { stream, end }
    }

    pub(crate) fn of_response(response: Response) -> Pieces {
        let (_, consumed) = wit_future::new(|| Ok(()));
        let (stream, end) = Response::consume_body(response, consumed);
        Pieces { stream, end }
    }

    /// Returns the next piece; none at the end or when the sender went away.
    pub(crate) async fn next(&mut self) -> Option<Vec<u8>> {
        let (result, piece) = self.stream.read(Vec::with_capacity(64 * 1024)).await;
        (result != StreamResult::Dropped || !piece.is_empty()).then_some(piece)
    }

    /// Waits for what follows the body.
    pub(crate) async fn end(self) -> BodyEnd {
        drop(self.stream);
        self.end.await
    }
}
