//! An instance of a dependency, for as long as the store of its caller lives: the calls to it, and the task that runs it.
//!
//! In: a call of an import. Out: its results, or the interface's own error, or a trap of the caller where there is none. Next: the guest of
//! the other store.
//!
//! The instance runs in a task of its own on the caller's thread: the event loop of one store cannot run inside another's. The task ends
//! with the caller's store, or with the first trap or exhausted budget; the next call then begins with a fresh instance.

use super::carry::{self, Held};
use super::fallback;
use super::signature::Signature;
use crate::admit::Need;
use crate::component::Component;
use crate::meter::Metered;
use crate::outcome::{Cause, Failure};
use futures_util::stream::{FuturesUnordered, Stream};
use std::pin::pin;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Poll;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;
use wasmtime::component::{Accessor, ComponentExportIndex, Instance, Val};
use wasmtime::{AsContextMut, Store, StoreContextMut};
use wharf_host::{Caller, Ctx};
use wharf_telemetry::clock;

/// How deep components may be linked to each other at run time; the manifest allows no circles, so this is for chains.
const DEPTH: u8 = 64;

/// The sessions that instances of one component have with one dependency: one for each instance, made by its first call.
pub(super) struct Sessions {
    /// Which of the component's dependencies it is.
    place: usize,
    supplier: Arc<Component>,
}

/// A function of a dependency.
pub(super) struct Export {
    pub(super) index: ComponentExportIndex,
    pub(super) signature: Signature,
    pub(super) name: String,
}

/// A call on its way.
struct Ask {
    export: Arc<Export>,
    params: Vec<Val>,
    reply: oneshot::Sender<Result<Vec<Val>, String>>,
    _busy: Busy,
}

enum Message {
    Call(Ask),
    Drop(u32),
}

/// One instance's session, in the store of its caller. Dropping it ends the instance.
struct Session {
    messages: mpsc::UnboundedSender<Message>,
    shared: Arc<Shared>,
    ended: watch::Receiver<Option<Failure>>,
    task: JoinHandle<()>,
}

impl Drop for Session {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// What a session and its task share.
#[derive(Default)]
struct Shared {
    /// Calls that were made and are not answered.
    calls: AtomicUsize,
    /// Whether there were none before the last one.
    woke: AtomicBool,
}

/// Counts a call while it runs.
struct Busy(Arc<Shared>);

impl Busy {
    fn new(shared: &Arc<Shared>) -> Self {
        if shared.calls.fetch_add(1, Relaxed) == 0 {
            shared.woke.store(true, Relaxed);
        }
        Self(Arc::clone(shared))
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.calls.fetch_sub(1, Relaxed);
    }
}

/// What stands in the store of the caller: the session, and the number of the next resource, which outlives it.
#[derive(Default)]
struct Place {
    session: Option<Session>,
    next: Arc<AtomicU32>,
}

impl Sessions {
    pub(super) fn new(place: usize, supplier: &Arc<Component>) -> Self {
        Self { place, supplier: Arc::clone(supplier) }
    }

    /// Tells the dependency that the caller dropped a resource of it.
    pub(super) fn release(&self, ctx: &mut Ctx, number: u32) {
        let place = ctx.dependencies.get_mut(self.place).and_then(Option::as_mut);
        if let Some(Place { session: Some(session), .. }) = place.and_then(|place| place.downcast_mut()) {
            // An instance that has ended holds nothing.
            let _ = session.messages.send(Message::Drop(number));
        }
    }

    /// Sends a call. Returns what waits for its answer.
    fn send(&self, ctx: &mut Ctx, export: Arc<Export>, params: Vec<Val>) -> Result<Answer, Failure> {
        let caller = ctx.caller();
        if caller.depth >= DEPTH {
            return Err(Cause::Dependency(format!("components are linked deeper than {DEPTH}")).into());
        }
        let caller = Caller { request: caller.request.clone(), depth: caller.depth + 1, next: None };
        if ctx.dependencies.len() <= self.place {
            ctx.dependencies.resize_with(self.place + 1, || None);
        }
        let place = ctx.dependencies[self.place].get_or_insert_with(|| Box::<Place>::default());
        let Some(place) = place.downcast_mut::<Place>() else { return Err(Cause::Engine.into()) };
        // One that has ended is not asked again.
        let session = match &mut place.session {
            Some(session) if !session.messages.is_closed() => session,
            session => session.insert(Session::start(&self.supplier, caller, Arc::clone(&place.next))),
        };
        let (reply, answer) = oneshot::channel();
        let ask = Ask { export, params, reply, _busy: Busy::new(&session.shared) };
        // Refused by a task that ended since; the answer says why.
        let _ = session.messages.send(Message::Call(ask));
        Ok(Answer { answer, ended: session.ended.clone() })
    }

