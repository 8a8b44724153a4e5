//! `wharf:sql@0.1.0`.

use super::{Connection, OVER, Open, Opened, Rows, Sql, View, call, convert};
use crate::api::{Error, Statement};
use crate::value::Row;
use generated::wharf::sql::database::{self, HostConnection, HostRows, HostTransaction};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use wasmtime::component::{Linker, Resource};
use wharf_kit::{Access, Names, Payload};

mod generated {
    #![allow(missing_docs, unreachable_pub, clippy::pedantic, reason = "generated")]
    wasmtime::component::bindgen!({
        path: "../../../wit/sql",
        world: "wharf:sql/imports",
        imports: { default: async | trappable },
        with: {
            "wharf:sql/database.connection": crate::wit::Connection,
            "wharf:sql/database.transaction": crate::wit::Open,
            "wharf:sql/database.rows": crate::wit::Rows,
        },
    });
}

pub(super) use generated::wharf::sql::database as wit;

/// A call's answer: an error of the interface inside, a trap outside.
type Answer<T> = wasmtime::Result<Result<T, wit::Error>>;

pub(super) fn add_to_linker<T: Send + 'static>(
    linker: &mut Linker<T>,
    names: Names,
    view: fn(&mut T) -> View<'_>,
) -> wasmtime::Result<()> {
    database::add_to_linker_instance::<T, Sql>(&mut linker.instance(&names.of("wharf:sql/database@0.1.0"))?, view)
}

impl database::Host for View<'_> {
    async fn open(&mut self, label: String) -> Answer<Resource<Connection>> {
        let Some(found) = self.granted.label(&label, self.tally) else {
            return Ok(Err(wit::Error::AccessDenied("the label is not granted".to_owned())));
        };
        let connection = Connection { label: Arc::clone(found), locked: Arc::default() };
        Ok(Ok(self.table.push(connection)?))
    }
}

impl HostConnection for View<'_> {
    async fn query(
        &mut self,
        this: Resource<Connection>,
        sql: String,
        params: Vec<wit::Value>,
    ) -> Answer<Resource<Rows>> {
        let connection = self.table.get(&this)?;
        let (label, locked) = (Arc::clone(&connection.label), Arc::clone(&connection.locked));
        let result = async {
            check_unlocked(&locked)?;
            let statement = statement(sql, params)?;
            let (bytes, call) = (checked_size(&label, [&statement])?, call(&label));
            let answer = label.store.query(statement, call);
            label.gate.call(self.tally, "query", bytes, Error::kind, answer).await
        };
        let results = result.await;
        self.rows(&label, results)
    }

    async fn execute(&mut self, this: Resource<Connection>, sql: String, params: Vec<wit::Value>) -> Answer<u64> {
        let connection = self.table.get(&this)?;
        let (label, locked) = (Arc::clone(&connection.label), Arc::clone(&connection.locked));
        if self.refuses_write(&label) {
            return Ok(Err(Error::ReadOnly.into()));
        }
        let result = async {
            check_unlocked(&locked)?;
            let statement = statement(sql, params)?;
            let (bytes, call) = (checked_size(&label, [&statement])?, call(&label));
            let answer = label.store.execute(statement, call);
            label.gate.call(self.tally, "execute", bytes, Error::kind, answer).await
        };
        Ok(result.await.map_err(Into::into))
    }

    async fn batch(&mut self, this: Resource<Connection>, statements: Vec<wit::Statement>) -> Answer<Vec<u64>> {
        let connection = self.table.get(&this)?;
        let (label, locked) = (Arc::clone(&connection.label), Arc::clone(&connection.locked));
        if self.refuses_write(&label) {
            return Ok(Err(Error::ReadOnly.into()));
        }
        let result = async {
            check_unlocked(&locked)?;
            let statements = statements.into_iter().map(|one| statement(one.sql, one.params));
            let statements = statements.collect::<Result<Vec<_>, Error>>()?;
            let (bytes, call) = (checked_size(&label, &statements)?, call(&label));
            let answer = label.store.batch(statements, call);
            label.gate.call(self.tally, "batch", bytes, Error::kind, answer).await
        };
        Ok(result.await.map_err(Into::into))
    }

    async fn begin(&mut self, this: Resource<Connection>, options: wit::TransactionOptions) -> Answer<Resource<Open>> {
        let connection = self.table.get(&this)?;
        let (label, locked) = (Arc::clone(&connection.label), Arc::clone(&connection.locked));
        if !options.read_only && self.refuses_write(&label) {
            return Ok(Err(Error::ReadOnly.into()));
        }
        let result = async {
            check_unlocked(&locked)?;
            let answer = label.store.begin(options.into(), call(&label));
            label.gate.call(self.tally, "begin", 0, Error::kind, answer).await
        };
        let transaction = match result.await {
            Ok(transaction) => transaction,
            Err(error) => return Ok(Err(error.into())),
        };
        locked.store(true, Ordering::Relaxed);
        Ok(Ok(self.table.push(Open { label, transaction: Some(transaction), locked })?))
    }

    async fn drop(&mut self, this: Resource<Connection>) -> wasmtime::Result<()> {
        self.table.delete(this)?;
        Ok(())
    }
}

