//! The connections of one core to one schema: a bounded number, kept while they are needed, and none while the server is away.

use super::dial::{Connection, Dial};
use super::error;
use crate::api::{Call, Error};
use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use wharf_telemetry::clock;

/// The time after the first attempt that failed, doubled with each further one.
const BACK_OFF: Duration = Duration::from_millis(50);

/// The longest time between two attempts: at most so late a server that is back is noticed.
const BACK_OFF_MAX: Duration = Duration::from_secs(2);

/// How long a connection stays that nobody needs.
const STAY: Duration = Duration::from_secs(60);

/// How long a server may take to clean up.
pub(super) const CLEAN_TIME: Duration = Duration::from_secs(2);

/// Undoes what statements may have left on a connection. Ours are started with their settings, which `RESET ALL` goes back to.
const CLEAN: &str = "RESET SESSION AUTHORIZATION; RESET ROLE; RESET ALL; SELECT pg_advisory_unlock_all(); CLOSE ALL; UNLISTEN *; \
                     DISCARD TEMP; DISCARD SEQUENCES";

pub(super) struct Pool {
    pub(super) dial: Arc<Dial>,
    turns: Arc<Semaphore>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// The one that was used last is at the end.
    idle: Vec<Connection>,
    down: Option<Down>,
    has_reaper: bool,
}

/// What is known of a server that cannot be reached.
struct Down {
    error: Error,
    attempts: u32,
    until: Instant,
}

/// A connection for one use.
pub(super) struct Lease {
    pub(super) connection: Connection,
    /// Whether one was begun that is still to be ended.
    pub(super) in_transaction: bool,
    /// Whether what runs in it leaves nothing behind, so that nothing has to be undone.
    is_plain: bool,
    pool: Arc<Pool>,
    _turn: OwnedSemaphorePermit,
}

impl Pool {
    pub(super) fn new(dial: Arc<Dial>, size: usize) -> Self {
        Self { dial, turns: Arc::new(Semaphore::new(size)), state: Mutex::default() }
    }

    /// Waits for a connection, half of the call's time at most. While the server is away, fails at once. `is_plain`: for statements
    /// that leave nothing behind, and do not see what such ones leave.
    pub(super) async fn lease(self: Arc<Self>, is_plain: bool, call: Call) -> Result<Lease, Error> {
        let turn = tokio::time::timeout(call.timeout / 2, Arc::clone(&self.turns).acquire_owned()).await;
        let Ok(Ok(turn)) = turn else {
            return Err(Error::Unavailable("no connection to the database was free".to_owned()));
        };
        let kept = self.kept();
        let mut connection = match kept {
            Some(connection) => connection,
            None => self.connect().await?,
        };
        connection.is_idle = false;
        if connection.was_plain && !is_plain {
            clean(&mut connection, CLEAN).await?;
        }
        Ok(Lease { connection, in_transaction: false, is_plain, pool: self, _turn: turn })
    }

    fn kept(&self) -> Option<Connection> {
        let mut state = self.state();
        while let Some(connection) = state.idle.pop() {
            if !connection.client.is_closed() {
                return Some(connection);
            }
        }
        None
    }

    async fn connect(&self) -> Result<Connection, Error> {
        self.attempt()?;
        let result = self.dial.connect().await;
        let mut state = self.state();
        match &result {
            Ok(_) => {
                if state.down.take().is_some_and(|down| down.attempts > 0) {
                    tracing::info!(place = self.dial.place, "sql is connected again");
                }
            }
            Err(error) => {
                let attempts = state.down.as_ref().map_or(0, |down| down.attempts);
                if attempts == 0 {
                    tracing::warn!(
                        place = self.dial.place,
                        "sql cannot connect, and tries again when it is called: {error}"
                    );
                }
                state.down = Some(Down { error: error.clone(), attempts: attempts + 1, until: pause(attempts) });
            }
        }
        result
    }

    /// Tells whether to try. Of the calls that come after a pause, one tries and the others fail as before.
    fn attempt(&self) -> Result<(), Error> {
        let mut state = self.state();
        let Some(down) = &mut state.down else { return Ok(()) };
        if clock::now() < down.until {
            return Err(down.error.clone());
        }
        down.until = pause(down.attempts);
        Ok(())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn keep(self: &Arc<Self>, mut connection: Connection) {
        connection.idle_since = clock::now();
        connection.is_idle = true;
        let mut state = self.state();
        state.idle.push(connection);
        if !state.has_reaper {
            state.has_reaper = true;
            #[expect(
                clippy::disallowed_methods,
                reason = "ends when the pool is empty or gone; there is one at a time"
            )]
            tokio::spawn(reap(Arc::downgrade(self)));
        }
    }
}

/// Closes connections that nobody needs.
async fn reap(pool: Weak<Pool>) {
    loop {
        tokio::time::sleep(STAY / 2).await;
        let Some(pool) = pool.upgrade() else { return };
        let mut state = pool.state();
        state.idle.retain(|connection| clock::since(connection.idle_since) < STAY && !connection.client.is_closed());
        if state.idle.is_empty() {
            state.has_reaper = false;
            return;
        }
    }
}

/// Returns when to try again. Between half of the time and all of it, so that cores and nodes do not come all at once.
fn pause(attempts: u32) -> Instant {
    let pause = BACK_OFF.saturating_mul(1 << attempts.min(10)).min(BACK_OFF_MAX);
    let part = u32::try_from(RandomState::new().hash_one(attempts) % 128).unwrap_or(0);
    clock::now() + pause / 2 + pause / 256 * part
}

/// Undoes what may be on a connection.
async fn clean(connection: &mut Connection, how: &str) -> Result<(), Error> {
    match tokio::time::timeout(CLEAN_TIME, connection.client.batch_execute(how)).await {
        Ok(Ok(())) => Ok(()),
        _ => Err(Error::Unavailable(error::LOST.to_owned())),
    }
}

impl Lease {
    /// Gives the connection back, after what was left on it is undone.
    pub(super) async fn finish(self) {
        let Self { mut connection, in_transaction, is_plain, pool, _turn } = self;
        let cleaned = match (in_transaction, is_plain) {
            (false, true) => Ok(()),
            (true, true) => clean(&mut connection, "ROLLBACK").await,
            (false, false) => clean(&mut connection, CLEAN).await,
            (true, false) => clean(&mut connection, &format!("ROLLBACK; {CLEAN}")).await,
        };
        connection.was_plain = is_plain;
        if cleaned.is_ok() {
            pool.keep(connection);
        }
    }

    /// Gives up what runs on the connection, on the server too, and closes it: a cancellation that comes late must not meet another
    /// statement.
    pub(super) async fn abandon(self) {
        self.pool.dial.cancel(&self.connection).await;
    }
}