    /// Returns what the caller is told of a failure.
    fn told(&self, export: &Export, text: &str, results: &mut [Val]) -> wasmtime::Result<()> {
        let name = &self.supplier.identity.component;
        let text = format!("the dependency {name} failed in `{}`: {text}", export.name);
        match (fallback::error(export.signature.result(), &text), results) {
            (Some(error), [result]) => {
                *result = error;
                Ok(())
            }
            _ => Err(wasmtime::Error::new(DependencyFailed(text))),
        }
    }
}

/// A dependency failed, and its interface has no error to say so.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct DependencyFailed(String);

/// An answer on its way.
struct Answer {
    answer: oneshot::Receiver<Result<Vec<Val>, String>>,
    ended: watch::Receiver<Option<Failure>>,
}

impl Answer {
    async fn wait(mut self) -> Result<Vec<Val>, String> {
        if let Ok(answer) = self.answer.await {
            return answer;
        }
        // The instance ended with the call; its task says why as the last thing it does.
        match self.ended.wait_for(Option::is_some).await {
            Ok(failure) => Err(failure.as_ref().map_or_else(String::new, ToString::to_string)),
            Err(_) => Err("its instance has ended".to_owned()),
        }
    }
}

/// Makes a call for which the caller's store stands still.
pub(super) async fn call(
    mut store: StoreContextMut<'_, Ctx>,
    sessions: &Sessions,
    export: Arc<Export>,
    params: &[Val],
    results: &mut [Val],
) -> wasmtime::Result<()> {
    let mut params = params.to_vec();
    carry::lower(&mut store, &export.signature, &mut params)?;
    let sent = sessions.send(store.data_mut(), Arc::clone(&export), params);
    let answer = match sent {
        Ok(answer) => answer.wait().await,
        Err(failure) => Err(failure.to_string()),
    };
    match answer {
        Ok(values) => put(&mut store, &export, values, results),
        Err(text) => sessions.told(&export, &text, results),
    }
}

/// Makes a call beside which the caller's store goes on.
pub(super) async fn call_concurrent(
    accessor: &Accessor<Ctx>,
    sessions: &Sessions,
    export: Arc<Export>,
    params: &[Val],
    results: &mut [Val],
) -> wasmtime::Result<()> {
    let mut params = params.to_vec();
    let sent = accessor.with(|mut access| {
        carry::lower(access.as_context_mut(), &export.signature, &mut params)?;
        Ok::<_, wasmtime::Error>(sessions.send(access.get(), Arc::clone(&export), params))
    })?;
    let answer = match sent {
        Ok(answer) => answer.wait().await,
        Err(failure) => Err(failure.to_string()),
    };
    match answer {
        Ok(values) => accessor.with(|mut access| put(access.as_context_mut(), &export, values, results)),
        Err(text) => sessions.told(&export, &text, results),
    }
}

fn put(store: impl AsContextMut, export: &Export, mut values: Vec<Val>, results: &mut [Val]) -> wasmtime::Result<()> {
    carry::lift(store, &export.signature, &mut values)?;
    for (result, value) in std::iter::zip(results, values) {
        *result = value;
    }
    Ok(())
}

impl Session {
    fn start(supplier: &Arc<Component>, caller: Caller, next: Arc<AtomicU32>) -> Self {
        let (messages, receiver) = mpsc::unbounded_channel();
        let (failed, ended) = watch::channel(None);
        let shared = Arc::new(Shared::default());
        let live = live(Arc::clone(supplier), caller, receiver, Arc::clone(&shared), next);
        #[expect(clippy::disallowed_methods, reason = "owned by the session, which aborts it when dropped")]
        let task = tokio::task::spawn(async move {
            let failure = live.await;
            let _ = failed.send(failure);
        });
        Self { messages, shared, ended, task }
    }
}

/// Runs one instance until its caller is gone, or until it fails. Returns why it failed.
async fn live(
    component: Arc<Component>,
    caller: Caller,
    messages: mpsc::UnboundedReceiver<Message>,
    shared: Arc<Shared>,
    next: Arc<AtomicU32>,
) -> Option<Failure> {
    let request = caller.request.clone();
    let permit = match component.admit(Need::Instance).await {
        Ok(permit) => permit,
        Err(cause) => return Some(cause.into()),
    };
    let limits = &component.limits;
    let ticker = Arc::clone(component.engine.ticker());
    let guest = Box::pin(serve(Arc::clone(&component), caller, messages, next));
    let mut guest = Metered::new(guest, ticker, limits.cpu, limits.wall, clock::now());
    let ended = std::future::poll_fn(|cx| {
        // Budgets are those of a call, or of calls that overlap.
        if shared.woke.swap(false, Relaxed) {
            guest.renew();
        }
        let polled = guest.poll(cx);
        if polled.is_pending() && shared.calls.load(Relaxed) == 0 {
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
    next: Arc<AtomicU32>,
) -> Result<(), Failure> {
    let mut store = component.store(caller);
    let numbers = move || next.fetch_add(1, Relaxed);
    let served = async {
        let instance = component.pre.instantiate_async(&mut store).await?;
        if component.engine.is_concurrent() {
            serve_concurrent(&mut store, &instance, messages, &numbers).await
        } else {
            serve_plain(&mut store, &instance, messages, &numbers).await
        }
    }
    .await;
    served.map_err(|error| component.failure(&error, &mut store))
}

/// One call after the other.
async fn serve_plain(
    store: &mut Store<Ctx>,
    instance: &Instance,
    mut messages: mpsc::UnboundedReceiver<Message>,
    numbers: &impl Fn() -> u32,
) -> wasmtime::Result<()> {
    let mut held = Held::default();
    while let Some(message) = messages.recv().await {
        match message {
            Message::Drop(number) => {
                if let Some(resource) = held.release(number) {
                    resource.resource_drop_async(&mut *store).await?;
                }
            }
            Message::Call(Ask { export, mut params, reply, _busy }) => {
                if let Err(error) = held.give(&export.signature, &mut params) {
                    let _ = reply.send(Err(error.to_string()));
                    continue;
                }
                let function = function(&mut *store, instance, &export)?;
                let mut results = vec![Val::Bool(false); export.signature.results()];
                function.call_async(&mut *store, &params, &mut results).await?;
                held.take(&export.signature, &mut results, numbers)?;
                let _ = reply.send(Ok(results));
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
    numbers: &(impl Fn() -> u32 + Sync),
) -> wasmtime::Result<()> {
    let held = Mutex::new(Held::default());
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
                                working.push(answer(accessor, instance, &held, numbers, ask));
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
            let resource = held.lock().unwrap_or_else(PoisonError::into_inner).release(number);
            if let Some(resource) = resource {
                resource.resource_drop_async(&mut *store).await?;
            }
        }
    }
}

async fn answer(
    accessor: &Accessor<Ctx>,
    instance: &Instance,
    held: &Mutex<Held>,
    numbers: &(impl Fn() -> u32 + Sync),
    ask: Ask,
) -> wasmtime::Result<()> {
    let lock = || held.lock().unwrap_or_else(PoisonError::into_inner);
    let Ask { export, mut params, reply, _busy } = ask;
    let given = lock().give(&export.signature, &mut params);
    if let Err(error) = given {
        let _ = reply.send(Err(error.to_string()));
        return Ok(());
    }
    let function = accessor.with(|mut access| function(access.as_context_mut(), instance, &export))?;
    let mut results = vec![Val::Bool(false); export.signature.results()];
    function.call_concurrent(accessor, &params, &mut results).await?;
    lock().take(&export.signature, &mut results, numbers)?;
    let _ = reply.send(Ok(results));
    Ok(())
}

fn function(
    store: impl AsContextMut<Data = Ctx>,
    instance: &Instance,
    export: &Export,
) -> wasmtime::Result<wasmtime::component::Func> {
    let found = instance.get_func(store, export.index);
    found.ok_or_else(|| wasmtime::format_err!("the export `{}` went away between load and call", export.name))
}
