//! Statements that are no part of a transaction, and results that are read as they come from the server.

use super::dial::Connection;
use super::error::is_stale;
use super::pool::Lease;
use super::session::{Inbox, Next, OVER, Patience, Remaining, Trouble, Worked, conclude, link, start, work};
use super::statement::changed;
use super::value::{self, Params};
use crate::api::{Call, Column, Error, Page, Results, Statement};
use futures_util::StreamExt;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::oneshot;
use tokio_postgres::RowStream;
use wharf_kit::Payload;

/// Rows of the first page, which are read before anybody asks for them. Most results end here, and give their connection back.
const FIRST_ROWS: usize = 256;

/// Rows of a page at most, whatever is asked for.
pub(super) const PAGE_ROWS: usize = 4096;

/// Bytes after which a page ends.
pub(super) const PAGE_BYTES: usize = 256 * 1024;

/// How long the end of a result that was dropped is waited for: a connection that is kept is worth more.
const DRAIN_TIME: Duration = Duration::from_millis(5);

/// Before the statement of a component that only reads. The second part takes the snapshot, after which the first one is final.
const READ_ONLY: &str = "START TRANSACTION READ ONLY; SELECT";

pub(super) async fn execute(mut lease: Lease, statement: Statement, call: Call) -> Result<u64, Error> {
    let task = |mut reply: oneshot::Sender<Result<u64, Error>>| async move {
        let limit = Arc::clone(&lease.connection.limit);
        let worked = work(call, &mut reply, &limit, run(&mut lease.connection, &statement)).await;
        let worked = match worked {
            Worked::Done(result) => Worked::Done(result.map(|told| changed(&statement.sql, told))),
            given => given,
        };
        conclude(lease, reply, worked).await;
    };
    start(task).await
}

pub(super) async fn query(
    mut lease: Lease,
    statement: Statement,
    call: Call,
    patience: Patience,
) -> Result<Results, Error> {
    let task = |mut reply: oneshot::Sender<Result<Results, Error>>| async move {
        let limit = Arc::clone(&lease.connection.limit);
        let run = async {
            if call.read_only {
                lease.in_transaction = true;
                lease.connection.client.batch_execute(READ_ONLY).await?;
            }
            let (stream, columns) = open(&mut lease.connection, &statement).await?;
            let mut stream = Box::pin(stream);
            let first = page(stream.as_mut(), FIRST_ROWS, call).await?;
            Ok::<_, Trouble>((stream, columns, first))
        };
        let worked = work(call, &mut reply, &limit, run).await;
        let (mut stream, columns, first) = match worked {
            Worked::Done(Ok(opened)) => opened,
            Worked::Done(Err(error)) => return conclude(lease, reply, Worked::Done(Err(error))).await,
            Worked::Given(error) => return conclude(lease, reply, Worked::Given(error)).await,
        };
        if first.is_last {
            let results = Results::new(columns, first.rows, None);
            return conclude(lease, reply, Worked::Done(Ok(results))).await;
        }
        let ended = serve(&lease, stream.as_mut(), Opening { reply, columns, first, patience }).await;
        drop(stream);
        match ended {
            Ended::Clean => lease.finish().await,
            Ended::Dirty => lease.abandon().await,
        }
    };
    start(task).await
}

/// Runs a statement to its end; once more if what was prepared is no longer that of the present schema.
async fn run(connection: &mut Connection, statement: &Statement) -> Result<u64, Trouble> {
    let mut is_second = false;
    loop {
        let prepared = connection.statements.prepare(&connection.client, &statement.sql).await?;
        let params = Params::new(&prepared, &statement.params)?;
        match connection.client.execute_raw(&prepared, params.iter()).await {
            Err(error) if is_stale(&error) && !is_second => connection.statements.clear(),
            result => return Ok(result?),
        }
        is_second = true;
    }
}

/// Starts a statement, in the same way.
async fn open(connection: &mut Connection, statement: &Statement) -> Result<(RowStream, Arc<[Column]>), Trouble> {
    let mut is_second = false;
    loop {
        let prepared = connection.statements.prepare(&connection.client, &statement.sql).await?;
        let params = Params::new(&prepared, &statement.params)?;
        let columns = value::columns(&prepared);
        match connection.client.query_raw(&prepared, params.iter()).await {
            Err(error) if is_stale(&error) && !is_second => connection.statements.clear(),
            result => return Ok((result?, columns)),
        }
        is_second = true;
    }
}

/// What is left of a result when its first page is there.
struct Opening {
    reply: oneshot::Sender<Result<Results, Error>>,
    columns: Arc<[Column]>,
    first: Page,
    patience: Patience,
}

enum Ended {
    /// The server has sent everything.
    Clean,
    Dirty,
}

/// Hands a result out, and serves it to its end.
async fn serve(lease: &Lease, mut stream: Pin<&mut RowStream>, opening: Opening) -> Ended {
    let Opening { reply, columns, first, patience } = opening;
    let (link, mut inbox) = link(patience);
    let results = Results::new(columns, first.rows, Some(Box::new(Remaining(link))));
    if reply.send(Ok(results)).is_err() {
        return drain(stream).await;
    }
    loop {
        let Some(command) = inbox.next().await else { return drain(stream).await };
        let Next { max, mut reply } = command.ask;
        let reading = page(stream.as_mut(), max.min(PAGE_ROWS), command.call);
        match work(command.call, &mut reply, &lease.connection.limit, reading).await {
            Worked::Done(Ok(page)) => {
                let is_last = page.is_last;
                let _ = reply.send(Ok(page));
                if is_last {
                    return over(&inbox, Ended::Clean);
                }
            }
            Worked::Done(Err(error)) => {
                let is_ours = matches!(error, Error::TypeMismatch(_) | Error::Refused(_));
                let _ = reply.send(Err(error));
                // What the server says is its last word; after what we say, more may come.
                return over(&inbox, if is_ours { Ended::Dirty } else { Ended::Clean });
            }
            Worked::Given(error) => {
                let _ = reply.send(Err(error));
                return over(&inbox, Ended::Dirty);
            }
        }
    }
}

fn over(inbox: &Inbox<Next>, ended: Ended) -> Ended {
    inbox.end(OVER);
    ended
}

/// Waits a moment for the end of a result that nobody wants.
async fn drain(mut stream: Pin<&mut RowStream>) -> Ended {
    let mut rest = pin!(async {
        while let Some(row) = stream.next().await {
            if row.is_err() {
                break;
            }
        }
    });
    match tokio::time::timeout(DRAIN_TIME, &mut rest).await {
        Ok(()) => Ended::Clean,
        Err(_) => Ended::Dirty,
    }
}

/// Reads the next rows.
async fn page(mut stream: Pin<&mut RowStream>, max: usize, call: Call) -> Result<Page, Trouble> {
    let (mut page, mut bytes) = (Page::default(), 0);
    while page.rows.len() < max && bytes < PAGE_BYTES {
        let Some(row) = stream.next().await else {
            page.is_last = true;
            break;
        };
        let row = value::row(&row?, call.size_bytes)?;
        bytes += row.size_bytes();
        page.rows.push(row);
    }
    Ok(page)
}
