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
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use tokio::runtime;
use tokio::sync::oneshot;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

use super::answer::answer;
use super::{Fault, State, lock};
use crate::services::tls::Tls;
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
    pub(super) fn start(port: u16, tls: Option<&Tls>, shared: Arc<Mutex<State>>) -> Server {
        let tls = tls.map(acceptor);
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
                    () = serve(listener, tls, shared) => {}
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

async fn serve(listener: TcpListener, tls: Option<TlsAcceptor>, shared: Arc<Mutex<State>>) {
    let listener = tokio::net::TcpListener::from_std(listener).expect("a listener can be watched");
    // Dropped with this future, and its connections with it.
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        let shared = Arc::clone(&shared);
        let service = service_fn(move |request| respond(Arc::clone(&shared), request));
        let tls = tls.clone();
        connections.spawn(async move {
            let http = http1::Builder::new();
            // What breaks a connection is what its client sees.
            let _ = match tls {
                None => http.serve_connection(TokioIo::new(stream), service).await,
                Some(tls) => match tls.accept(stream).await {
                    Ok(stream) => http.serve_connection(TokioIo::new(stream), service).await,
                    Err(_) => Ok(()),
                },
            };
        });
        while connections.try_join_next().is_some() {}
    }
}

fn acceptor(tls: &Tls) -> TlsAcceptor {
    let certificates = |pem: &str| -> Vec<CertificateDer<'static>> {
        CertificateDer::pem_slice_iter(pem.as_bytes()).map(|one| one.expect("a certificate of ours")).collect()
    };
    let key = PrivateKeyDer::from_pem_slice(tls.identity.key.as_bytes()).expect("a key of ours");
    let crypto = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ServerConfig::builder_with_provider(Arc::clone(&crypto)).with_safe_default_protocol_versions();
    let builder = builder.expect("the default versions are known");
    let builder = match &tls.clients {
        None => builder.with_no_client_auth(),
        Some(clients) => {
            let mut roots = RootCertStore::empty();
            roots.add_parsable_certificates(certificates(clients));
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), crypto).build();
            builder.with_client_cert_verifier(verifier.expect("an authority of ours"))
        }
    };
    let config = builder.with_single_cert(certificates(&tls.identity.certificate), key);
    TlsAcceptor::from(Arc::new(config.expect("a certificate and a key of ours")))
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
