//! The sockets of a Vault: one thread with all connections, which break when it ends.

use std::convert::Infallible;
use std::net::{Ipv4Addr, TcpListener};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};

use bytes::Bytes;
use http::{Request, Response, header};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::runtime;
use tokio::sync::oneshot;
use tokio::task::JoinSet;

use super::answer::answer;
use super::{Fault, State, lock};
use crate::wait::eventually;

/// Connections that wait to be accepted. What the language asks for by default, 128, is passed by a test that calls often.
const BACKLOG: i32 = 4096;

/// A thread that serves until this is dropped.
#[derive(Debug)]
pub(super) struct Server {
    end: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    pub(super) fn start(port: u16, shared: Arc<Mutex<State>>) -> Server {
        let bind = || TcpListener::bind((Ipv4Addr::LOCALHOST, port)).ok();
        let listener = eventually(&format!("port {port}, which is ours"), bind);
        rustix::net::listen(&listener, BACKLOG).expect("a socket of loopback can be set so");
        listener.set_nonblocking(true).expect("a socket of loopback can be set so");
        let (end, ended) = oneshot::channel();
        let thread = thread::spawn(move || {
            let runtime = runtime::Builder::new_current_thread().enable_all().build();
            let runtime = runtime.expect("a runtime can be made");
            runtime.block_on(async {
                tokio::select! {
                    () = serve(listener, shared) => {}
                    _ = ended => {}
                }
            });
        });
        Server { end: Some(end), thread: Some(thread) }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.end.take());
        // A thread that panicked has ended too.
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

async fn serve(listener: TcpListener, shared: Arc<Mutex<State>>) {
    let listener = tokio::net::TcpListener::from_std(listener).expect("a listener can be watched");
    // Dropped with this future, and its connections with it.
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        let shared = Arc::clone(&shared);
        let service = service_fn(move |request| respond(Arc::clone(&shared), request));
        connections.spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
        while connections.try_join_next().is_some() {}
    }
}

async fn respond(shared: Arc<Mutex<State>>, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let (parts, _) = request.into_parts();
    let (hangs, (status, body)) = {
        let mut state = lock(&shared);
        state.requests.push(format!("{} {}", parts.method, parts.uri));
        (state.fault == Some(Fault::Hang), answer(&state, &parts))
    };
    if hangs {
        std::future::pending::<()>().await;
    }
    let response = Response::builder().status(status).header(header::CONTENT_TYPE, "application/json");
    Ok(response.body(Full::from(body.to_string())).expect("a status and a header of ours"))
}
