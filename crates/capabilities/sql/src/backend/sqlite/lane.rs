//! Threads with one connection each, and the queue in front of them.
//!
//! SQLite blocks, and a result that is not read to its end holds its connection. So connections have threads of their own, which come
//! when they are needed and go when they are not.

use super::connection::{Guarded, Role, Setup, Ticket};
use super::write::{self, Write};
use crate::api::{Call, Error, Statement};
use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::oneshot;
use wharf_kit::Refused;

/// Calls in the queue of one database. Each belongs to a component that waits, so that gates bound them before.
const QUEUE_MAX: usize = 4096;

/// How long a thread without work stays: longer than the pauses of a component that is in use.
const STAY: Duration = Duration::from_secs(10);

/// Threads that do the same kind of work on one database. When it is dropped they end, after what they do.
pub(super) struct Lane {
    shared: Arc<Shared>,
}

struct Shared {
    setup: Setup,
    role: Role,
    /// Threads at most.
    max: usize,
    queue: Mutex<Queue>,
    wake: Condvar,
}

#[derive(Default)]
struct Queue {
    jobs: VecDeque<Job>,
    threads: usize,
    idle: usize,
    is_closed: bool,
}

/// What has a connection, or an error in its place.
type Work = Box<dyn FnOnce(Result<&Guarded, Error>) + Send>;

/// What a thread is given.
pub(super) enum Job {
    /// Has the connection for as long as it likes.
    Alone(Work),
    /// Statements that may be committed together with others.
    Write(Write),
}

/// A connection, a call, and where its answer goes.
pub(super) struct Alone<'c, T> {
    pub(super) guarded: &'c Guarded,
    pub(super) call: Call,
    reply: oneshot::Sender<Result<T, Error>>,
}

impl<T> Alone<'_, T> {
    /// Answers the call. False if nobody waits for it any more.
    pub(super) fn offer(self, answer: Result<T, Error>) -> bool {
        self.reply.send(answer).is_ok()
    }

    /// Answers the call with what nobody has to take.
    pub(super) fn reply(self, answer: Result<T, Error>) {
        let _ = self.offer(answer);
    }
}

/// Gives the call up when its future is dropped.
#[derive(Default)]
struct Waiting(Arc<Ticket>);

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.leave();
    }
}

impl Lane {
    pub(super) fn new(max: usize, setup: Setup, role: Role) -> Self {
        let (queue, wake) = (Mutex::default(), Condvar::new());
        Self { shared: Arc::new(Shared { setup, role, max, queue, wake }) }
    }

    /// Runs `work` with a connection of its own, which answers when it likes, and may go on after that.
    pub(super) async fn alone<T: Send + 'static>(
        &self,
        call: Call,
        work: impl FnOnce(Alone<'_, T>) + Send + 'static,
    ) -> Result<T, Error> {
        let (reply, answer) = oneshot::channel();
        let waiting = Waiting::default();
        let seen = Arc::clone(&waiting.0);
        let job = move |guarded: Result<&Guarded, Error>| {
            if !seen.start() {
                return;
            }
            let lent = guarded.and_then(|guarded| guarded.lend(call, &seen).map(|()| guarded));
            match lent {
                Ok(guarded) => work(Alone { guarded, call, reply }),
                Err(error) => drop(reply.send(Err(error))),
            }
        };
        self.submit(Job::Alone(Box::new(job)))?;
        wait(call, waiting, answer).await
    }

    /// Runs statements in a transaction, perhaps together with those of others, and returns how many rows each changed.
    pub(super) async fn write(&self, statements: Vec<Statement>, call: Call) -> Result<Vec<u64>, Error> {
        let (reply, answer) = oneshot::channel();
        let waiting = Waiting::default();
        self.submit(Job::Write(Write { statements, call, ticket: Arc::clone(&waiting.0), reply }))?;
        wait(call, waiting, answer).await
    }

