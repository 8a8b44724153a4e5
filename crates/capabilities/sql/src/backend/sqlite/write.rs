//! Writes that are committed together: one wait for the disk for all that are in the queue.

use super::connection::{Guarded, Ticket};
use super::statement::Prepared;
use crate::api::{Call, Error, Statement};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::oneshot;
use wharf_telemetry::clock;

/// Calls in one commit. A failed commit makes all of them run again, one by one.
const GROUP_MAX: usize = 64;

/// After which no more are taken in: the first ones wait for the last ones.
const GROUP_TIME: Duration = Duration::from_millis(5);

/// Statements of one call.
pub(super) struct Write {
    pub(super) statements: Vec<Statement>,
    pub(super) call: Call,
    pub(super) ticket: Arc<Ticket>,
    pub(super) reply: oneshot::Sender<Result<Vec<u64>, Error>>,
}

type Answer = Result<Vec<u64>, Error>;

impl Write {
    pub(super) fn refuse(self, error: Error) {
        // Whoever does not wait any more needs no answer.
        let _ = self.reply.send(Err(error));
    }

    fn answer(self, answer: Answer) {
        let _ = self.reply.send(answer);
    }
}

/// Runs a write and those that follow it in the queue.
pub(super) fn group(guarded: &Guarded, first: Write, mut next: impl FnMut() -> Option<Write>) {
    let mut writes = Vec::new();
    if first.ticket.start() {
        writes.push(first);
    }
    let started = clock::now();
    while writes.len() < GROUP_MAX && clock::since(started) < GROUP_TIME {
        let Some(write) = next() else { break };
        if write.ticket.start() {
            writes.push(write);
        }
    }
    if writes.len() > 1 {
        match together(guarded, &writes) {
            Ok(answers) => {
                return writes.into_iter().zip(answers).for_each(|(write, answer)| write.answer(answer));
            }
            // One of them ended the transaction of all, or the commit failed: who it was shows when each runs alone.
            Err(_) => {
                if let Err(error) = guarded.reclaim() {
                    return writes.into_iter().for_each(|write| write.refuse(error.clone()));
                }
            }
        }
    }
    for write in writes {
        let answer = alone(guarded, &write);
        write.answer(answer);
    }
}

/// Runs all in one transaction. Each is a savepoint, so that one which fails leaves no trace in it.
fn together(guarded: &Guarded, writes: &[Write]) -> Result<Vec<Answer>, Error> {
    guarded.own("BEGIN IMMEDIATE")?;
    let mut answers = Vec::with_capacity(writes.len());
    for write in writes {
        guarded.own("SAVEPOINT one")?;
        let answer = run(guarded, write);
        if answer.is_err() {
            // Fails when the error has ended the transaction already.
            guarded.own("ROLLBACK TO one")?;
        }
        guarded.own("RELEASE one")?;
        answers.push(answer);
    }
    guarded.own("COMMIT")?;
    Ok(answers)
}

fn alone(guarded: &Guarded, write: &Write) -> Answer {
    if write.statements.len() == 1 {
        // A transaction of its own by itself.
        let answer = run(guarded, write);
        return guarded.reclaim().and(answer);
    }
    guarded.own("BEGIN IMMEDIATE")?;
    let answer = run(guarded, write).and_then(|answer| guarded.own("COMMIT").map(|()| answer));
    // After an error the transaction may be over or not.
    guarded.reclaim()?;
    answer
}

fn run(guarded: &Guarded, write: &Write) -> Answer {
    guarded.lend(write.call, &write.ticket)?;
    write.statements.iter().map(|statement| Prepared::new(guarded, statement)?.execute()).collect()
}
