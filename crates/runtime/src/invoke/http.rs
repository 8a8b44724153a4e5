//! Answers one request with a component, on a fresh instance or on one that is being reused.
//!
//! In: a [`Call`]. Out: a response whose body drives the guest, or a [`Failure`]. Next: the guest, then `host`.
//!
//! The guest is polled inline, in the task of the connection: no task is spawned and no channel crossed for a fresh instance.

use crate::admit::Need;
use crate::bodies::{OpenBodies, OpenBody};
use crate::body::{GuestBody, Running};
use crate::component::{Component, Handler};
use crate::dependency;
use crate::meter::Metered;
use crate::outcome::{Cause, Failure};
use crate::pool;
use http::Response;
use http::uri::Scheme;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use wasmtime::Store;
use wasmtime::component::Accessor;
use wasmtime_wasi_http::p2::bindings::http::types::Scheme as SchemeP2;
use wasmtime_wasi_http::p2::bindings::{Proxy, ProxyPre};
use wasmtime_wasi_http::p3;
use wasmtime_wasi_http::p3::bindings::{Service, ServicePre};
use wasmtime_wasi_http::{Error, WasiBody, WasiHttpView};
use wharf_host::{Caller, Ctx};
use wharf_telemetry::clock;

/// One request to a component. Its URI is absolute: guests see the scheme and the authority.
pub struct Call {
    /// The request.
    pub request: http::Request<WasiBody>,
    /// Who caused it.
    pub caller: Caller,
}

/// What a guest made of a request.
pub(crate) type Answer = Result<Answered, Failure>;

/// A response, and what keeps the store alive that its body may come from.
pub(crate) struct Answered {
    pub(crate) response: Response<WasiBody>,
    /// Absent for WASI 0.2, whose bodies a guest writes itself.
    pub(crate) open: Option<OpenBody>,
}

/// Where the guest's answer is put, from inside its store: kept for the poll around it to find, or sent on at once to a task that
/// waits. The latter cannot be left to the engine's event loop: it stands still while a WASI 0.2 guest waits in a host call.
#[derive(Clone)]
pub(crate) struct Slot(Arc<Mutex<Place>>);

enum Place {
    Empty,
    Full(Answer),
    Forward(Box<dyn FnOnce(Answer) + Send>),
    Gone,
}

impl Slot {
    pub(crate) fn keep() -> Self {
        Self(Arc::new(Mutex::new(Place::Empty)))
    }

    pub(crate) fn forward(to: impl FnOnce(Answer) + Send + 'static) -> Self {
        Self(Arc::new(Mutex::new(Place::Forward(Box::new(to)))))
    }

    /// Puts the answer; a second one is ignored.
    pub(crate) fn put(&self, answer: Answer) {
        let mut place = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match std::mem::replace(&mut *place, Place::Gone) {
            Place::Empty => *place = Place::Full(answer),
            Place::Forward(to) => {
                drop(place);
                to(answer);
            }
            full @ Place::Full(_) => *place = full,
            Place::Gone => {}
        }
    }

    pub(crate) fn take(&self) -> Option<Answer> {
        let mut place = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !matches!(*place, Place::Full(_)) {
            return None;
        }
        match std::mem::replace(&mut *place, Place::Gone) {
            Place::Full(answer) => Some(answer),
            _ => None,
        }
    }
}

/// Answers `call` with `component`.
///
/// Dropping the future, or the body of the response, drops the store and with it the guest.
///
/// # Errors
/// A [`Failure`] if the guest was not admitted, or failed before it set a response. What fails later is an error of the body.
pub async fn handle(component: &Arc<Component>, call: Call) -> Result<Response<GuestBody>, Failure> {
    if component.handler.is_none() {
        return Err(Cause::NotAHandler.into());
    }
    let started = clock::now();
    if let Some(reuse) = &component.reuse {
        let permit = component.admit(Need::Place).await?;
        return pool::handle(component, reuse, call, permit).await;
    }
    let permit = component.admit(Need::Instance).await?;
    let slot = Slot::keep();
    let request = call.caller.request.clone();
    let guest = Box::pin(run(Arc::clone(component), call, slot.clone()));
    let limits = &component.limits;
    let ticker = Arc::clone(component.engine.ticker());
    let mut guest = Metered::new(guest, ticker, limits.cpu, limits.wall, started);

    let mut answer = None;
    let ended = std::future::poll_fn(|cx| {
        let polled = guest.poll(cx);
        answer = slot.take();
        match polled {
            Poll::Ready(ended) => Poll::Ready(Some(ended)),
            Poll::Pending if answer.is_some() => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        }
    })
    .await;

    match (answer, ended) {
        (Some(Err(failure)), _) => Err(failure),
        (None, Some(Ok(Ok(())))) => Err(Cause::NoResponse.into()),
        (None, Some(Ok(Err(failure)))) => Err(failure),
        (None, Some(Err(ended))) => Err(Failure::ended(ended)),
        // `poll_fn` is ready without an end only if there is an answer.
        (None, None) => Err(Cause::NoResponse.into()),
        (Some(Ok(answered)), ended) => {
            let (guest, failure) = match ended {
                None => (Some(guest), None),
                Some(Ok(Ok(()))) => (None, None),
                Some(Ok(Err(failure))) => (None, Some(failure)),
                Some(Err(ended)) => (None, Some(Failure::ended(ended))),
            };
            let running = Running::fresh(component, guest, permit, request, failure);
            Ok(GuestBody::settle(answered, running).await)
        }
    }
}

