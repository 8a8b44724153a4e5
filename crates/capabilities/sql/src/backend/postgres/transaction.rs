//! A transaction: a task with a connection, which rolls it back unless it is told to commit.

use super::dial::Connection;
use super::frames::Limit;
use super::pool::{CLEAN_TIME, Lease};
use super::query::{PAGE_BYTES, PAGE_ROWS};
use super::session::{FAILED, Inbox, Link, OVER, Patience, Trouble, Worked, link, start, work};
use super::statement::{Statements, changed, check};
use super::value::{self, Params};
use crate::api::{Call, Error, Isolation, Options, Page, Rest, Results, Statement, Transaction};
use async_trait::async_trait;
use futures_util::StreamExt;
use std::collections::HashMap;
use std::pin::pin;
use std::sync::Arc;
use tokio::sync::oneshot;
use tokio_postgres::{IsolationLevel, Portal};
use wharf_kit::Payload;

/// Rows of the first page: how large rows are is not known yet.
const FIRST_ROWS: usize = 16;

/// Results that a transaction may have open at once.
const OPEN_MAX: usize = 16;

type Reply<T> = oneshot::Sender<Result<T, Error>>;

enum Ask {
    Query(Statement, Reply<Results>),
    Execute(Statement, Reply<u64>),
    Next { id: u64, max: usize, reply: Reply<Page> },
    Close(u64),
    End { commit: bool, reply: Reply<()> },
    Abandon,
}

// === the component's side ===

struct Begun {
    link: Link<Ask>,
    call: Call,
}

struct Remaining {
    link: Link<Ask>,
    id: u64,
    call: Call,
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
        self.link.tell(self.call, Ask::Close(self.id));
    }
}

