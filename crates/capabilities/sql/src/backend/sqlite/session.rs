//! What holds a connection over several calls: results that are not read to their end, and transactions.

use super::Patience;
use super::connection::{Guarded, Ticket};
use super::lane::Alone;
use super::statement::{Prepared, Running};
use crate::api::{Call, Error, Page, Rest, Results, Statement, Transaction};
use async_trait::async_trait;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, OnceLock};
use std::time::Instant;
use tokio::sync::oneshot;
use wharf_telemetry::clock;

/// Rows of the first page, which are made before anybody asks for them. Most results end here, and give their connection back.
const FIRST_ROWS: usize = 256;

/// Results that a transaction may have open at once.
const OPEN_MAX: usize = 16;

const TOO_LONG: Error = Error::Closed("it was open for too long, and was ended");
const FAILED: Error = Error::Closed("a call failed, and the transaction was rolled back");
const OVER: Error = Error::Closed("it is over");

/// What comes of a query.
pub(super) enum Opened {
    Results(Results),
    /// The statement changes something, so that it is for the writer.
    Changes(Statement),
}

/// What a component asks of a session.
struct Command {
    call: Call,
    ticket: Arc<Ticket>,
    ask: Ask,
}

enum Ask {
    Query(Statement, oneshot::Sender<Result<Results, Error>>),
    Execute(Statement, oneshot::Sender<Result<u64, Error>>),
    Next { id: u64, max: usize, reply: oneshot::Sender<Result<Page, Error>> },
    End { commit: bool, reply: oneshot::Sender<Result<(), Error>> },
}

/// What comes over the channel.
enum Message {
    Command(Command),
    /// A result was dropped.
    Close(u64),
    /// The transaction was dropped.
    Abandon,
}

/// The way to a session.
#[derive(Clone)]
struct Link {
    messages: Sender<Message>,
    /// Why the session ended, once it has.
    fate: Arc<OnceLock<Error>>,
}

impl Link {
    async fn ask<T>(
        &self,
        call: Call,
        ask: impl FnOnce(oneshot::Sender<Result<T, Error>>) -> Ask + Send,
    ) -> Result<T, Error> {
        let (reply, answer) = oneshot::channel();
        let leave = Leave(Arc::default());
        let command = Command { call, ticket: Arc::clone(&leave.0), ask: ask(reply) };
        if self.messages.send(Message::Command(command)).is_err() {
            return Err(self.fate());
        }
        answer.await.unwrap_or_else(|_| Err(self.fate()))
    }

    fn fate(&self) -> Error {
        self.fate.get().cloned().unwrap_or(OVER)
    }
}

/// Ends what runs for a call when its future is dropped.
struct Leave(Arc<Ticket>);

impl Drop for Leave {
    fn drop(&mut self) {
        self.0.leave();
    }
}

// === the component's side ===

/// The rest of a result.
struct Remaining {
    link: Link,
    id: u64,
}

#[async_trait]
impl Rest for Remaining {
    async fn next(&mut self, max: usize, call: Call) -> Result<Page, Error> {
        let id = self.id;
        self.link.ask(call, |reply| Ask::Next { id, max, reply }).await
    }
}

impl Drop for Remaining {
    fn drop(&mut self) {
        // A session that is over has closed it already.
        let _ = self.link.messages.send(Message::Close(self.id));
    }
}

/// An open transaction.
pub(super) struct Begun {
    link: Link,
}

impl Drop for Begun {
    fn drop(&mut self) {
        let _ = self.link.messages.send(Message::Abandon);
    }
}

#[async_trait]
impl Transaction for Begun {
    async fn query(&mut self, statement: Statement, call: Call) -> Result<Results, Error> {
        self.link.ask(call, |reply| Ask::Query(statement, reply)).await
    }

    async fn execute(&mut self, statement: Statement, call: Call) -> Result<u64, Error> {
        self.link.ask(call, |reply| Ask::Execute(statement, reply)).await
    }

    async fn commit(self: Box<Self>, call: Call) -> Result<(), Error> {
        self.link.ask(call, |reply| Ask::End { commit: true, reply }).await
    }

    async fn rollback(self: Box<Self>, call: Call) -> Result<(), Error> {
        match self.link.ask(call, |reply| Ask::End { commit: false, reply }).await {
            // Whatever ended it before has rolled it back.
            Err(Error::Closed(_)) => Ok(()),
            answer => answer,
        }
    }
}

// === the thread's side ===