impl HostTransaction for View<'_> {
    async fn query(&mut self, this: Resource<Open>, sql: String, params: Vec<wit::Value>) -> Answer<Resource<Rows>> {
        let open = self.table.get_mut(&this)?;
        let label = Arc::clone(&open.label);
        let result = async {
            let statement = statement(sql, params)?;
            let (bytes, call) = (checked_size(&label, [&statement])?, call(&label));
            let answer = open.transaction.as_mut().ok_or(OVER)?.query(statement, call);
            label.gate.call(self.tally, "query", bytes, Error::kind, answer).await
        };
        let results = result.await;
        self.rows(&label, results)
    }

    async fn execute(&mut self, this: Resource<Open>, sql: String, params: Vec<wit::Value>) -> Answer<u64> {
        let open = self.table.get_mut(&this)?;
        let label = Arc::clone(&open.label);
        let result = async {
            let statement = statement(sql, params)?;
            let (bytes, call) = (checked_size(&label, [&statement])?, call(&label));
            let answer = open.transaction.as_mut().ok_or(OVER)?.execute(statement, call);
            label.gate.call(self.tally, "execute", bytes, Error::kind, answer).await
        };
        let result = result.await;
        if matches!(result, Err(Error::ReadOnly)) && label.access == Access::Read {
            self.granted.refuse_write(&label, self.tally);
        }
        Ok(result.map_err(Into::into))
    }

    async fn commit(&mut self, this: Resource<Open>) -> Answer<()> {
        let open = self.table.get_mut(&this)?;
        // Whatever comes of it, the transaction is over.
        let Some(transaction) = open.transaction.take() else { return Ok(Err(OVER.into())) };
        open.unlock();
        let answer = transaction.commit(call(&open.label));
        let result = open.label.gate.call(self.tally, "commit", 0, Error::kind, answer).await;
        Ok(result.map_err(Into::into))
    }

    async fn rollback(&mut self, this: Resource<Open>) -> Answer<()> {
        let open = self.table.get_mut(&this)?;
        let Some(transaction) = open.transaction.take() else { return Ok(Err(OVER.into())) };
        open.unlock();
        let answer = transaction.rollback(call(&open.label));
        let result = open.label.gate.call(self.tally, "rollback", 0, Error::kind, answer).await;
        Ok(result.map_err(Into::into))
    }

    async fn drop(&mut self, this: Resource<Open>) -> wasmtime::Result<()> {
        self.table.delete(this)?;
        Ok(())
    }
}

impl HostRows for View<'_> {
    async fn columns(&mut self, this: Resource<Rows>) -> wasmtime::Result<Vec<wit::Column>> {
        Ok(self.table.get(&this)?.results.columns().iter().map(Into::into).collect())
    }

    async fn next(&mut self, this: Resource<Rows>, max: u32) -> Answer<Vec<Vec<wit::Value>>> {
        let Rows { label, results } = self.table.get_mut(&this)?;
        let max = usize::try_from(max.max(1)).unwrap_or(usize::MAX);
        let answer = results.next(max, call(label));
        let result = label.gate.call(self.tally, "next", 0, Error::kind, answer).await;
        let row = |Row(values): Row| values.into_iter().map(Into::into).collect();
        Ok(result.map(|rows| rows.into_iter().map(row).collect()).map_err(Into::into))
    }

    async fn drop(&mut self, this: Resource<Rows>) -> wasmtime::Result<()> {
        self.table.delete(this)?;
        Ok(())
    }
}

impl View<'_> {
    /// Tells whether the label only reads, and says so where it is looked for.
    fn refuses_write(&mut self, label: &Opened) -> bool {
        let refuses = label.access == Access::Read;
        if refuses {
            self.granted.refuse_write(label, self.tally);
        }
        refuses
    }

    fn rows(&mut self, label: &Opened, results: Result<crate::Results, Error>) -> Answer<Resource<Rows>> {
        match results {
            Ok(results) => Ok(Ok(self.table.push(Rows { label: Arc::clone(label), results })?)),
            Err(error) => {
                if error == Error::ReadOnly && label.access == Access::Read {
                    self.granted.refuse_write(label, self.tally);
                }
                Ok(Err(error.into()))
            }
        }
    }
}

fn check_unlocked(locked: &AtomicBool) -> Result<(), Error> {
    if locked.load(Ordering::Relaxed) {
        return Err(Error::Closed("a transaction of this connection is open: use it, or end it"));
    }
    Ok(())
}

fn statement(sql: String, params: Vec<wit::Value>) -> Result<Statement, Error> {
    let params = params.into_iter().map(convert::value).collect::<Result<_, _>>()?;
    Ok(Statement { sql, params })
}

/// Returns the bytes of what a component sent, if it may send that much.
fn checked_size<'a>(label: &Opened, sent: impl IntoIterator<Item = &'a Statement>) -> Result<usize, Error> {
    let bytes = sent.into_iter().map(Payload::size_bytes).sum();
    label.gate.check_size(bytes)?;
    Ok(bytes)
}