impl Drop for Begun {
    fn drop(&mut self) {
        // Results of it may be there still.
        self.link.tell(self.call, Ask::Abandon);
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

// === the task's side ===

/// Opens a transaction.
pub(super) async fn begin(
    lease: Lease,
    options: Options,
    call: Call,
    patience: Patience,
) -> Result<impl Transaction + use<>, Error> {
    start(move |reply| run(lease, options, Opening { reply, call, patience })).await
}

struct Opening {
    reply: Reply<Begun>,
    call: Call,
    patience: Patience,
}

async fn run(mut lease: Lease, options: Options, opening: Opening) {
    let Outcome { is_clean, answer, inbox } = transact(&mut lease.connection, options, opening).await;
    if is_clean {
        answer();
        drop(inbox);
        lease.finish().await;
    } else {
        // Who is told that it is over finds nothing of it.
        lease.abandon().await;
        answer();
    }
}

/// What a transaction leaves.
struct Outcome {
    /// Whether the connection can be used again.
    is_clean: bool,
    answer: Answer,
    /// Kept until then: what is asked meanwhile has to wait.
    inbox: Inbox<Ask>,
}

async fn transact(connection: &mut Connection, options: Options, opening: Opening) -> Outcome {
    let Opening { mut reply, call, patience } = opening;
    let limit = Arc::clone(&connection.limit);
    let (link, inbox) = link(patience);
    let builder = connection.client.build_transaction().isolation_level(level(options.isolation));
    let starting = async {
        let transaction = builder.read_only(options.read_only).start().await?;
        if options.read_only {
            // Takes the snapshot, after which it cannot be made to write.
            transaction.batch_execute("SELECT").await?;
        }
        Ok(transaction)
    };
    let transaction = match work(call, &mut reply, &limit, starting).await {
        Worked::Done(Ok(transaction)) => transaction,
        Worked::Done(Err(error)) | Worked::Given(error) => {
            return Outcome { is_clean: false, answer: Box::new(move || drop(reply.send(Err(error)))), inbox };
        }
    };
    let mut session = Session {
        transaction,
        statements: &mut connection.statements,
        limit: &limit,
        link: link.clone(),
        inbox,
        open: HashMap::new(),
        ids: 0,
    };
    // If nobody takes it, its end is the first that is told.
    let _ = reply.send(Ok(Begun { link, call }));
    let ended = session.serve().await;
    let Session { transaction, open, inbox, .. } = session;
    drop(open);
    end(transaction, ended, inbox, &limit).await
}

async fn end(transaction: tokio_postgres::Transaction<'_>, ended: Ended, inbox: Inbox<Ask>, limit: &Limit) -> Outcome {
    let (is_clean, fate, answer): (bool, Error, Answer) = match ended {
        Ended::Asked { commit: true, mut reply, call } => {
            match work(call, &mut reply, limit, async { Ok(transaction.commit().await?) }).await {
                Worked::Done(result) => (true, OVER, Box::new(move || drop(reply.send(result)))),
                Worked::Given(error) => (false, error.clone(), Box::new(move || drop(reply.send(Err(error))))),
            }
        }
        // If taking it back fails, the connection is broken, and the server has done it.
        Ended::Asked { commit: false, reply, .. } => {
            (take_back(transaction).await, OVER, Box::new(move || drop(reply.send(Ok(())))))
        }
        Ended::Failed(answer) => (take_back(transaction).await, FAILED, answer),
        Ended::Given(answer) => (false, FAILED, answer),
        Ended::Left => (take_back(transaction).await, OVER, Box::new(|| {})),
    };
    inbox.end(fate);
    Outcome { is_clean, answer, inbox }
}

/// Rolls back, and tells whether that is known to have happened.
async fn take_back(transaction: tokio_postgres::Transaction<'_>) -> bool {
    matches!(tokio::time::timeout(CLEAN_TIME, transaction.rollback()).await, Ok(Ok(())))
}

fn level(isolation: Isolation) -> IsolationLevel {
    match isolation {
        Isolation::ReadCommitted => IsolationLevel::ReadCommitted,
        Isolation::RepeatableRead => IsolationLevel::RepeatableRead,
        Isolation::Serializable => IsolationLevel::Serializable,
    }
}

/// Says how a call ended, after what it did is undone.
type Answer = Box<dyn FnOnce() + Send>;

enum Ended {
    Asked {
        commit: bool,
        reply: Reply<()>,
        call: Call,
    },
    /// A statement failed; the connection is in order.
    Failed(Answer),
    /// A statement was given up in the middle.
    Given(Answer),
    /// The component is gone, or was waited for long enough.
    Left,
}

struct Session<'c> {
    transaction: tokio_postgres::Transaction<'c>,
    statements: &'c mut Statements,
    limit: &'c Limit,
    link: Link<Ask>,
    inbox: Inbox<Ask>,
    open: HashMap<u64, Cursor>,
    ids: u64,
}

/// A result that the server keeps.
struct Cursor {
    portal: Portal,
    /// Rows that make a page, as far as those that were there tell.
    rows: usize,
}

impl Session<'_> {
    async fn serve(&mut self) -> Ended {
        loop {
            let Some(command) = self.inbox.next().await else { return Ended::Left };
            let call = command.call;
            let ended = match command.ask {
                Ask::Abandon => Some(Ended::Left),
                Ask::Close(id) => {
                    self.open.remove(&id);
                    None
                }
                Ask::End { commit, reply } => Some(Ended::Asked { commit, reply, call }),
                Ask::Execute(statement, mut reply) => {
                    let limit = self.limit;
                    let worked = work(call, &mut reply, limit, self.execute(&statement)).await;
                    answer(reply, worked)
                }
                Ask::Query(statement, mut reply) => {
                    let limit = self.limit;
                    let worked = work(call, &mut reply, limit, self.query(&statement, call)).await;
                    answer(reply, worked)
                }
                Ask::Next { id, max, mut reply } => match self.open.remove(&id) {
                    None => answer(reply, Worked::Done(Err(OVER))),
                    Some(mut cursor) => {
                        let reading = page(&self.transaction, &mut cursor, max, call);
                        let worked = work(call, &mut reply, self.limit, reading).await;
                        if matches!(&worked, Worked::Done(Ok(page)) if !page.is_last) {
                            self.open.insert(id, cursor);
                        }
                        answer(reply, worked)
                    }
                },
            };
            if let Some(ended) = ended {
                return ended;
            }
        }
    }