/// Runs a query that is no part of a transaction, and stays until its result is read or dropped.
pub(super) fn query(alone: Alone<'_, Opened>, statement: Statement, patience: Patience) {
    let (guarded, call) = (alone.guarded, alone.call);
    let mut prepared = match Prepared::new(guarded, &statement) {
        Ok(prepared) => prepared,
        Err(error) => return alone.reply(Err(error)),
    };
    if !guarded.may_write() && !prepared.only_reads() {
        // Given back before the answer, so that the writer does not find the schema in use.
        drop(prepared);
        return alone.reply(Ok(Opened::Changes(statement)));
    }
    let mut running = prepared.run();
    let first = match running.page(FIRST_ROWS, call) {
        Ok(first) => first,
        Err(error) => {
            drop(running);
            return alone.reply(Err(error));
        }
    };
    let columns = running.columns();
    if first.is_last {
        drop(running);
        let columns = columns.unwrap_or_else(|| prepared.columns());
        drop(prepared);
        return alone.reply(Ok(Opened::Results(Results::new(columns, first.rows, None))));
    }
    let (mut session, link) = Session::new(guarded, patience);
    let rest = Remaining { link, id: 0 };
    let results = Results::new(columns.unwrap_or_default(), first.rows, Some(Box::new(rest)));
    if alone.offer(Ok(Opened::Results(results))) {
        let mut open = Frame { id: 0, running: Some(running), outer: &mut Nothing };
        let ended = session.serve(&mut open, OPEN_MAX);
        let _ = session.link.fate.set(ended.fate());
        ended.reply(Ok(()));
    }
}

/// Opens a transaction and serves it to its end.
pub(super) fn transaction(alone: Alone<'_, Begun>, read_only: bool, patience: Patience) {
    let guarded = alone.guarded;
    // A writer takes its lock at once: one that would have to wait in the middle could only fail.
    let begin = if read_only { "BEGIN DEFERRED" } else { "BEGIN IMMEDIATE" };
    if let Err(error) = guarded.own(begin) {
        return alone.reply(Err(error));
    }
    let (mut session, link) = Session::new(guarded, patience);
    let fate = Arc::clone(&link.fate);
    let ended = if alone.offer(Ok(Begun { link })) { session.serve(&mut Nothing, 0) } else { Ended::Dropped };
    let result = match &ended {
        Ended::Asked { commit: true, .. } => guarded.own("COMMIT"),
        _ => Ok(()),
    };
    // Takes back what was not committed.
    let result = guarded.reclaim().and(result);
    let _ = fate.set(ended.fate());
    // Only now, so that who is told has what it asked for.
    ended.reply(result);
}

/// How a session, or a result within it, ended.
enum Ended {
    /// The innermost result did.
    Result,
    Asked {
        commit: bool,
        reply: oneshot::Sender<Result<(), Error>>,
    },
    /// With the call of which the answer is still to be given.
    Failed(Box<dyn FnOnce()>),
    Dropped,
    Late,
}

impl Ended {
    fn fate(&self) -> Error {
        match self {
            Self::Late => TOO_LONG,
            Self::Failed(_) => FAILED,
            Self::Result | Self::Asked { .. } | Self::Dropped => OVER,
        }
    }

    fn reply(self, result: Result<(), Error>) {
        match self {
            Self::Asked { reply, .. } => drop(reply.send(result)),
            Self::Failed(reply) => reply(),
            Self::Result | Self::Dropped | Self::Late => {}
        }
    }
}

/// Results that are open, the innermost first. A result borrows its statement, so that it lives on the stack of its thread.
trait Open {
    fn next(&mut self, id: u64, max: usize, call: Call) -> Result<Page, Error>;
    fn close(&mut self, id: u64);
    /// Tells whether the innermost one is read to its end or closed.
    fn is_done(&self) -> bool;
}

struct Nothing;

impl Open for Nothing {
    fn next(&mut self, _: u64, _: usize, _: Call) -> Result<Page, Error> {
        Err(OVER)
    }

    fn close(&mut self, _: u64) {}

    fn is_done(&self) -> bool {
        false
    }
}

struct Frame<'f, 's> {
    id: u64,
    running: Option<Running<'s>>,
    outer: &'f mut dyn Open,
}

impl Open for Frame<'_, '_> {
    fn next(&mut self, id: u64, max: usize, call: Call) -> Result<Page, Error> {
        if id != self.id {
            return self.outer.next(id, max, call);
        }
        let page = self.running.as_mut().ok_or(OVER)?.page(max, call)?;
        if page.is_last {
            self.running = None;
        }
        Ok(page)
    }

    fn close(&mut self, id: u64) {
        if id == self.id { self.running = None } else { self.outer.close(id) }
    }

