//! The address for those who run the node: `/metrics` for Prometheus, `/healthz` for whoever restarts what hangs.
//!
//! In: a bound socket. Out: text. It is apart from the routes of apps, so that no app can answer there and no client can ask.

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

/// Connections at a time: a few scrapers and a person.
const CONNECTIONS: usize = 64;

/// How long a client may take for a request's head, and how long a connection is kept unused.
const PATIENCE: Duration = Duration::from_secs(30);

/// How long to wait before the next try when the system has no descriptor left.
const BACK_OFF: Duration = Duration::from_millis(100);

/// Answers on `listener` until the future is dropped, which ends all connections. `metrics` is called for each scrape.
pub async fn run(listener: TcpListener, metrics: impl Fn() -> String + Send + Sync + 'static) {
    let metrics: Arc<dyn Fn() -> String + Send + Sync> = Arc::new(metrics);
    let mut connections = JoinSet::new();
    loop {
        while connections.len() >= CONNECTIONS {
            connections.join_next().await;
        }
        let Ok((stream, _)) = listener.accept().await else {
            tokio::time::sleep(BACK_OFF).await;
            continue;
        };
        while connections.try_join_next().is_some() {}
        let metrics = Arc::clone(&metrics);
        connections.spawn(async move {
            let service = hyper::service::service_fn(move |request: Request<Incoming>| {
                let answer = answer(&request, &*metrics);
                async move { Ok::<_, Infallible>(answer) }
            });
            let mut server = http1::Builder::new();
            server.timer(TokioTimer::new()).header_read_timeout(PATIENCE);
            // What a scraper breaks off is its own business.
            let _ = server.serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

fn answer<B>(request: &Request<B>, metrics: &dyn Fn() -> String) -> Response<Full<Bytes>> {
    let (status, text) = match (request.method(), request.uri().path()) {
        (&Method::GET | &Method::HEAD, "/metrics") => (StatusCode::OK, metrics()),
        (&Method::GET | &Method::HEAD, "/healthz") => (StatusCode::OK, "ok\n".to_owned()),
        (_, "/metrics" | "/healthz") => (StatusCode::METHOD_NOT_ALLOWED, "only GET and HEAD\n".to_owned()),
        _ => (StatusCode::NOT_FOUND, "there are /metrics and /healthz\n".to_owned()),
    };
    let mut response = Response::new(Full::new(Bytes::from(text)));
    *response.status_mut() = status;
    let plain = http::HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
    response.headers_mut().insert(http::header::CONTENT_TYPE, plain);
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(method: Method, path: &str) -> u16 {
        let request = Request::builder().method(method).uri(path).body(()).unwrap();
        answer(&request, &|| "wharf_capability_calls_total 1\n".to_owned()).status().as_u16()
    }

    #[test]
    fn there_are_two_pages_and_they_can_only_be_read() {
        assert_eq!(status(Method::GET, "/metrics"), 200);
        assert_eq!(status(Method::GET, "/healthz"), 200);
        assert_eq!(status(Method::POST, "/metrics"), 405);
        assert_eq!(status(Method::GET, "/"), 404);
    }
}
