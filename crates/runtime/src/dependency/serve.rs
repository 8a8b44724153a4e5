//! The instance of a dependency: runs it in a store of its own, on its own budgets, until its caller is gone or it fails.
//!
//! In: messages of a session. Out: answers, and why it ended. Next: the guest of the other store.

use super::session::Export;
use crate::admit::Need;
use crate::component::Component;
use crate::meter::Metered;
use crate::outcome::Failure;
use futures_util::stream::{FuturesUnordered, Stream};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use tokio::sync::{mpsc, oneshot};
use wasmtime::component::{Accessor, Instance, Val};
use wasmtime::{AsContextMut, Store};
use wharf_host::{Caller, Ctx};
use wharf_telemetry::clock;
use wharf_transfer::{Busy, Carried, Held, Line, Shared};

/// A call on its way.
pub(super) struct Ask {
    pub(super) export: Arc<Export>,
    pub(super) params: Carried,
    pub(super) reply: oneshot::Sender<Result<Carried, String>>,
    pub(super) busy: Busy,
}

pub(super) enum Message {
    Call(Ask),
    Drop(u32),
}

/// What the calls of one instance share.
struct Desk {
    shared: Arc<Shared>,
    held: Arc<Held>,
}

/// Runs one instance until its caller is gone, or until it fails. Returns why it failed.
pub(super) async fn live(
    component: Arc<Component>,
    caller: Caller,
    messages: mpsc::UnboundedReceiver<Message>,
    shared: Arc<Shared>,
    held: Arc<Held>,
) -> Option<Failure> {
    let request = caller.request.clone();
    let permit = match component.admit(Need::Instance).await {
        Ok(permit) => permit,
        Err(cause) => return Some(cause.into()),
    };
    let limits = &component.limits;
    let ticker = Arc::clone(component.engine.ticker());
    let desk = Desk { shared: Arc::clone(&shared), held };
    let mut guest = Box::pin(serve(Arc::clone(&component), caller, messages, desk));
    let works = Arc::clone(&shared);
    let guest = Box::pin(std::future::poll_fn(move |cx| {
        let _at_work = works.work();
        guest.as_mut().poll(cx)
    }));
    let mut guest = Metered::new(guest, ticker, limits.cpu, limits.wall, clock::now());
    let ended = std::future::poll_fn(|cx| {
        // Budgets are those of a call, or of calls that overlap; a call lasts as long as its streams.
        if shared.has_woken() {
            guest.renew();
        } else if !shared.is_busy() {
            guest.rest();
        }
        let polled = guest.poll(cx);
        if polled.is_pending() && !shared.is_busy() {
            guest.rest();
        }
        polled
    })
    .await;
    drop(guest);
    drop(permit);
    let failure = match ended {
        Ok(Ok(())) => return None,
        Ok(Err(failure)) => failure,
        Err(ended) => Failure::ended(ended),
    };
    failure.report(&component.identity, request.as_ref());
    Some(failure)
}

async fn serve(
    component: Arc<Component>,
    caller: Caller,
    messages: mpsc::UnboundedReceiver<Message>,
    desk: Desk,
) -> Result<(), Failure> {
    let mut store = component.store(caller);
    let served = async {
        let instance = component.pre.instantiate_async(&mut store).await?;
        if component.engine.is_concurrent() {
            serve_concurrent(&mut store, &instance, messages, &desk).await
        } else {
            serve_plain(&mut store, &instance, messages, &desk).await
        }
    }
    .await;
    served.map_err(|error| {
        // What the guest wrote to ends with the store, and not because it wanted so.
        desk.shared.fail();
        component.failure(&error, &mut store)
    })
}

/// One call after the other.
async fn serve_plain(
    store: &mut Store<Ctx>,
    instance: &Instance,
    mut messages: mpsc::UnboundedReceiver<Message>,
    desk: &Desk,
) -> wasmtime::Result<()> {
    while let Some(message) = messages.recv().await {
        match message {
            Message::Drop(number) => desk.release(store, number).await?,
            Message::Call(Ask { export, params, reply, busy: _busy }) => {
                let Some((params, reply)) = desk.give(&mut *store, &export, params, reply) else { continue };
                let function = function(&mut *store, instance, &export)?;
                let mut results = vec![Val::Bool(false); export.signature.result_count()];
                function.call_async(&mut *store, &params, &mut results).await?;
                let _ = reply.send(Ok(desk.take(&mut *store, &export, results)?));
            }
        }
    }
    Ok(())
}