/// The life of one fresh instance: it owns its store, and ends with it.
async fn run(component: Arc<Component>, call: Call, slot: Slot) -> Result<(), Failure> {
    let mut store = component.store(call.caller);
    let result = match &component.handler {
        Some(Handler::P2(pre)) => run_p2(&mut store, pre, call.request, &slot).await,
        Some(Handler::P3(pre)) => run_p3(&mut store, pre, call.request, &slot).await,
        None => return Err(Cause::NotAHandler.into()),
    };
    result.map_err(|error| component.failure(&error, &mut store))
}

async fn run_p2(
    store: &mut Store<Ctx>,
    pre: &ProxyPre<Ctx>,
    request: http::Request<WasiBody>,
    slot: &Slot,
) -> wasmtime::Result<()> {
    let proxy = pre.instantiate_async(&mut *store).await?;
    let (request, out) = prepare_p2(store.data_mut(), request, slot)?;
    proxy.wasi_http_incoming_handler().call_handle(store, request, out).await
}

async fn run_p3(
    store: &mut Store<Ctx>,
    pre: &ServicePre<Ctx>,
    request: http::Request<WasiBody>,
    slot: &Slot,
) -> wasmtime::Result<()> {
    let service = pre.instantiate_async(&mut *store).await?;
    store
        .run_concurrent(async |accessor| {
            let bodies = OpenBodies::default();
            handle_p3(accessor, &service, request, slot, &bodies).await?;
            // The guest may go on after its response: to write the body, to finish its work.
            std::future::poll_fn(|cx| poll_done(accessor, &bodies, cx)).await;
            Ok(())
        })
        .await?
}

/// Waits until a store has nothing more to do: no task of the guest runs, nobody reads a body, and nothing streams between it and its
/// dependencies. That is asked again whenever the store has done something.
pub(crate) fn poll_done(accessor: &Accessor<Ctx>, bodies: &OpenBodies, cx: &mut Context<'_>) -> Poll<()> {
    std::task::ready!(accessor.poll_no_interesting_tasks(cx));
    std::task::ready!(bodies.poll_read(cx));
    if accessor.with(|mut access| dependency::is_streaming(access.get())) { Poll::Pending } else { Poll::Ready(()) }
}

type RequestP2 = wasmtime::component::Resource<wasmtime_wasi_http::p2::types::HostIncomingRequest>;
type OutparamP2 = wasmtime::component::Resource<wasmtime_wasi_http::p2::types::HostResponseOutparam>;

fn prepare_p2(
    ctx: &mut Ctx,
    request: http::Request<WasiBody>,
    slot: &Slot,
) -> wasmtime::Result<(RequestP2, OutparamP2)> {
    let scheme = if request.uri().scheme() == Some(&Scheme::HTTPS) { SchemeP2::Https } else { SchemeP2::Http };
    let request = ctx.incoming(scheme, request)?;
    let slot = slot.clone();
    let out = ctx.http().new_response_outparam_from_callback(move |answer| {
        let answer = answer.map(|response| Answered { response, open: None });
        slot.put(answer.map_err(|code| Cause::GuestError(format!("{code:?}")).into()));
    })?;
    Ok((request, out))
}

/// Calls a WASI 0.2 handler inside a running event loop, beside other calls of the same instance.
pub(crate) async fn handle_p2(
    accessor: &Accessor<Ctx>,
    proxy: &Proxy,
    request: http::Request<WasiBody>,
    slot: &Slot,
) -> wasmtime::Result<()> {
    let parameters = accessor.with(|mut store| prepare_p2(store.get(), request, slot))?;
    let handle = proxy.wasi_http_incoming_handler().func_handle();
    handle.call_concurrent(accessor, parameters).await
}

type SentFuture = std::pin::Pin<Box<dyn Future<Output = Result<(), Error>> + Send>>;

/// Calls a WASI 0.3 handler inside a running event loop.
pub(crate) async fn handle_p3(
    accessor: &Accessor<Ctx>,
    service: &Service,
    request: http::Request<WasiBody>,
    slot: &Slot,
    bodies: &OpenBodies,
) -> wasmtime::Result<()> {
    let (request, sent) = accessor.with(|mut store| {
        let view = store.get().http();
        let (request, sent) = p3::Request::from_http(view.hooks, request);
        // Boxed to forget the borrow of the hooks, which its type claims and its bound denies.
        let sent: SentFuture = Box::pin(sent);
        Ok::<_, wasmtime::Error>((view.table.push(request)?, sent))
    })?;
    let answer = service.wasi_http_handler().call_handle(accessor, request).await?;
    let answer = match answer {
        Ok(response) => accessor.with(|mut store| {
            let response = store.get().http().table.delete(response)?;
            let response = response.into_http(&mut store, sent)?;
            Ok::<_, wasmtime::Error>(Ok(Answered { response, open: Some(bodies.open()) }))
        })?,
        Err(code) => Err(Cause::GuestError(format!("{code:?}")).into()),
    };
    slot.put(answer);
    Ok(())
}

/// Returns what a caller in the same process is told of a failure.
pub fn error_for_caller(failure: &Failure) -> Error {
    match &failure.cause {
        Cause::Overloaded => Error::ConnectionLimitReached,
        Cause::Wall(_) | Cause::Cpu(_) => Error::HttpResponseTimeout,
        Cause::ResponseBody { limit_bytes } => Error::HttpResponseBodySize(Some(*limit_bytes)),
        _ => Error::HttpResponseIncomplete,
    }
}
