//! Instances that serve more than one request, for components that opted in.
//!
//! In: a [`Call`]. Out: a response from an instance of this core that has room, or from a new one. Next: [`crate::invoke::http`].
//!
//! Each core has its own instances, so a request never crosses to another thread. Requests that share an instance share its memory
//! and its fate: a trap of one fails all that run in it. That is what a component accepts by `reuse` in its manifest.

mod repoll;
mod worker;

pub(crate) use worker::Listener;
use worker::Worker;

use crate::admit::Permit;
use crate::body::{GuestBody, Running};
use crate::component::{Component, Handler};
use crate::invoke::http::Call;
use crate::limits::Reuse;
use crate::outcome::{Cause, Failure};
use http::Response;
use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

thread_local! {
    /// The instances of this core that may still take requests, by the serial number of their component.
    static WORKERS: RefCell<HashMap<u64, Vec<Arc<Worker>>>> = RefCell::new(HashMap::new());
}

pub(crate) async fn handle(
    component: &Arc<Component>,
    reuse: &Reuse,
    call: Call,
    permit: Permit,
) -> Result<Response<GuestBody>, Failure> {
    // A WASI 0.2 export is synchronous: a second call would wait for the first one to return.
    let concurrent = if matches!(component.handler, Some(Handler::P2(_))) { 1 } else { reuse.concurrent };
    let reuse = &Reuse { concurrent, ..reuse.clone() };
    let worker = match available(component.serial, reuse) {
        Some(worker) => worker,
        None => start(component, reuse).await?,
    };
    let answer = worker.submit(call);
    let listener = Listener::new(worker);
    let response = match answer.await {
        Ok(answer) => answer?,
        // The instance ended before it answered.
        Err(_) => return Err(listener.failure().unwrap_or_else(|| Cause::NoResponse.into())),
    };
    Ok(GuestBody::settle(response, Running::reused(component, listener, permit)).await)
}

/// Returns an instance with room, and forgets those that will take no more requests.
fn available(serial: u64, reuse: &Reuse) -> Option<Arc<Worker>> {
    WORKERS.with_borrow_mut(|workers| {
        let workers = workers.get_mut(&serial)?;
        workers.retain(|worker| worker.is_open());
        // The one that was started last first: instances that are not needed are left alone and end.
        workers.iter().rev().find(|worker| worker.reserve(reuse)).cloned()
    })
}

async fn start(component: &Arc<Component>, reuse: &Reuse) -> Result<Arc<Worker>, Failure> {
    let slot = component.gate.slot(component.limits.wall).await?;
    let worker = Arc::new(Worker::default());
    worker.reserve(reuse);
    WORKERS.with_borrow_mut(|workers| workers.entry(component.serial).or_default().push(Arc::clone(&worker)));
    let life = worker::live(Arc::clone(component), Arc::clone(&worker), reuse.idle, slot);
    // A guest gives way by ticks. The executor's own budget, counted in operations, would break off in the middle of a batch of
    // requests, and each broken-off one costs another turn and another write to its client.
    let life = tokio::task::unconstrained(life);
    let serial = component.serial;
    #[expect(clippy::disallowed_methods, reason = "bounded by the engine's slots: the task holds one")]
    tokio::task::spawn(async move {
        life.await;
        WORKERS.with_borrow_mut(|workers| {
            if let Some(all) = workers.get_mut(&serial) {
                all.retain(|worker| worker.is_open());
                if all.is_empty() {
                    workers.remove(&serial);
                }
            }
        });
    });
    Ok(worker)
}
