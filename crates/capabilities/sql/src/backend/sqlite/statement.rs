//! One statement: its parameters, its rows, and how many it changed.

use super::connection::Guarded;
use super::error;
use super::value::{Param, Stands};
use crate::api::{Call, Column, Error, Page, Statement};
use crate::value::{Row, Value};
use rusqlite::{CachedStatement, Rows};
use std::sync::Arc;
use wharf_kit::{Payload, Refused};

/// Rows of a page at most, whatever is asked for.
const PAGE_ROWS: usize = 4096;

/// Bytes after which a page ends: what a component asks for is made in the memory of the host first.
const PAGE_BYTES: usize = 256 * 1024;

/// A statement with its parameters, which can run.
pub(super) struct Prepared<'c> {
    guarded: &'c Guarded,
    statement: CachedStatement<'c>,
}

impl<'c> Prepared<'c> {
    /// Prepares a statement and binds its parameters.
    pub(super) fn new(guarded: &'c Guarded, statement: &Statement) -> Result<Self, Error> {
        let of = |error| error::of(error, &guarded.watch, None);
        let mut prepared = guarded.connection.prepare_cached(&statement.sql).map_err(of)?;
        bind(&mut prepared, &statement.params, &of)?;
        Ok(Self { guarded, statement: prepared })
    }

    /// Tells whether it changes nothing.
    pub(super) fn only_reads(&self) -> bool {
        self.statement.readonly()
    }

    /// Runs it to its end, and returns how many rows it changed.
    pub(super) fn execute(&mut self) -> Result<u64, Error> {
        let connection = &self.guarded.connection;
        let of = |error| error::of(error, &self.guarded.watch, None);
        let before = connection.total_changes();
        let mut rows = self.statement.raw_query();
        while rows.next().map_err(of)?.is_some() {}
        // The number of the last statement that changed something stays there.
        Ok(if connection.total_changes() == before { 0 } else { connection.changes() })
    }

    /// Starts it.
    pub(super) fn run(&mut self) -> Running<'_> {
        Running { guarded: self.guarded, shape: None, rows: self.statement.raw_query() }
    }

    /// Returns its columns. Before it ran they may be those of an older schema.
    pub(super) fn columns(&self) -> Arc<[Column]> {
        Shape::of(&self.statement).columns
    }
}

fn bind(
    prepared: &mut CachedStatement<'_>,
    params: &[Value],
    of: &dyn Fn(rusqlite::Error) -> Error,
) -> Result<(), Error> {
    let mut highest = 0;
    for index in 1..=prepared.parameter_count() {
        let name = prepared.parameter_name(index).unwrap_or("?");
        let number = name.strip_prefix('$').filter(|digits| !digits.starts_with('0')).and_then(|it| it.parse().ok());
        let Some(number) = number else {
            return Err(Error::Syntax(format!("parameters are written $1, $2 and so on, not {name}")));
        };
        highest = highest.max(number);
        let Some(value) = params.get(number - 1) else { continue };
        match prepared.raw_bind_parameter(index, Param(value)) {
            Ok(()) => {}
            Err(rusqlite::Error::ToSqlConversionFailure(why)) => return Err(Error::TypeMismatch(why.to_string())),
            Err(error) => return Err(of(error)),
        }
    }
    if highest != params.len() {
        return Err(Error::Syntax(format!("the statement has {highest} parameters, and {} are given", params.len())));
    }
    Ok(())
}

/// The columns of a result.
#[derive(Clone)]
struct Shape {
    columns: Arc<[Column]>,
    stands: Arc<[Stands]>,
}

impl Shape {
    fn of(statement: &rusqlite::Statement<'_>) -> Self {
        let column = |column: rusqlite::Column<'_>| {
            let type_name = column.decl_type().unwrap_or_default();
            let stands = Stands::of(type_name);
            (Column { name: column.name().to_owned(), type_name: type_name.to_owned() }, stands)
        };
        let (columns, stands): (Vec<_>, Vec<_>) = statement.columns().map(column).unzip();
        Self { columns: columns.into(), stands: stands.into() }
    }
}

/// A statement that runs.
pub(super) struct Running<'s> {
    guarded: &'s Guarded,
    /// Known from the first row on: only then the statement is that of the present schema.
    shape: Option<Shape>,
    rows: Rows<'s>,
}

impl Running<'_> {
    /// Returns the columns, if there was a row.
    pub(super) fn columns(&self) -> Option<Arc<[Column]>> {
        self.shape.as_ref().map(|shape| Arc::clone(&shape.columns))
    }

    /// Returns the next rows.
    pub(super) fn page(&mut self, max: usize, call: Call) -> Result<Page, Error> {
        let max = max.min(PAGE_ROWS);
        let of = |error| error::of(error, &self.guarded.watch, Some(call));
        let (mut page, mut bytes) = (Page::default(), 0);
        while page.rows.len() < max && bytes < PAGE_BYTES {
            let Some(row) = self.rows.next().map_err(of)? else {
                page.is_last = true;
                break;
            };
            let shape = self.shape.get_or_insert_with(|| Shape::of(row.as_ref()));
            let row = read(row, &shape.stands, call.size_bytes, of)?;
            bytes += row.size_bytes();
            page.rows.push(row);
        }
        Ok(page)
    }
}

fn read(
    row: &rusqlite::Row<'_>,
    stands: &[Stands],
    limit_bytes: usize,
    of: impl Fn(rusqlite::Error) -> Error,
) -> Result<Row, Error> {
    let mut values = Vec::with_capacity(stands.len());
    let mut bytes = 0;
    for (index, stands) in stands.iter().enumerate() {
        let value = stands.read(row.get_ref(index).map_err(&of)?)?;
        bytes += value.size_bytes();
        if bytes > limit_bytes {
            return Err(Refused::TooLarge { bytes, limit_bytes }.into());
        }
        values.push(value);
    }
    Ok(Row(values))
}
