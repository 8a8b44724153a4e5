//! A call of one component to another of the same app: an event from inside.
//!
//! In: a request to `http://<component>.wharf.internal/`, checked against the caller's grants by `host`. Out: a response. Next:
//! `runtime::invoke::http`, without a socket on the way.
//!
//! The callee runs in a task of its own: the caller's event loop polls the answer, and one store's event loop cannot run inside
//! another's. Dropping the answer ends the task and with it the callee.

use bytes::Bytes;
use http::{Request, Response};
use http_body::{Body as HttpBody, Frame};
use http_body_util::BodyExt;
use http_body_util::channel::{Channel, Sender};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use wasmtime_wasi_http::{Error, WasiBody};
use wharf_host::{CallFuture, Caller, Next, Peers};
use wharf_runtime::{Call, Component, GuestBody, invoke};

/// Frames that may wait between callee and caller: enough for one to be written while another is read.
const FRAMES: usize = 2;

/// Finds a component of an app by name. What it finds may change when the app is swapped.
pub trait Resolve: Send + Sync {
    /// Returns the component of that name.
    fn resolve(&self, component: &str) -> Option<Arc<Component>>;
}

/// The components of one app, as its guests call them.
pub struct SameApp<R>(pub R);

impl<R: Resolve> Peers for SameApp<R> {
    fn call(&self, component: &str, request: Request<WasiBody>, caller: Caller) -> CallFuture {
        match self.0.resolve(component) {
            Some(component) => start(component, Call { request, caller }),
            None => Box::pin(async { Err(Error::DestinationNotFound) }),
        }
    }
}

/// Starts a call in a task of its own.
fn start(component: Arc<Component>, call: Call) -> CallFuture {
    let (answer, answered) = oneshot::channel();
    #[expect(
        clippy::disallowed_methods,
        reason = "owned by the future and then by the body, which abort it when dropped"
    )]
    let task = Task(tokio::task::spawn(serve(component, call, answer)));
    Box::pin(async move {
        let response = answered.await.map_err(|_| Error::HttpResponseIncomplete)??;
        Ok(response.map(|body| PeerBody { body, _task: task }.boxed_unsync()))
    })
}

/// The components that a request passes, each calling the one after it; the last one is what the route names.
#[derive(Clone)]
pub struct Chain(Arc<[Arc<Component>]>);

impl Chain {
    /// Returns the chain of `middleware`, the first one first, before `target`. Absent if there is no middleware.
    pub fn new(mut middleware: Vec<Arc<Component>>, target: Arc<Component>) -> Option<Self> {
        if middleware.is_empty() {
            return None;
        }
        middleware.push(target);
        Some(Self(middleware.into()))
    }

    /// Returns the first component and what comes after it.
    pub fn first(&self) -> (&Arc<Component>, Option<Arc<dyn Next>>) {
        (&self.0[0], After::of(&self.0, 1))
    }

    /// Returns the names of the components, the first one first.
    pub fn names(&self) -> Vec<&str> {
        self.0.iter().map(|component| component.identity().component.as_ref()).collect()
    }
}

/// The rest of a chain.
struct After {
    chain: Arc<[Arc<Component>]>,
    at: usize,
}

impl After {
    fn of(chain: &Arc<[Arc<Component>]>, at: usize) -> Option<Arc<dyn Next>> {
        (at < chain.len()).then(|| Arc::new(Self { chain: Arc::clone(chain), at }) as Arc<dyn Next>)
    }
}

impl Next for After {
    fn call(&self, request: Request<WasiBody>, caller: Caller) -> CallFuture {
        let next = Self::of(&self.chain, self.at + 1);
        start(Arc::clone(&self.chain[self.at]), Call { request, caller: Caller { next, ..caller } })
    }
}

type Answer = Result<Response<Channel<Bytes, Error>>, Error>;

async fn serve(component: Arc<Component>, call: Call, answer: oneshot::Sender<Answer>) {
    let request = call.caller.request.clone();
    let response = match invoke::http::handle(&component, call).await {
        Ok(response) => response,
        Err(failure) => {
            failure.report(component.identity(), request.as_ref());
            // A caller that left takes no answer.
            let _ = answer.send(Err(invoke::http::error_for_caller(&failure)));
            return;
        }
    };
    let (parts, body) = response.into_parts();
    let (sender, channel) = Channel::new(FRAMES);
    if answer.send(Ok(Response::from_parts(parts, channel))).is_ok()
        && let Err(failure) = forward(body, sender).await
    {
        failure.report(component.identity(), request.as_ref());
    }
}

/// Hands over frame by frame, no faster than the caller takes them.
async fn forward(mut body: GuestBody, mut sender: Sender<Bytes, Error>) -> Result<(), wharf_runtime::Failure> {
    while let Some(frame) = body.frame().await {
        match frame {
            Ok(frame) => {
                if sender.send(frame).await.is_err() {
                    return Ok(());
                }
            }
            Err(failure) => {
                sender.abort(invoke::http::error_for_caller(&failure));
                return Err(failure);
            }
        }
    }
    Ok(())
}

/// Ends its task when dropped.
struct Task(JoinHandle<()>);

impl Drop for Task {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// The answer's body, which keeps the callee alive.
struct PeerBody {
    body: Channel<Bytes, Error>,
    _task: Task,
}

impl HttpBody for PeerBody {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }
}
