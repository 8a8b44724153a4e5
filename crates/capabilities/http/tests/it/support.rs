//! Servers that do what a test says, clients with grants for them, and names that lead where a test wants.

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Empty, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use std::collections::HashMap;
use std::io;
use std::net::IpAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use wharf_app::HttpGrant;
use wharf_http::{
    Asked, Body, Client, Error, Limits, Lookup, Network, Quota, Resolver, ResponseBody, Settings, Timeouts, Trust,
};
use wharf_kit::{Usage, Who};

/// No test waits longer for anything.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) type Answer = Response<UnsyncBoxBody<Bytes, io::Error>>;

/// A server on loopback. It ends with the value.
pub(crate) struct Server {
    pub(crate) port: u16,
    accepted: Arc<AtomicUsize>,
    _tasks: JoinSet<()>,
}

impl Server {
    /// Answers the requests of HTTP/1.1, or whatever the TLS settings agree on.
    pub(crate) async fn http<F, Fut>(tls: Option<Arc<rustls::ServerConfig>>, answer: F) -> Self
    where
        F: Fn(Request<Incoming>) -> Fut + Clone + Send + Sync + 'static,
        Fut: Future<Output = Answer> + Send + 'static,
    {
        Self::raw(move |stream, _| {
            let (tls, answer) = (tls.clone(), answer.clone());
            async move {
                let service = service_fn(move |request| {
                    let answer = answer(request);
                    async move { Ok::<_, io::Error>(answer.await) }
                });
                let Some(tls) = tls else {
                    let _ = hyper::server::conn::http1::Builder::new()
                        .serve_connection(TokioIo::new(stream), service)
                        .await;
                    return;
                };
                let Ok(stream) = tokio_rustls::TlsAcceptor::from(tls).accept(stream).await else { return };
                if stream.get_ref().1.alpn_protocol() == Some(b"h2") {
                    let builder = hyper::server::conn::http2::Builder::new(hyper_util::rt::TokioExecutor::new());
                    let _ = builder.serve_connection(TokioIo::new(stream), service).await;
                } else {
                    let builder = hyper::server::conn::http1::Builder::new();
                    let _ = builder.serve_connection(TokioIo::new(stream), service).await;
                }
            }
        })
        .await
    }

    /// Hands over each connection, with its number from 0 on.
    pub(crate) async fn raw<F, Fut>(serve: F) -> Self
    where
        F: Fn(TcpStream, usize) -> Fut + Send + 'static,
        Fut: Future<Output = ()> + Send + 'static,
    {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let accepted = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&accepted);
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                connections.spawn(serve(stream, counter.fetch_add(1, Ordering::SeqCst)));
            }
        });
        Self { port, accepted, _tasks: tasks }
    }

    /// Writes the same bytes on every connection, once a head was read, and then keeps it open.
    pub(crate) async fn saying(bytes: impl Into<Vec<u8>>) -> Self {
        let bytes = bytes.into();
        Self::raw(move |mut stream, _| {
            let bytes = bytes.clone();
            async move {
                read_head(&mut stream).await;
                let _ = stream.write_all(&bytes).await;
                let _ = closed(&mut stream).await;
            }
        })
        .await
    }

    /// Returns how many connections were accepted.
    pub(crate) fn accepted(&self) -> usize {
        self.accepted.load(Ordering::SeqCst)
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }
}

/// Reads until the empty line that ends a head.
pub(crate) async fn read_head(stream: &mut TcpStream) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(_) => break,
        }
    }
    String::from_utf8_lossy(&head).into_owned()
}

/// Reads on until the other end closes the connection.
pub(crate) async fn closed(stream: &mut TcpStream) {
    let mut rest = [0; 4096];
    while stream.read(&mut rest).await.is_ok_and(|read| read > 0) {}
}

/// Waits until a condition holds.
pub(crate) async fn until(what: &str, holds: impl Fn() -> bool) {
    let waiting = async {
        while !holds() {
            tokio::task::yield_now().await;
        }
    };
    assert!(tokio::time::timeout(PATIENCE, waiting).await.is_ok(), "{what}");
}