    async fn prepare(&mut self, statement: &Statement) -> Result<(tokio_postgres::Statement, Params), Trouble> {
        check(&statement.sql)?;
        let prepared = self.statements.prepare(self.transaction.client(), &statement.sql).await?;
        let params = Params::new(&prepared, &statement.params)?;
        Ok((prepared, params))
    }

    async fn execute(&mut self, statement: &Statement) -> Result<u64, Trouble> {
        let (prepared, params) = self.prepare(statement).await?;
        let told = self.transaction.execute_raw(&prepared, params.iter()).await;
        Ok(changed(&statement.sql, self.fresh(told)?))
    }

    async fn query(&mut self, statement: &Statement, call: Call) -> Result<Results, Trouble> {
        if self.open.len() >= OPEN_MAX {
            return Err(Error::Limit(format!("{OPEN_MAX} results of the transaction are open")).into());
        }
        let (prepared, params) = self.prepare(statement).await?;
        let portal = self.transaction.bind_raw(&prepared, params.iter()).await;
        let mut cursor = Cursor { portal: self.fresh(portal)?, rows: FIRST_ROWS };
        let columns = value::columns(&prepared);
        let first = page(&self.transaction, &mut cursor, FIRST_ROWS, call).await?;
        if first.is_last {
            return Ok(Results::new(columns, first.rows, None));
        }
        self.ids += 1;
        let rest = Remaining { link: self.link.clone(), id: self.ids, call };
        self.open.insert(self.ids, cursor);
        Ok(Results::new(columns, first.rows, Some(Box::new(rest))))
    }

    /// Forgets what was prepared if that is why a statement failed. The transaction is over, and may be run again.
    fn fresh<T>(&mut self, result: Result<T, tokio_postgres::Error>) -> Result<T, Trouble> {
        match result {
            Err(error) if super::error::is_stale(&error) => {
                self.statements.clear();
                Err(Error::Serialization("the schema was changed meanwhile".to_owned()).into())
            }
            result => Ok(result?),
        }
    }
}

fn answer<T: Send + 'static>(reply: Reply<T>, worked: Worked<T>) -> Option<Ended> {
    match worked {
        Worked::Done(Ok(value)) => {
            let _ = reply.send(Ok(value));
            None
        }
        Worked::Done(Err(error)) => Some(Ended::Failed(Box::new(move || drop(reply.send(Err(error)))))),
        Worked::Given(error) => Some(Ended::Given(Box::new(move || drop(reply.send(Err(error)))))),
    }
}

/// Reads the next rows of a result. What is asked of the server comes, so that it is asked for little until rows are known.
async fn page(
    transaction: &tokio_postgres::Transaction<'_>,
    cursor: &mut Cursor,
    max: usize,
    call: Call,
) -> Result<Page, Trouble> {
    let wanted = cursor.rows.min(max).clamp(1, PAGE_ROWS);
    let count = i32::try_from(wanted).unwrap_or(i32::MAX);
    let mut stream = pin!(transaction.query_portal_raw(&cursor.portal, count).await?);
    let (mut page, mut bytes) = (Page::default(), 0);
    while let Some(row) = stream.next().await {
        let row = value::row(&row?, call.size_bytes)?;
        bytes += row.size_bytes();
        if bytes > call.size_bytes.saturating_mul(FIRST_ROWS) {
            return Err(Error::Limit("rows are too large to be read together: ask for fewer".to_owned()).into());
        }
        page.rows.push(row);
    }
    page.is_last = stream.rows_affected().is_some();
    cursor.rows = (PAGE_BYTES / (bytes / page.rows.len().max(1)).max(1)).clamp(1, PAGE_ROWS);
    Ok(page)
}
