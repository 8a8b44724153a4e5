//! The notes and their history, in a SQL database.

use crate::answer::Answer;
use crate::bindings::wharf::sql::database::{
    self, Connection, Error, Isolation, Rows, Statement, Transaction, TransactionOptions, Value,
};
use serde::Serialize;

const LABEL: &str = "notes";

/// Notes of one answer.
const LIST_MAX: i64 = 100;

/// How often a change is tried again when another one was in the way.
const ATTEMPTS: usize = 5;

#[derive(Serialize)]
pub struct Note {
    pub id: i64,
    pub text: String,
    pub views: i64,
}

#[derive(Serialize)]
pub struct Revision {
    pub number: i64,
    pub text: String,
}

pub struct Store(Connection);

impl Store {
    /// Opens the database, and makes the tables where there are none.
    pub fn open() -> Result<Self, Answer> {
        let connection = database::open(LABEL)?;
        let tables = [
            "CREATE TABLE IF NOT EXISTS notes (id BIGINT PRIMARY KEY, text TEXT NOT NULL)",
            "CREATE TABLE IF NOT EXISTS revisions (note BIGINT NOT NULL, number BIGINT NOT NULL, text TEXT NOT NULL, \
             PRIMARY KEY (note, number))",
        ];
        if connection.query("SELECT 1 FROM revisions LIMIT 1", &[]).is_err() {
            let statements = tables.map(|sql| Statement { sql: sql.to_owned(), params: Vec::new() });
            connection.batch(&statements)?;
        }
        Ok(Self(connection))
    }

    pub fn list(&self) -> Result<Vec<Note>, Answer> {
        let rows = self.0.query("SELECT id, text FROM notes ORDER BY id LIMIT $1", &[Value::Int64(LIST_MAX)])?;
        Ok(all(&rows)?.into_iter().filter_map(note).collect())
    }

    pub fn get(&self, id: i64) -> Result<Note, Answer> {
        let rows = self.0.query("SELECT id, text FROM notes WHERE id = $1", &[Value::Int64(id)])?;
        all(&rows)?.into_iter().find_map(note).ok_or_else(|| Answer::error(404, "there is no such note"))
    }

    pub fn history(&self, id: i64) -> Result<Vec<Revision>, Answer> {
        let sql = "SELECT number, text FROM revisions WHERE note = $1 ORDER BY number";
        let rows = self.0.query(sql, &[Value::Int64(id)])?;
        Ok(all(&rows)?.into_iter().filter_map(revision).collect())
    }

    pub fn add(&self, text: &str) -> Result<Note, Answer> {
        let id = self.in_transaction(|transaction| {
            let id = number(transaction, "SELECT COALESCE(MAX(id), 0) + 1 FROM notes", &[])?;
            let values = [Value::Int64(id), Value::Text(text.to_owned())];
            transaction.execute("INSERT INTO notes (id, text) VALUES ($1, $2)", &values)?;
            add_revision(transaction, id, text)?;
            Ok(Some(id))
        })?;
        Ok(Note { id: id.unwrap_or_default(), text: text.to_owned(), views: 0 })
    }

    pub fn change(&self, id: i64, text: &str) -> Result<Note, Answer> {
        let changed = self.in_transaction(|transaction| {
            let values = [Value::Text(text.to_owned()), Value::Int64(id)];
            if transaction.execute("UPDATE notes SET text = $1 WHERE id = $2", &values)? == 0 {
                // Dropping the transaction takes everything back.
                return Ok(None);
            }
            add_revision(transaction, id, text)?;
            Ok(Some(()))
        })?;
        changed.ok_or_else(|| Answer::error(404, "there is no such note"))?;
        Ok(Note { id, text: text.to_owned(), views: 0 })
    }

    pub fn remove(&self, id: i64) -> Result<(), Answer> {
        let statement = |sql: &str| Statement { sql: sql.to_owned(), params: vec![Value::Int64(id)] };
        let statements =
            ["DELETE FROM notes WHERE id = $1", "DELETE FROM revisions WHERE note = $1"].map(statement);
        let removed = self.0.batch(&statements)?;
        if removed.first() == Some(&0) {
            return Err(Answer::error(404, "there is no such note"));
        }
        Ok(())
    }

    /// Runs `work` in a transaction; again, if another one was in the way.
    fn in_transaction<T>(
        &self,
        work: impl Fn(&Transaction) -> Result<Option<T>, Error>,
    ) -> Result<Option<T>, Answer> {
        let mut attempt = 1;
        loop {
            let options = TransactionOptions { isolation: Isolation::Serializable, read_only: false };
            let done = self.0.begin(options).and_then(|transaction| {
                let result = work(&transaction)?;
                if result.is_some() {
                    transaction.commit()?;
                }
                Ok(result)
            });
            match done {
                Err(Error::Serialization(_) | Error::Constraint(_)) if attempt < ATTEMPTS => attempt += 1,
                done => return Ok(done?),
            }
        }
    }
}

fn add_revision(transaction: &Transaction, id: i64, text: &str) -> Result<(), Error> {
    let sql = "SELECT COALESCE(MAX(number), 0) + 1 FROM revisions WHERE note = $1";
    let next = number(transaction, sql, &[Value::Int64(id)])?;
    let values = [Value::Int64(id), Value::Int64(next), Value::Text(text.to_owned())];
    transaction.execute("INSERT INTO revisions (note, number, text) VALUES ($1, $2, $3)", &values)?;
    Ok(())
}

fn number(transaction: &Transaction, sql: &str, values: &[Value]) -> Result<i64, Error> {
    match all(&transaction.query(sql, values)?)?.first().and_then(|row| row.first()) {
        Some(Value::Int64(number)) => Ok(*number),
        _ => Ok(0),
    }
}

fn all(rows: &Rows) -> Result<Vec<Vec<Value>>, Error> {
    let mut all = Vec::new();
    loop {
        let mut some = rows.next(256)?;
        if some.is_empty() {
            return Ok(all);
        }
        all.append(&mut some);
    }
}

fn note(row: Vec<Value>) -> Option<Note> {
    match row.as_slice() {
        [Value::Int64(id), Value::Text(text)] => Some(Note { id: *id, text: text.clone(), views: 0 }),
        _ => None,
    }
}

fn revision(row: Vec<Value>) -> Option<Revision> {
    match row.as_slice() {
        [Value::Int64(number), Value::Text(text)] => Some(Revision { number: *number, text: text.clone() }),
        _ => None,
    }
}