/// Waits for what a test needs to go on.
pub(crate) async fn soon<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, future).await.expect("something that should happen soon did not happen")
}

/// Leads names where a test wants; the last answer stays.
#[derive(Clone, Default)]
pub(crate) struct Names {
    answers: Arc<Mutex<HashMap<String, Vec<Vec<IpAddr>>>>>,
    pub(crate) asked: Arc<AtomicUsize>,
}

impl Names {
    pub(crate) fn with(self, name: &str, answers: &[&[&str]]) -> Self {
        let answers =
            answers.iter().map(|answer| answer.iter().map(|ip| ip.parse().unwrap()).collect()).rev().collect();
        self.answers.lock().unwrap().insert(name.to_owned(), answers);
        self
    }
}

impl Resolver for Names {
    fn look_up(&self, name: &str) -> Lookup {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let mut answers = self.answers.lock().unwrap();
        let found = answers
            .get_mut(name)
            .and_then(|answers| if answers.len() > 1 { answers.pop() } else { answers.last().cloned() });
        Box::pin(async move { found.ok_or_else(|| io::Error::other("no such name")) })
    }
}

/// What a test's client is made of.
pub(crate) struct Setup {
    pub(crate) grants: Vec<String>,
    pub(crate) limits: Limits,
    pub(crate) timeouts: Timeouts,
    pub(crate) trust: Trust,
    pub(crate) names: Names,
    pub(crate) quota: Arc<Quota>,
    pub(crate) usage: Arc<Usage>,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            grants: vec!["*://127.0.0.1:*".to_owned()],
            limits: Limits::default(),
            timeouts: Timeouts { connect: PATIENCE, first_byte: PATIENCE, between_bytes: PATIENCE },
            trust: Trust::default(),
            names: Names::default(),
            quota: Arc::new(Quota::new(16)),
            usage: Arc::default(),
        }
    }
}

impl Setup {
    pub(crate) fn client(self) -> Client {
        let network = Network {
            settings: Settings { timeouts: self.timeouts, limits: self.limits, servers: Vec::new() },
            trust: self.trust,
            resolver: Arc::new(self.names),
        };
        let who = Who { app: "shop".into(), component: "front".into() };
        let grants = self.grants.iter().map(|text| HttpGrant::parse(text).unwrap()).collect();
        Client::new(Arc::new(network), who, grants, self.quota, self.usage)
    }
}

/// Returns a client that may reach every server on loopback.
pub(crate) fn client() -> Client {
    Setup::default().client()
}

pub(crate) fn empty() -> Body {
    Empty::new().map_err(|never| match never {}).boxed_unsync()
}

pub(crate) fn get(url: &str) -> Request<Body> {
    Request::get(url).body(empty()).unwrap()
}

pub(crate) fn post(
    url: &str,
    body: impl http_body::Body<Data = Bytes, Error = Error> + Send + 'static,
) -> Request<Body> {
    Request::post(url).body(body.boxed_unsync()).unwrap()
}

pub(crate) async fn send(client: &Client, request: Request<Body>) -> Result<Response<ResponseBody>, Error> {
    soon(client.send(request, Asked::default())).await.map(|(response, _)| response)
}

/// Sends a request and reads the answer's body.
pub(crate) async fn text(client: &Client, request: Request<Body>) -> Result<String, Error> {
    let body = send(client, request).await?.into_body();
    let collected = soon(body.collect()).await?;
    Ok(String::from_utf8_lossy(&collected.to_bytes()).into_owned())
}

pub(crate) fn answer(body: impl Into<Bytes>) -> Answer {
    Response::new(Full::new(body.into()).map_err(|never| match never {}).boxed_unsync())
}

/// Returns the error of what must not succeed.
pub(crate) fn refused<T>(result: Result<T, Error>) -> Error {
    match result {
        Ok(_) => panic!("this was to fail"),
        Err(error) => error,
    }
}