    fn submit(&self, job: Job) -> Result<(), Error> {
        let mut queue = self.shared.lock();
        if queue.jobs.len() >= QUEUE_MAX {
            return Err(Refused::Busy(QUEUE_MAX).into());
        }
        queue.jobs.push_back(job);
        if queue.idle >= queue.jobs.len() || queue.threads >= self.shared.max {
            drop(queue);
            self.shared.wake.notify_one();
            return Ok(());
        }
        queue.threads += 1;
        drop(queue);
        let seen = Seat(Arc::clone(&self.shared));
        let name = match self.shared.role {
            Role::Reads => "sqlite-read",
            Role::Writes => "sqlite-write",
        };
        // Nobody joins it: it ends with its lane or for lack of work, and holds nothing but its connection.
        let spawned = std::thread::Builder::new().name(name.to_owned()).spawn(move || seen.0.serve());
        spawned.map(drop).map_err(|_| Error::Unavailable("there is no thread for the database".to_owned()))
    }
}

/// Waits for an answer. A call that got no connection in half of its time is told so, and then nothing of it has happened.
async fn wait<T>(call: Call, waiting: Waiting, answer: oneshot::Receiver<Result<T, Error>>) -> Result<T, Error> {
    let lost = || Error::Backend("the call was lost".to_owned());
    let mut answer = answer;
    match tokio::time::timeout(call.timeout / 2, &mut answer).await {
        Ok(answer) => answer.unwrap_or_else(|_| Err(lost())),
        Err(_) if waiting.0.withdraw() => Err(Error::Unavailable("no connection to the database was free".to_owned())),
        Err(_) => answer.await.unwrap_or_else(|_| Err(lost())),
    }
}

impl Drop for Lane {
    fn drop(&mut self) {
        self.shared.lock().is_closed = true;
        self.shared.wake.notify_all();
    }
}

/// A thread's place. Given back however the thread ends.
struct Seat(Arc<Shared>);

impl Drop for Seat {
    fn drop(&mut self) {
        self.0.lock().threads -= 1;
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn serve(&self) {
        let mut connection = None;
        while let Some(job) = self.next() {
            let opened = match connection.take() {
                Some(guarded) => Ok(guarded),
                None => self.setup.open(self.role).map_err(|error| {
                    tracing::warn!(%error, path = %self.setup.path.display(), "cannot open a database");
                    Error::Backend("the file of the database cannot be opened".to_owned())
                }),
            };
            let guarded = match opened {
                Ok(guarded) => guarded,
                Err(error) => {
                    refuse(job, error);
                    continue;
                }
            };
            match job {
                Job::Alone(work) => work(Ok(&guarded)),
                Job::Write(first) => write::group(&guarded, first, || self.next_write()),
            }
            // One that cannot be used again is closed, which takes back what is open.
            if guarded.reclaim().is_ok() {
                connection = Some(guarded);
            }
        }
    }

    fn next(&self) -> Option<Job> {
        let mut queue = self.lock();
        loop {
            if let Some(job) = queue.jobs.pop_front() {
                return Some(job);
            }
            if queue.is_closed {
                return None;
            }
            queue.idle += 1;
            let (woken, wait) = self.wake.wait_timeout(queue, STAY).unwrap_or_else(PoisonError::into_inner);
            queue = woken;
            queue.idle -= 1;
            if wait.timed_out() && queue.jobs.is_empty() {
                return None;
            }
        }
    }

    /// Returns the next in the queue if it is statements that may be committed with others.
    fn next_write(&self) -> Option<Write> {
        let mut queue = self.lock();
        match queue.jobs.pop_front()? {
            Job::Write(write) => Some(write),
            other @ Job::Alone(_) => {
                queue.jobs.push_front(other);
                None
            }
        }
    }
}

fn refuse(job: Job, error: Error) {
    match job {
        Job::Alone(work) => work(Err(error)),
        Job::Write(write) => write.refuse(error),
    }
}
