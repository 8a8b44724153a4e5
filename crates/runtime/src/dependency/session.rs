//! An instance of a dependency, for as long as the store of its caller lives: the caller's side of it.
//!
//! In: a call of an import. Out: its results, or the interface's own error, or a trap of the caller where there is none. Next:
//! [`super::serve`], which runs the instance.
//!
//! The instance runs in a task of its own on the caller's thread: the event loop of one store cannot run inside another's. The task ends
//! with the caller's store, or with the first trap or exhausted budget; the next call then begins with a fresh instance.

use super::serve::{self, Ask, Message};
use crate::component::Component;
use crate::outcome::{Cause, Failure};
use std::sync::Arc;
use std::sync::atomic::AtomicU32;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;
use wasmtime::component::{Accessor, ComponentExportIndex, Val};
use wasmtime::{AsContextMut, StoreContextMut};
use wharf_host::{Caller, Ctx};
use wharf_transfer::{Broken, Busy, Carried, Failed, Held, Line, Open, Shared, Signature};

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

/// One instance's session, in the store of its caller. Dropping it ends the instance.
struct Session {
    messages: mpsc::UnboundedSender<Message>,
    shared: Arc<Shared>,
    held: Arc<Held>,
    ended: watch::Receiver<Option<Failure>>,
    task: JoinHandle<()>,
}

impl Drop for Session {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// What stands in the store of the caller: the session, and what outlives it.
#[derive(Default)]
struct Place {
    session: Option<Session>,
    /// The number of the next resource.
    next: Arc<AtomicU32>,
    /// The ends of streams and futures in this store.
    open: Open,
}

/// Tells whether streams or futures between a store and its dependencies are open. It has to live on while they are: the other end of
/// one may be the response, of which the engine does not know that somebody waits for it.
pub(crate) fn is_streaming(ctx: &Ctx) -> bool {
    let mut places = ctx.dependencies.iter().flatten().filter_map(|place| place.downcast_ref::<Place>());
    places.any(|place| Arc::strong_count(&place.open) > 1)
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

    /// Returns the session of a store, begun if there is none.
    fn session<'a>(&self, ctx: &'a mut Ctx) -> Result<(&'a Session, Open), Failure> {
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
        if place.session.as_ref().is_some_and(|session| session.messages.is_closed()) {
            place.session = None;
        }
        let session = || Session::start(&self.supplier, caller, Arc::clone(&place.next));
        Ok((place.session.get_or_insert_with(session), Arc::clone(&place.open)))
    }

    /// Sends a call. Returns what waits for its answer.
    fn send(
        &self,
        mut store: StoreContextMut<'_, Ctx>,
        export: &Arc<Export>,
        params: &[Val],
    ) -> wasmtime::Result<Answer> {
        let (session, open) = match self.session(store.data_mut()) {
            Ok(found) => found,
            Err(failure) => return Ok(Answer::Refused(failure.to_string())),
        };
        let (messages, ended) = (session.messages.clone(), session.ended.clone());
        let line = Line {
            shared: Arc::clone(&session.shared),
            held: Some(Arc::clone(&session.held)),
            open: Some(Arc::clone(&open)),
        };
        let params = Carried::params(store, &export.signature, params, &line)?;
        let (reply, answer) = oneshot::channel();
        let ask = Ask { export: Arc::clone(export), params, reply, busy: Busy::new(&line.shared) };
        // Refused by a task that ended since; the answer says why.
        let _ = messages.send(Message::Call(ask));
        Ok(Answer::Coming { answer, later: Later { ended, line } })
    }

    /// Returns a failure as people read it.
    fn text(&self, export: &Export, failure: &str) -> String {
        format!("the dependency {} failed in `{}`: {failure}", self.supplier.identity.component, export.name)
    }

    /// Puts into the caller's store what came of a call.
    fn put(
        &self,
        store: StoreContextMut<'_, Ctx>,
        export: &Export,
        answered: Answered,
        results: &mut [Val],
    ) -> wasmtime::Result<()> {
        let text = match answered {
            Ok((values, later)) => {
                let Later { ended, line } = later;
                let broken = || {
                    let prefix: Arc<str> = self.text(export, "").into();
                    Broken::new(export.signature.tells(), line.open.clone(), move || {
                        let (prefix, ended) = (Arc::clone(&prefix), ended.clone());
                        Box::pin(async move { format!("{prefix}{}", why(ended).await) })
                    })
                };
                let values = values.into_caller(store, &export.signature, &line, broken)?;
                for (result, value) in std::iter::zip(results, values) {
                    *result = value;
                }
                return Ok(());
            }
            Err(failure) => self.text(export, &failure),
        };
        let error = export.signature.failed(store, &text)?;
        match (error, results) {
            (Some(error), [result]) => {
                *result = error;
                Ok(())
            }
            _ => Err(wasmtime::Error::new(Failed(text))),
        }
    }
}

/// What came of a call: results and what is to come after them, or a failure.
type Answered = Result<(Carried, Later), String>;

/// What streams and futures among results need.
struct Later {
    ended: watch::Receiver<Option<Failure>>,
    line: Line,
}

/// An answer on its way.
enum Answer {
    Refused(String),
    Coming { answer: oneshot::Receiver<Result<Carried, String>>, later: Later },
}

impl Answer {
    async fn wait(self) -> Answered {
        match self {
            Self::Refused(failure) => Err(failure),
            Self::Coming { answer, later } => match answer.await {
                Ok(values) => Ok((values?, later)),
                Err(_) => Err(why(later.ended).await),
            },
        }
    }
}

/// Waits until an instance has ended, and returns why. Its task says so as the last thing it does.
async fn why(mut ended: watch::Receiver<Option<Failure>>) -> String {
    match ended.wait_for(Option::is_some).await {
        Ok(failure) => failure.as_ref().map_or_else(String::new, ToString::to_string),
        Err(_) => "its instance has ended".to_owned(),
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
    let answered = sessions.send(store.as_context_mut(), &export, params)?.wait().await;
    sessions.put(store, &export, answered, results)
}

/// Makes a call beside which the caller's store goes on.
pub(super) async fn call_concurrent(
    accessor: &Accessor<Ctx>,
    sessions: &Sessions,
    export: Arc<Export>,
    params: &[Val],
    results: &mut [Val],
) -> wasmtime::Result<()> {
    let answer = accessor.with(|mut access| sessions.send(access.as_context_mut(), &export, params))?;
    let answered = answer.wait().await;
    accessor.with(|mut access| sessions.put(access.as_context_mut(), &export, answered, results))
}

impl Session {
    fn start(supplier: &Arc<Component>, caller: Caller, next: Arc<AtomicU32>) -> Self {
        let (messages, receiver) = mpsc::unbounded_channel();
        let (failed, ended) = watch::channel(None);
        let shared = Arc::new(Shared::default());
        let dropped = messages.downgrade();
        let held = Arc::new(Held::new(next, move |number| {
            if let Some(messages) = dropped.upgrade() {
                // An instance that has ended holds nothing.
                let _ = messages.send(Message::Drop(number));
            }
        }));
        let live = serve::live(Arc::clone(supplier), caller, receiver, Arc::clone(&shared), Arc::clone(&held));
        #[expect(clippy::disallowed_methods, reason = "owned by the session, which aborts it when dropped")]
        let task = tokio::task::spawn(async move {
            let failure = live.await;
            let _ = failed.send(failure);
        });
        Self { messages, shared, held, ended, task }
    }
}