/// Calls beside each other, as far as the guest's functions are asynchronous.
///
/// A resource is dropped between calls: its destructor may be guest code, which the engine does not run beside others.
async fn serve_concurrent(
    store: &mut Store<Ctx>,
    instance: &Instance,
    mut messages: mpsc::UnboundedReceiver<Message>,
    desk: &Desk,
) -> wasmtime::Result<()> {
    let mut dropped = Vec::new();
    loop {
        let is_over = store
            .run_concurrent(async |accessor| {
                let mut working = pin!(FuturesUnordered::new());
                std::future::poll_fn(|cx| {
                    loop {
                        let message = messages.poll_recv(cx);
                        match message {
                            Poll::Ready(Some(Message::Call(ask))) => {
                                working.push(answer(accessor, instance, desk, ask));
                                continue;
                            }
                            Poll::Ready(Some(Message::Drop(number))) => {
                                dropped.push(number);
                                continue;
                            }
                            Poll::Ready(None) | Poll::Pending => {}
                        }
                        return match working.as_mut().poll_next(cx) {
                            Poll::Ready(Some(Ok(()))) => continue,
                            Poll::Ready(Some(Err(error))) => Poll::Ready(Err(error)),
                            Poll::Ready(None) if message.is_ready() => Poll::Ready(Ok(true)),
                            Poll::Ready(None) if !dropped.is_empty() => Poll::Ready(Ok(false)),
                            Poll::Ready(None) | Poll::Pending => Poll::Pending,
                        };
                    }
                })
                .await
            })
            .await??;
        if is_over {
            return Ok(());
        }
        for number in dropped.drain(..) {
            desk.release(store, number).await?;
        }
    }
}

async fn answer(accessor: &Accessor<Ctx>, instance: &Instance, desk: &Desk, ask: Ask) -> wasmtime::Result<()> {
    let Ask { export, params, reply, busy: _busy } = ask;
    let given = accessor.with(|mut access| desk.give(access.as_context_mut(), &export, params, reply));
    let Some((params, reply)) = given else { return Ok(()) };
    let function = accessor.with(|mut access| function(access.as_context_mut(), instance, &export))?;
    let mut results = vec![Val::Bool(false); export.signature.result_count()];
    function.call_concurrent(accessor, &params, &mut results).await?;
    let results = accessor.with(|mut access| desk.take(access.as_context_mut(), &export, results))?;
    let _ = reply.send(Ok(results));
    Ok(())
}

type Reply = oneshot::Sender<Result<Carried, String>>;

impl Desk {
    /// Puts parameters into the store. A call with a resource that is gone is answered here.
    fn give(
        &self,
        mut store: impl AsContextMut<Data = Ctx>,
        export: &Export,
        params: Carried,
        reply: Reply,
    ) -> Option<(Vec<Val>, Reply)> {
        match params.into_dependency(store.as_context_mut(), &export.signature, &self.line()) {
            Ok(params) => Some((params, reply)),
            Err(error) => {
                let _ = reply.send(Err(error.to_string()));
                None
            }
        }
    }

    /// Takes results out of the store.
    fn take(
        &self,
        mut store: impl AsContextMut<Data = Ctx>,
        export: &Export,
        results: Vec<Val>,
    ) -> wasmtime::Result<Carried> {
        Carried::results(store.as_context_mut(), &export.signature, results, &self.line())
    }

    fn line(&self) -> Line {
        Line { shared: Arc::clone(&self.shared), held: Some(Arc::clone(&self.held)), open: None }
    }

    /// Drops a resource that the caller dropped, or that did not get to it.
    async fn release(&self, store: &mut Store<Ctx>, number: u32) -> wasmtime::Result<()> {
        match self.held.take(number) {
            Some(resource) => resource.resource_drop_async(&mut *store).await,
            None => Ok(()),
        }
    }
}

fn function(
    store: impl AsContextMut<Data = Ctx>,
    instance: &Instance,
    export: &Export,
) -> wasmtime::Result<wasmtime::component::Func> {
    let found = instance.get_func(store, export.index);
    found.ok_or_else(|| wasmtime::format_err!("the export `{}` went away between load and call", export.name))
}
