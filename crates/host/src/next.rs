//! The handler after this one: how middleware passes a request on.
//!
//! In: a call of the import `wasi:http/handler` (0.3) or `wasi:http/incoming-handler` (0.2). Out: the response of the next component.
//! Next: whatever [`Next`] the trigger put after this component.
//!
//! The next component runs in a store of its own, so either may be of 0.2 or of 0.3, with its own budget and grants.

use crate::outbound::{self, CallFuture, DEPTH, ResponseFuture, SentFuture};
use crate::{Caller, Ctx};
use bytes::Bytes;
use http::request::Parts;
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt;
use std::collections::HashMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use wasmtime::StoreContextMut;
use wasmtime::component::{Linker, Resource};
use wasmtime_wasi_http::p2::bindings::http::types::{ErrorCode as ErrorCodeP2, Scheme};
use wasmtime_wasi_http::p2::types::{HostIncomingRequest, HostResponseOutparam};
use wasmtime_wasi_http::p3::bindings::http::client::HostWithStore as _;
use wasmtime_wasi_http::p3::bindings::http::types::{ErrorCode, Request, Response};
use wasmtime_wasi_http::{
    Error, ForbiddenHeaderFilter, RequestOptions, WasiBody, WasiHttp, WasiHttpCtxView, WasiHttpHooks, WasiHttpView as _,
};

/// Answers what the component before it passes on.
pub trait Next: Send + Sync {
    /// Starts the call. The future and the body of its answer are polled inside the caller's store, so neither may run another store
    /// on the spot: implementations hand the work to a task.
    fn call(&self, request: http::Request<WasiBody>, caller: Caller) -> CallFuture;
}

/// The hooks of requests that are passed on, and what was kept of those that came in.
#[derive(Default)]
pub(crate) struct Passing {
    caller: Caller,
    came: HashMap<u32, Came>,
}

/// A request that came in: what a guest of 0.2 passes on is a handle, behind which the engine shows no more than a guest sees.
struct Came {
    head: Parts,
    body: Shared,
}

/// A body that is read by the guest, or by the next component, whoever is first.
#[derive(Clone)]
struct Shared(Arc<Mutex<Option<WasiBody>>>);

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Option<WasiBody>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Body for Shared {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        match &mut *self.lock() {
            Some(body) => Pin::new(body).poll_frame(cx),
            None => Poll::Ready(None),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.lock().as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.lock().as_ref().map_or_else(SizeHint::default, Body::size_hint)
    }
}

impl Ctx {
    /// Makes the guest's handle of a request that came in, for a handler of 0.2.
    ///
    /// # Errors
    /// When the guest has as many handles as it may have.
    pub fn incoming(
        &mut self,
        scheme: Scheme,
        request: http::Request<WasiBody>,
    ) -> wasmtime::Result<Resource<HostIncomingRequest>> {
        if self.caller().next.is_none() {
            return self.http().new_incoming_request(scheme, request);
        }
        let (head, body) = request.into_parts();
        let body = Shared(Arc::new(Mutex::new(Some(body))));
        let request = http::Request::from_parts(head.clone(), body.clone());
        let handle = self.http().new_incoming_request(scheme, request)?;
        self.passing().came.insert(handle.rep(), Came { head, body });
        Ok(handle)
    }
}

impl Passing {
    pub(crate) fn new(caller: Caller) -> Self {
        Self { caller, came: HashMap::new() }
    }

    fn start(&self, request: http::Request<WasiBody>) -> CallFuture {
        let Caller { request: id, depth, next } = &self.caller;
        match next {
            None => {
                tracing::warn!("a component passes a request on and is no middleware: nothing comes after it");
                Box::pin(async { Err(Error::DestinationNotFound) })
            }
            Some(_) if *depth >= DEPTH => Box::pin(async { Err(Error::LoopDetected) }),
            // The next one is told by the chain what comes after it.
            Some(next) => next.call(request, Caller { request: id.clone(), depth: depth + 1, next: None }),
        }
    }
}

impl WasiHttpHooks for Passing {
    fn is_forbidden_header(&mut self, name: &http::HeaderName) -> bool {
        outbound::is_forbidden(name)
    }

    fn forbidden_header_filter(&mut self) -> ForbiddenHeaderFilter {
        outbound::forbidden()
    }

    fn send_request(
        &mut self,
        request: http::Request<WasiBody>,
        _: Option<RequestOptions>,
        _sent: SentFuture,
    ) -> ResponseFuture {
        let call = self.start(request);
        Box::new(async move { Ok((call.await?, Box::new(async { Ok(()) }) as SentFuture)) })
    }
}

/// Links both versions, the second only in a lane that has tasks.
pub(crate) fn add_to_linker(linker: &mut Linker<Ctx>, is_concurrent: bool) -> wasmtime::Result<()> {
    linker.instance("wasi:http/incoming-handler@0.2.12")?.func_wrap_async("handle", |store, (request, out)| {
        Box::new(async move { pass_p2(store, request, out).await })
    })?;
    if is_concurrent {
        linker.instance("wasi:http/handler@0.3.0")?.func_wrap_concurrent(
            "handle",
            |accessor, (request,): (Resource<Request>,)| {
                Box::pin(async move {
                    // What sending to a server does with bodies and trailers is right here too; where it goes is the hooks' business.
                    let accessor = accessor.with_getter::<WasiHttp>(view);
                    let answer: Result<Resource<Response>, ErrorCode> = match WasiHttp::send(&accessor, request).await {
                        Ok(response) => Ok(response),
                        Err(error) => Err(error.downcast()?),
                    };
                    Ok((answer,))
                })
            },
        )?;
    }
    Ok(())
}

fn view(ctx: &mut Ctx) -> WasiHttpCtxView<'_> {
    ctx.passing_view()
}

/// Passes on what came in, and has the answer sent as the guest's own.
async fn pass_p2(
    mut store: StoreContextMut<'_, Ctx>,
    request: Resource<HostIncomingRequest>,
    out: Resource<HostResponseOutparam>,
) -> wasmtime::Result<()> {
    let ctx = store.data_mut();
    let came = ctx.passing().came.remove(&request.rep());
    ctx.table.delete(request)?;
    let out = ctx.table.delete(out)?;
    let call = came.and_then(|Came { head, body }| {
        // A body that the guest has read is not there twice.
        let body = body.lock().take()?;
        Some(ctx.passing().start(http::Request::from_parts(head, body)))
    });
    let answer = match call {
        Some(call) => call.await,
        None => Err(Error::DestinationNotFound),
    };
    (out.send)(match answer {
        Ok(response) => Ok(response.map(|body| body.boxed_unsync())),
        Err(error) => Err(code(&error)),
    });
    Ok(())
}

/// Returns what the caller of a middleware of 0.2 is told.
fn code(error: &Error) -> ErrorCodeP2 {
    match error {
        Error::DestinationNotFound => ErrorCodeP2::DestinationNotFound,
        Error::LoopDetected => ErrorCodeP2::LoopDetected,
        Error::ConnectionLimitReached => ErrorCodeP2::ConnectionLimitReached,
        Error::HttpResponseTimeout => ErrorCodeP2::HttpResponseTimeout,
        _ => ErrorCodeP2::HttpResponseIncomplete,
    }
}
