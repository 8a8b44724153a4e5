//! A use of a connection is a task: so that it ends well, whatever becomes of the component that waits for it.

use super::error;
use super::frames::Limit;
use super::pool::Lease;
use crate::api::{Call, Error, Page, Rest};
use async_trait::async_trait;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};
use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};
use tokio::sync::oneshot;
use wharf_kit::Refused;
use wharf_telemetry::clock;

/// What the protocol adds to a row.
const OVERHEAD_BYTES: usize = 64 * 1024;

pub(super) const TOO_LONG: Error = Error::Closed("it was open for too long, and was ended");
pub(super) const FAILED: Error = Error::Closed("a call failed, and the transaction was rolled back");
pub(super) const OVER: Error = Error::Closed("it is over");

/// How long a component is waited for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patience {
    pub(super) idle: Duration,
    pub(super) lifetime: Duration,
}

/// Starts a task with a connection, and waits for its first answer.
pub(super) async fn start<T, F>(task: impl FnOnce(oneshot::Sender<Result<T, Error>>) -> F) -> Result<T, Error>
where
    T: Send + 'static,
    F: Future<Output = ()> + Send + 'static,
{
    let (reply, answer) = oneshot::channel();
    #[expect(
        clippy::disallowed_methods,
        reason = "holds a connection of a pool, and ends within the times of its call and of patience"
    )]
    tokio::spawn(task(reply));
    answer.await.unwrap_or_else(|_| Err(Error::Unavailable(error::LOST.to_owned())))
}

/// What came of work on a connection.
pub(super) enum Worked<T> {
    /// It ended; the connection is as the work left it.
    Done(Result<T, Error>),
    /// It was given up in the middle.
    Given(Error),
}

/// Works for a call, until its time is over or nobody waits for its answer.
pub(super) async fn work<T, R>(
    call: Call,
    reply: &mut oneshot::Sender<R>,
    limit: &Limit,
    work: impl Future<Output = Result<T, Trouble>>,
) -> Worked<T> {
    limit.set(call.size_bytes + OVERHEAD_BYTES);
    let result = tokio::select! {
        biased;
        result = work => result,
        () = tokio::time::sleep_until(call.deadline.into()) => return Worked::Given(call.late()),
        () = reply.closed() => return Worked::Given(OVER),
    };
    match result {
        Ok(value) => Worked::Done(Ok(value)),
        Err(Trouble::Ours(error)) => Worked::Done(Err(error)),
        Err(Trouble::Server(_)) if limit.is_passed() => {
            Worked::Given(Refused::TooLarge { bytes: call.size_bytes + 1, limit_bytes: call.size_bytes }.into())
        }
        Err(Trouble::Server(error)) => Worked::Done(Err(error::of(&error, call))),
    }
}

/// Why work failed.
pub(super) enum Trouble {
    Ours(Error),
    Server(tokio_postgres::Error),
}

impl From<Error> for Trouble {
    fn from(error: Error) -> Self {
        Self::Ours(error)
    }
}

impl From<tokio_postgres::Error> for Trouble {
    fn from(error: tokio_postgres::Error) -> Self {
        Self::Server(error)
    }
}

/// Ends the use of a connection for one call, and answers it when that has happened.
pub(super) async fn conclude<T>(lease: Lease, reply: oneshot::Sender<Result<T, Error>>, worked: Worked<T>) {
    match worked {
        Worked::Done(result) => {
            // The answer does not depend on what is undone on the connection.
            let _ = reply.send(result);
            lease.finish().await;
        }
        Worked::Given(error) => {
            lease.abandon().await;
            let _ = reply.send(Err(error));
        }
    }
}

// === what stays open between calls ===

/// What a component asks of an open result or transaction.
pub(super) struct Command<A> {
    pub(super) call: Call,
    pub(super) ask: A,
}

/// The way to what is open. When the last one is dropped, it ends.
pub(super) struct Link<A> {
    commands: UnboundedSender<Command<A>>,
    /// Why it ended, once it has.
    fate: Arc<OnceLock<Error>>,
}

impl<A> Clone for Link<A> {
    fn clone(&self) -> Self {
        Self { commands: self.commands.clone(), fate: Arc::clone(&self.fate) }
    }
}

/// The other end.
pub(super) struct Inbox<A> {
    commands: UnboundedReceiver<Command<A>>,
    fate: Arc<OnceLock<Error>>,
    idle: Duration,
    until: Instant,
}

/// Makes both. Each command belongs to a component that waits, so that there are never many.
pub(super) fn link<A>(patience: Patience) -> (Link<A>, Inbox<A>) {
    let (sender, receiver) = mpsc::unbounded_channel();
    let fate = Arc::<OnceLock<Error>>::default();
    let until = clock::now() + patience.lifetime;
    let inbox = Inbox { commands: receiver, fate: Arc::clone(&fate), idle: patience.idle, until };
    (Link { commands: sender, fate }, inbox)
}

impl<A> Link<A> {
    pub(super) async fn ask<T>(
        &self,
        call: Call,
        ask: impl FnOnce(oneshot::Sender<Result<T, Error>>) -> A + Send,
    ) -> Result<T, Error> {
        let (reply, answer) = oneshot::channel();
        if self.commands.send(Command { call, ask: ask(reply) }).is_err() {
            return Err(self.fate());
        }
        answer.await.unwrap_or_else(|_| Err(self.fate()))
    }

    /// Says something that has no answer.
    pub(super) fn tell(&self, call: Call, ask: A) {
        // What is over has nothing to be told.
        let _ = self.commands.send(Command { call, ask });
    }

    fn fate(&self) -> Error {
        self.fate.get().cloned().unwrap_or(OVER)
    }
}

impl<A> Inbox<A> {
    /// Waits for a command. Nothing when the component is gone or was waited for long enough.
    pub(super) async fn next(&mut self) -> Option<Command<A>> {
        let until = self.until.min(clock::now() + self.idle);
        match tokio::time::timeout_at(until.into(), self.commands.recv()).await {
            Ok(command) => command,
            Err(_) => {
                self.end(TOO_LONG);
                None
            }
        }
    }

    /// Says why it is over. The first word counts.
    pub(super) fn end(&self, fate: Error) {
        let _ = self.fate.set(fate);
    }
}

/// What is asked of an open result.
pub(super) struct Next {
    pub(super) max: usize,
    pub(super) reply: oneshot::Sender<Result<Page, Error>>,
}

/// The rest of a result that is no part of a transaction.
pub(super) struct Remaining(pub(super) Link<Next>);

#[async_trait]
impl Rest for Remaining {
    async fn next(&mut self, max: usize, call: Call) -> Result<Page, Error> {
        self.0.ask(call, |reply| Next { max, reply }).await
    }
}
