//! One reused instance: its inbox, and the task that lives as long as it does.

use crate::admit::Slot as PoolSlot;
use crate::bodies::OpenBodies;
use crate::component::{Component, Handler};
use crate::invoke::http::{Answer, Call, Slot, handle_p2, handle_p3, poll_done};
use crate::limits::Reuse;
use crate::meter::Metered;
use crate::outcome::{Cause, Failure};
use crate::pool::repoll::Repoll;
use futures_util::stream::{FuturesUnordered, Stream};
use futures_util::task::AtomicWaker;
use std::collections::VecDeque;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;
use std::time::Duration;
use tokio::sync::oneshot;
use wasmtime::Store;
use wasmtime::component::Accessor;
use wasmtime_wasi_http::handler::Proxy;
use wharf_host::{Caller, Ctx};
use wharf_telemetry::{RequestId, clock};

/// What the requests and the task of one instance share. All of them are on one thread; the types are `Sync` because the engine
/// asks for it.
#[derive(Default)]
pub(crate) struct Worker {
    inbox: Mutex<VecDeque<(Call, oneshot::Sender<Answer>)>>,
    wake: AtomicWaker,
    /// Requests that were reserved over its life, those whose call has not returned, and those that were answered.
    total: AtomicUsize,
    active: AtomicUsize,
    answered: AtomicUsize,
    full: AtomicBool,
    /// Whether the guest works: on a call, or on what it left to do after one.
    busy: AtomicBool,
    closed: AtomicBool,
    failure: Mutex<Option<Failure>>,
    /// Those who wait for an answer or read one: they report a failure of the instance, each with its request.
    listeners: AtomicUsize,
    /// The requests whose calls ended with the instance.
    broken_off: Mutex<Vec<RequestId>>,
}

/// Waits for the answer of a reused instance, and reads it to its end.
pub(crate) struct Listener(Arc<Worker>);

impl Listener {
    pub(super) fn new(worker: Arc<Worker>) -> Self {
        worker.listeners.fetch_add(1, Relaxed);
        Self(worker)
    }

    /// Returns why the instance was ended, if it was.
    pub(crate) fn failure(&self) -> Option<Failure> {
        self.0.failure.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.0.listeners.fetch_sub(1, Relaxed);
    }
}

impl Worker {
    /// Tells whether it may still take a request.
    pub(super) fn is_open(&self) -> bool {
        !self.closed.load(Relaxed) && !self.full.load(Relaxed)
    }

    /// Takes a place for one request, if there is room.
    pub(super) fn reserve(&self, reuse: &Reuse) -> bool {
        if !self.is_open() || self.active.load(Relaxed) >= reuse.concurrent {
            return false;
        }
        self.active.fetch_add(1, Relaxed);
        if self.total.fetch_add(1, Relaxed) + 1 >= reuse.requests {
            self.full.store(true, Relaxed);
        }
        true
    }

    /// Hands over a request for which a place was reserved.
    pub(super) fn submit(&self, call: Call) -> oneshot::Receiver<Answer> {
        let (sender, receiver) = oneshot::channel();
        self.inbox().push_back((call, sender));
        self.wake.wake();
        receiver
    }

    /// Ends it with a failure, and reports that if nobody else will: the answers were all sent, or their clients left.
    fn fail(&self, failure: Failure, component: &Component) {
        if self.listeners.load(Relaxed) == 0 {
            let broken_off = std::mem::take(&mut *self.broken_off());
            match broken_off.as_slice() {
                [] => failure.report(&component.identity, None),
                requests => requests.iter().for_each(|id| failure.report(&component.identity, Some(id))),
            }
        }
        *self.failure.lock().unwrap_or_else(PoisonError::into_inner) = Some(failure);
    }

    fn broken_off(&self) -> MutexGuard<'_, Vec<RequestId>> {
        self.broken_off.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn inbox(&self) -> MutexGuard<'_, VecDeque<(Call, oneshot::Sender<Answer>)>> {
        self.inbox.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_idle(&self) -> bool {
        self.active.load(Relaxed) == 0 && !self.busy.load(Relaxed)
    }
}

