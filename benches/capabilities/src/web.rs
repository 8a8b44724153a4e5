//! The HTTP server that requests go to: a thread with hyper and a short answer, with TLS and without.

use std::convert::Infallible;
use std::net::Ipv4Addr;
use std::sync::Arc;

use anyhow::Result;
use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use wharf_testkit::Certificate;

/// Where it listens.
#[derive(Clone, Copy)]
pub struct Ports {
    pub plain: u16,
    pub tls: u16,
}

/// Starts it. `identity` is what it shows where it speaks TLS.
pub fn start(identity: &Certificate) -> Result<Ports> {
    let (plain, plain_port) = listen()?;
    let (tls, tls_port) = listen()?;
    let acceptor = acceptor(identity)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
    std::thread::spawn(move || {
        runtime.block_on(async {
            tokio::try_join!(
                serve(plain, |stream| async { Ok(stream) }),
                serve(tls, move |stream| {
                    let acceptor = acceptor.clone();
                    async move { acceptor.accept(stream).await }
                })
            )
        })
    });
    Ok(Ports { plain: plain_port, tls: tls_port })
}

fn listen() -> Result<(std::net::TcpListener, u16)> {
    let socket = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    socket.set_nonblocking(true)?;
    let port = socket.local_addr()?.port();
    Ok((socket, port))
}

fn acceptor(identity: &Certificate) -> Result<TlsAcceptor> {
    let chain = CertificateDer::pem_file_iter(identity.certificate())?.collect::<Result<Vec<_>, _>>()?;
    let key = PrivateKeyDer::from_pem_file(identity.key())?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    Ok(TlsAcceptor::from(Arc::new(config.with_no_client_auth().with_single_cert(chain, key)?)))
}

async fn serve<S, F>(socket: std::net::TcpListener, begin: impl Fn(TcpStream) -> F) -> Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    F: Future<Output = std::io::Result<S>> + Send + 'static,
{
    let listener = TcpListener::from_std(socket)?;
    loop {
        // A failed accept is of one connection, which is the client's to notice; so is a failed handshake.
        let Ok((stream, _)) = listener.accept().await else { continue };
        stream.set_nodelay(true)?;
        let stream = begin(stream);
        tokio::spawn(async move {
            let Ok(stream) = stream.await else { return };
            let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service_fn(hello)).await;
        });
    }
}

async fn hello(_request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    Ok(Response::new(Full::new(Bytes::from_static(b"hello\n"))))
}