    fn is_done(&self) -> bool {
        self.running.is_none()
    }
}

/// A connection that serves one component.
struct Session<'c> {
    guarded: &'c Guarded,
    messages: Receiver<Message>,
    link: Link,
    patience: Patience,
    until: Instant,
    ids: u64,
}

impl<'c> Session<'c> {
    fn new(guarded: &'c Guarded, patience: Patience) -> (Self, Link) {
        let (sender, messages) = mpsc::channel();
        let link = Link { messages: sender, fate: Arc::default() };
        let until = clock::now() + patience.lifetime;
        (Self { guarded, messages, link: link.clone(), patience, until, ids: 0 }, link)
    }

    /// Serves calls until the innermost open result is done, or everything is. Calls itself for each result that is opened within.
    fn serve(&mut self, open: &mut dyn Open, depth: usize) -> Ended {
        loop {
            if open.is_done() {
                return Ended::Result;
            }
            let left = self.until.saturating_duration_since(clock::now());
            let message = match self.messages.recv_timeout(self.patience.idle.min(left)) {
                Ok(message) => message,
                Err(RecvTimeoutError::Timeout) => return Ended::Late,
                Err(RecvTimeoutError::Disconnected) => return Ended::Dropped,
            };
            let Command { call, ticket, ask } = match message {
                Message::Abandon => return Ended::Dropped,
                Message::Close(id) => {
                    open.close(id);
                    continue;
                }
                Message::Command(command) => command,
            };
            if !ticket.start() {
                return Ended::Dropped;
            }
            if let Err(error) = self.guarded.lend(call, &ticket) {
                return Ended::Failed(ask.refuse(error));
            }
            let ended = match ask {
                Ask::End { commit, reply } => Some(Ended::Asked { commit, reply }),
                Ask::Next { id, max, reply } => answer(reply, open.next(id, max, call)),
                Ask::Execute(statement, reply) => {
                    answer(reply, Prepared::new(self.guarded, &statement).and_then(|mut it| it.execute()))
                }
                Ask::Query(statement, reply) if depth < OPEN_MAX => self.query(&statement, call, reply, open, depth),
                Ask::Query(_, reply) => {
                    answer(reply, Err(Error::Limit(format!("{OPEN_MAX} results of the transaction are open"))))
                }
            };
            if let Some(ended) = ended {
                return ended;
            }
        }
    }

    fn query(
        &mut self,
        statement: &Statement,
        call: Call,
        reply: oneshot::Sender<Result<Results, Error>>,
        open: &mut dyn Open,
        depth: usize,
    ) -> Option<Ended> {
        let guarded = self.guarded;
        let mut prepared = match Prepared::new(guarded, statement) {
            Ok(prepared) => prepared,
            Err(error) => return answer(reply, Err(error)),
        };
        let mut running = prepared.run();
        let first = match running.page(FIRST_ROWS, call) {
            Ok(first) => first,
            Err(error) => return answer(reply, Err(error)),
        };
        let columns = running.columns();
        if first.is_last {
            drop(running);
            let columns = columns.unwrap_or_else(|| prepared.columns());
            return answer(reply, Ok(Results::new(columns, first.rows, None)));
        }
        self.ids += 1;
        let rest = Remaining { link: self.link.clone(), id: self.ids };
        let _ = reply.send(Ok(Results::new(columns.unwrap_or_default(), first.rows, Some(Box::new(rest)))));
        let mut frame = Frame { id: self.ids, running: Some(running), outer: open };
        match self.serve(&mut frame, depth + 1) {
            Ended::Result => None,
            ended => Some(ended),
        }
    }
}

/// Answers a call. One that failed ends the session, which is answered when that has happened.
fn answer<T: 'static>(reply: oneshot::Sender<Result<T, Error>>, result: Result<T, Error>) -> Option<Ended> {
    match result {
        Ok(value) => {
            let _ = reply.send(Ok(value));
            None
        }
        Err(error) => Some(Ended::Failed(Box::new(move || drop(reply.send(Err(error)))))),
    }
}

impl Ask {
    /// Returns what answers it with an error.
    fn refuse(self, error: Error) -> Box<dyn FnOnce()> {
        match self {
            Self::Query(_, reply) => Box::new(move || drop(reply.send(Err(error)))),
            Self::Execute(_, reply) => Box::new(move || drop(reply.send(Err(error)))),
            Self::Next { reply, .. } => Box::new(move || drop(reply.send(Err(error)))),
            Self::End { reply, .. } => Box::new(move || drop(reply.send(Err(error)))),
        }
    }
}