/// Lives as long as one instance: until its last request, its idle time-out, its budget, or a trap.
pub(super) async fn live(component: Arc<Component>, worker: Arc<Worker>, idle: Duration, slot: PoolSlot) {
    let limits = &component.limits;
    let guest = Box::pin(serve(Arc::clone(&component), Arc::clone(&worker)));
    let ticker = Arc::clone(component.engine.ticker());
    let mut guest = Metered::new(guest, ticker, limits.cpu, limits.wall, clock::now());
    let repoll = Repoll::new();
    let mut patience = pin!(tokio::time::sleep(idle));
    let mut answered = 0;
    let mut resting = false;
    let mut resting_since = clock::now();
    let ended = std::future::poll_fn(|cx| {
        if resting && !worker.is_idle() {
            resting = false;
            guest.renew();
        }
        let polled = repoll.poll(cx, |cx| guest.poll(cx));
        if polled.is_ready() {
            return polled.map(Some);
        }
        // Budgets are those of a request: each answer starts them anew for the requests that go on.
        let now_answered = worker.answered.load(Relaxed);
        if now_answered != answered {
            answered = now_answered;
            guest.renew();
        }
        if !worker.is_idle() {
            return Poll::Pending;
        }
        if !resting {
            resting = true;
            guest.rest();
            resting_since = clock::now();
        }
        while patience.as_mut().poll(cx).is_ready() {
            if clock::since(resting_since) >= idle {
                return Poll::Ready(None);
            }
            patience.as_mut().reset((resting_since + idle).into());
        }
        Poll::Pending
    })
    .await;
    worker.closed.store(true, Relaxed);
    let failure = match ended {
        None | Some(Ok(Ok(()))) => None,
        Some(Ok(Err(failure))) => Some(failure),
        Some(Err(ended)) => Some(Failure::ended(ended)),
    };
    // Before the failure is reported: calls that end with the instance give their names.
    drop(guest);
    if let Some(failure) = failure {
        worker.fail(failure, &component);
    }
    // Whoever waits for an answer learns that there will be none.
    worker.inbox().clear();
    drop(slot);
}

async fn serve(component: Arc<Component>, worker: Arc<Worker>) -> Result<(), Failure> {
    let mut store = component.store(Caller::default());
    let result = serve_in(&mut store, &component, &worker).await;
    result.map_err(|error| component.failure(&error, &mut store))
}

async fn serve_in(store: &mut Store<Ctx>, component: &Component, worker: &Arc<Worker>) -> wasmtime::Result<()> {
    let proxy = match &component.handler {
        Some(Handler::P2(pre)) => Proxy::P2(pre.instantiate_async(&mut *store).await?),
        Some(Handler::P3(pre)) => Proxy::P3(pre.instantiate_async(&mut *store).await?),
        None => return Ok(()),
    };
    store
        .run_concurrent(async |accessor| {
            let bodies = OpenBodies::default();
            let mut calls = pin!(FuturesUnordered::new());
            std::future::poll_fn(|cx| {
                worker.wake.register(cx.waker());
                loop {
                    for (call, sender) in worker.inbox().drain(..) {
                        calls.push(answer(accessor, &proxy, worker, &bodies, call, sender));
                    }
                    match calls.as_mut().poll_next(cx) {
                        Poll::Ready(Some(Ok(()))) => {}
                        Poll::Ready(Some(Err(error))) => return Poll::Ready(Err(error)),
                        Poll::Ready(None) | Poll::Pending => break,
                    }
                }
                let works = !calls.is_empty() || poll_done(accessor, &bodies, cx).is_pending();
                worker.busy.store(works, Relaxed);
                if worker.full.load(Relaxed) && worker.is_idle() { Poll::Ready(Ok(())) } else { Poll::Pending }
            })
            .await
        })
        .await?
}

/// A call that has not returned. Dropped as such, it ended with its instance.
struct Unreturned<'a> {
    worker: &'a Worker,
    request: Option<RequestId>,
}

impl Unreturned<'_> {
    fn returned(mut self) {
        self.request = None;
    }
}

impl Drop for Unreturned<'_> {
    fn drop(&mut self) {
        self.worker.broken_off().extend(self.request.take());
    }
}

/// Answers one request. The answer is sent as soon as the guest sets it, which may be long before the call returns.
async fn answer(
    accessor: &Accessor<Ctx>,
    proxy: &Proxy,
    worker: &Arc<Worker>,
    bodies: &OpenBodies,
    call: Call,
    sender: oneshot::Sender<Answer>,
) -> wasmtime::Result<()> {
    let Call { request, caller } = call;
    let unreturned = Unreturned { worker, request: caller.request };
    let shared = Arc::clone(worker);
    let slot = Slot::forward(move |answer| {
        shared.answered.fetch_add(1, Relaxed);
        // A client that left takes no answer.
        let _ = sender.send(answer);
    });
    // What an earlier request was refused does not explain a trap of this one.
    accessor.with(|mut store| store.get().budget.clear_refusal());
    let result = match proxy {
        Proxy::P2(proxy) => handle_p2(accessor, proxy, request, &slot).await,
        Proxy::P3(service) => handle_p3(accessor, service, request, &slot, bodies).await,
    };
    worker.active.fetch_sub(1, Relaxed);
    if result.is_ok() {
        slot.put(Err(Cause::NoResponse.into()));
        unreturned.returned();
    }
    result
}
