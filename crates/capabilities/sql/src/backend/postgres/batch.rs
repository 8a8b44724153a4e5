//! Statements that are sent together, as one transaction.

use super::dial::Connection;
use super::pool::Lease;
use super::session::{Trouble, conclude, start, work};
use super::statement::changed;
use super::value::Params;
use crate::api::{Call, Error, Statement};
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;
use tokio::sync::oneshot;
use tokio_postgres::Client;

pub(super) async fn batch(mut lease: Lease, statements: Vec<Statement>, call: Call) -> Result<Vec<u64>, Error> {
    let task = |mut reply: oneshot::Sender<Result<Vec<u64>, Error>>| async move {
        let limit = Arc::clone(&lease.connection.limit);
        let run = run(&mut lease.connection, &statements);
        let worked = work(call, &mut reply, &limit, run).await;
        conclude(lease, reply, worked).await;
    };
    start(task).await
}

async fn run(connection: &mut Connection, statements: &[Statement]) -> Result<Vec<u64>, Trouble> {
    let ready = match prepare(connection, statements).await {
        Ok(ready) => ready,
        // Perhaps one uses what another one makes: then they have to run before they can be prepared.
        Err(Trouble::Server(_)) => return one_by_one(connection, statements).await,
        Err(trouble) => return Err(trouble),
    };
    let told = together(&connection.client, &ready).await;
    if told.is_err() {
        // What is kept may be what failed; the next batch prepares anew.
        connection.statements.clear();
    }
    Ok(told?.into_iter().zip(statements).map(|(told, statement)| changed(&statement.sql, told)).collect())
}

type Ready = (tokio_postgres::Statement, Params);

async fn prepare(connection: &mut Connection, statements: &[Statement]) -> Result<Vec<Ready>, Trouble> {
    let mut ready = Vec::with_capacity(statements.len());
    for statement in statements {
        let prepared = connection.statements.prepare(&connection.client, &statement.sql).await?;
        let params = Params::new(&prepared, &statement.params)?;
        ready.push((prepared, params));
    }
    Ok(ready)
}

type Pending<'a> = Pin<Box<dyn Future<Output = Result<u64, tokio_postgres::Error>> + Send + 'a>>;

/// Sends everything at once. After a statement that fails the server skips the others, and its `COMMIT` takes all back.
async fn together(client: &Client, ready: &[Ready]) -> Result<Vec<u64>, tokio_postgres::Error> {
    let own =
        |sql: &'static str| -> Pending<'_> { Box::pin(async move { client.batch_execute(sql).await.map(|()| 0) }) };
    let mut pending = vec![own("BEGIN")];
    for (prepared, params) in ready {
        pending.push(Box::pin(client.execute_raw(prepared, params.iter())));
    }
    pending.push(own("COMMIT"));
    // The first look at each sends it: in this order.
    let mut answers = Vec::with_capacity(pending.len());
    for one in &mut pending {
        let look = poll_fn(|cx| Poll::Ready(one.as_mut().poll(cx)));
        answers.push(match look.await {
            Poll::Ready(answer) => Some(answer),
            Poll::Pending => None,
        });
    }
    let mut results = Vec::with_capacity(pending.len());
    for (one, answer) in pending.into_iter().zip(answers) {
        results.push(match answer {
            Some(answer) => answer,
            None => one.await,
        });
    }
    let told = results.into_iter().collect::<Result<Vec<_>, _>>()?;
    Ok(told[1..told.len() - 1].to_vec())
}

async fn one_by_one(connection: &mut Connection, statements: &[Statement]) -> Result<Vec<u64>, Trouble> {
    let Connection { client, statements: kept, .. } = connection;
    // Rolls back when it is dropped.
    let transaction = client.build_transaction().start().await?;
    let mut changes = Vec::with_capacity(statements.len());
    for statement in statements {
        let prepared = kept.prepare(transaction.client(), &statement.sql).await?;
        let params = Params::new(&prepared, &statement.params)?;
        let told = transaction.execute_raw(&prepared, params.iter()).await?;
        changes.push(changed(&statement.sql, told));
    }
    transaction.commit().await?;
    Ok(changes)
}
