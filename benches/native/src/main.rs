//! A native server that answers as `examples/hello` does: what the same answer costs without WebAssembly.

use std::convert::Infallible;
use std::net::SocketAddr;

use anyhow::{Context as _, Result, bail};
use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::runtime::Builder;

const USAGE: &str = "usage: native-hyper ADDRESS multi-thread|current-thread";

fn main() -> Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [address, flavour] = args.as_slice() else { bail!("{USAGE}") };
    let address: SocketAddr = address.parse().context("the address is IP:PORT")?;
    let runtime = match flavour.as_str() {
        // As many workers as the process may use cores: one, when it is pinned to one.
        "multi-thread" => Builder::new_multi_thread().enable_io().build()?,
        "current-thread" => Builder::new_current_thread().enable_io().build()?,
        _ => bail!("{USAGE}"),
    };
    runtime.block_on(serve(address))
}

async fn serve(address: SocketAddr) -> Result<()> {
    let listener = TcpListener::bind(address).await.with_context(|| format!("cannot listen on {address}"))?;
    loop {
        // A failed accept is of one connection, which is the client's to notice.
        let Ok((stream, _)) = listener.accept().await else { continue };
        // Without it an answer may wait for the client's acknowledgement.
        stream.set_nodelay(true)?;
        tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service_fn(hello)));
    }
}

async fn hello(_request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let mut response = Response::new(Full::new(Bytes::from_static(b"hello\n")));
    let content_type = HeaderValue::from_static("text/plain; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, content_type);
    Ok(response)
}
