//! The one thread that changes a file. What waits while it makes a change durable is made durable with the next one.

use super::file::{CHANGES, File, REVISION_BYTES, VALUES, split};
use crate::api::{self, Error, Key, Version};
use crate::position::position;
use bytes::Bytes;
use redb::{ReadableTable, StorageError, Table};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread;
use tokio::sync::{mpsc, oneshot};
use wharf_kit::BackendError;

/// Changes that wait for the thread. When it is full, calls wait, within their deadlines.
const QUEUE: usize = 256;

/// Changes that are made durable together, at most: what comes later waits for them.
const GROUP: usize = QUEUE;

/// Bytes of values that are made durable together, about: what they need of memory, and what the first of them waits for.
const GROUP_BYTES: usize = 16 << 20;

pub(super) enum Change {
    Set(Vec<(Key, Bytes)>),
    Delete(Vec<Key>),
    Add(Key, i64),
    Swap(Key, Version, Bytes),
}

/// What came of a change; what it has no number for is 0 or false.
#[derive(Default)]
pub(super) struct Answer {
    pub(super) sum: i64,
    pub(super) is_swapped: bool,
}

pub(super) struct Order {
    pub(super) change: Change,
    pub(super) reply: oneshot::Sender<Result<Answer, Error>>,
}

/// Starts the thread. It ends when the queue is closed and empty, and closes the file then.
pub(super) fn start(file: Arc<File>) -> Result<mpsc::Sender<Order>, BackendError> {
    let (queue, orders) = mpsc::channel(QUEUE);
    let path = file.path().to_owned();
    let thread = thread::Builder::new().name("keyvalue-redb".to_owned()).spawn(move || run(&file, orders));
    thread.map(|_| queue).map_err(|error| BackendError::Open { path, source: error.into() })
}

fn run(file: &Arc<File>, mut orders: mpsc::Receiver<Order>) {
    while let Some(first) = orders.blocking_recv() {
        let group = gather(first, &mut orders);
        // A panic of redb ends one group of changes, whose callers learn it, and not the thread.
        let _ = catch_unwind(AssertUnwindSafe(|| answer(file, group)));
    }
}

/// Takes what waits already.
fn gather(first: Order, orders: &mut mpsc::Receiver<Order>) -> Vec<Order> {
    let mut bytes = first.change.size_bytes();
    let mut group = vec![first];
    while group.len() < GROUP && bytes < GROUP_BYTES {
        let Ok(order) = orders.try_recv() else { break };
        bytes += order.change.size_bytes();
        group.push(order);
    }
    // Whoever does not wait any more has been told that it may not have happened.
    group.retain(|order| !order.reply.is_closed());
    group
}

fn answer(file: &File, group: Vec<Order>) {
    if group.is_empty() {
        return;
    }
    let database = match file.database() {
        Ok(database) => database,
        Err(error) => return refuse(group, error),
    };
    match apply(&database, &group) {
        Ok(answers) => {
            for (order, answer) in group.into_iter().zip(answers) {
                // Whoever does not wait any more need not know.
                let _ = order.reply.send(answer);
            }
        }
        Err(error) => refuse(group, file.fail(&database, error)),
    }
}

/// Gives each caller the error. It is made anew for each, as its source cannot be shared.
fn refuse(group: Vec<Order>, error: Error) {
    let mut source = None;
    let (is_away, why) = match error {
        Error::Unavailable { why, source: cause } => {
            source = cause;
            (true, why)
        }
        Error::Backend { why, source: cause } => {
            source = cause;
            (false, why)
        }
        _ => (false, "it cannot be changed"),
    };
    for order in group {
        let source = source.take();
        let error = if is_away { Error::Unavailable { why, source } } else { Error::Backend { why, source } };
        let _ = order.reply.send(Err(error));
    }
}

/// Makes all changes, or none.
fn apply(database: &redb::Database, group: &[Order]) -> Result<Vec<Result<Answer, Error>>, redb::Error> {
    let transaction = database.begin_write()?;
    let mut answers = Vec::with_capacity(group.len());
    let is_changed = {
        let mut changes = transaction.open_table(CHANGES)?;
        let before = changes.get(())?.map_or(0, |revision| revision.value());
        let mut values = Values { table: transaction.open_table(VALUES)?, revision: before };
        for order in group {
            answers.push(values.apply(&order.change)?);
        }
        let Values { revision, .. } = values;
        if revision != before {
            changes.insert((), revision)?;
        }
        revision != before
    };
    if is_changed {
        transaction.commit()?;
    } else {
        transaction.abort()?;
    }
    Ok(answers)
}

struct Values<'a> {
    table: Table<'a, (u64, &'static str), &'static [u8]>,
    /// The number of the last change.
    revision: u64,
}

impl Values<'_> {
    /// Makes one change; an answer that is an error changes nothing.
    fn apply(&mut self, change: &Change) -> Result<Result<Answer, Error>, StorageError> {
        match change {
            Change::Set(pairs) => {
                pairs.iter().try_for_each(|(key, value)| self.set(key, value)).map(|()| Ok(Answer::default()))
            }
            Change::Delete(keys) => keys.iter().try_for_each(|key| self.delete(key)).map(|()| Ok(Answer::default())),
            Change::Add(key, delta) => self.add(key, *delta),
            Change::Swap(key, expected, value) => self.swap(key, *expected, value),
        }
    }

    fn set(&mut self, key: &Key, value: &[u8]) -> Result<(), StorageError> {
        self.revision += 1;
        let mut entry = self.table.insert_reserve((position(key), key.as_str()), REVISION_BYTES + value.len())?;
        let entry = entry.as_mut();
        entry[..REVISION_BYTES].copy_from_slice(&self.revision.to_le_bytes());
        entry[REVISION_BYTES..].copy_from_slice(value);
        Ok(())
    }

    fn delete(&mut self, key: &Key) -> Result<(), StorageError> {
        if self.table.remove((position(key), key.as_str()))?.is_some() {
            self.revision += 1;
        }
        Ok(())
    }

    fn add(&mut self, key: &Key, delta: i64) -> Result<Result<Answer, Error>, StorageError> {
        let sum = match self.table.get((position(key), key.as_str()))? {
            Some(entry) => split(entry.value()).and_then(|(_, value)| api::add(Some(value), delta)),
            None => api::add(None, delta),
        };
        let sum = match sum {
            Ok(sum) => sum,
            Err(error) => return Ok(Err(error)),
        };
        self.set(key, sum.to_string().as_bytes())?;
        Ok(Ok(Answer { sum, ..Answer::default() }))
    }

    fn swap(&mut self, key: &Key, expected: Version, value: &[u8]) -> Result<Result<Answer, Error>, StorageError> {
        let version = match self.table.get((position(key), key.as_str()))? {
            Some(entry) => split(entry.value()).map(|(revision, _)| Version::Revision(revision)),
            None => Ok(Version::Absent),
        };
        let is_swapped = match version {
            Ok(version) => version == expected,
            Err(error) => return Ok(Err(error)),
        };
        if is_swapped {
            self.set(key, value)?;
        }
        Ok(Ok(Answer { is_swapped, ..Answer::default() }))
    }
}

impl Change {
    fn size_bytes(&self) -> usize {
        match self {
            Self::Set(pairs) => pairs.iter().map(|(_, value)| value.len()).sum(),
            Self::Swap(_, _, value) => value.len(),
            Self::Delete(_) | Self::Add(..) => 0,
        }
    }
}

#[cfg(test)]
mod tests;
