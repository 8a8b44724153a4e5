//! Writes what guests print and what requests did, off the request path.
//!
//! In: [`Record`]s from any thread. Out: lines on one sink. Next: nothing.
//!
//! Invariant: a caller never waits for the sink. When records arrive faster than the sink takes them, the newest are dropped and counted,
//! and the count is written as soon as there is room.

mod record;

pub use record::{Access, Format, GuestLine, Level, Logged, Record, Stream};

use std::io::Write;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

/// Records that may wait for the sink: about 2 MiB of ordinary lines.
const CAPACITY: usize = 8192;

/// How long the writer lets records gather after it was woken: one wake-up for a burst instead of one a line.
const GATHER: Duration = Duration::from_millis(2);

/// Takes records and returns at once. Cheap to clone; the lines are written in the order in which they were taken.
#[derive(Clone)]
pub struct Log(Arc<Shared>);

struct Shared {
    queue: Mutex<Queue>,
    filled: Condvar,
}

#[derive(Default)]
struct Queue {
    records: Vec<Record>,
    dropped: u64,
    closed: bool,
}

/// Owns the writing thread. Dropping it writes what is queued and ends the thread.
pub struct Writer {
    log: Log,
    thread: Option<JoinHandle<()>>,
}

impl Log {
    /// Starts a writer of `format` lines to `sink`.
    ///
    /// # Errors
    /// When the operating system refuses a thread.
    pub fn start(format: Format, sink: Box<dyn Write + Send>) -> std::io::Result<Writer> {
        let log = Self(Arc::new(Shared { queue: Mutex::default(), filled: Condvar::new() }));
        let shared = Arc::clone(&log.0);
        let thread = std::thread::Builder::new().name("wharf-log".into()).spawn(move || shared.run(format, sink))?;
        Ok(Writer { log, thread: Some(thread) })
    }

    /// Returns a log that keeps nothing.
    pub fn discard() -> Self {
        let queue = Queue { closed: true, ..Queue::default() };
        Self(Arc::new(Shared { queue: Mutex::new(queue), filled: Condvar::new() }))
    }

    /// Returns a log that nobody writes: records stay in its queue, as far as there is room, until they are [taken](Self::take).
    pub fn kept() -> Self {
        Self(Arc::new(Shared { queue: Mutex::default(), filled: Condvar::new() }))
    }

    /// Takes the records that are queued, in their order, and how many were dropped for want of room.
    pub fn take(&self) -> (Vec<Record>, u64) {
        let mut queue = self.0.lock();
        (std::mem::take(&mut queue.records), std::mem::take(&mut queue.dropped))
    }

    /// Queues a record; drops it if the queue is full.
    pub fn write(&self, record: Record) {
        let mut queue = self.0.lock();
        if queue.closed {
            return;
        }
        if queue.records.len() >= CAPACITY {
            queue.dropped += 1;
            return;
        }
        queue.records.push(record);
        if queue.records.len() == 1 {
            self.0.filled.notify_one();
        }
    }
}

impl Writer {
    /// Returns the handle that others write with.
    pub fn log(&self) -> Log {
        self.log.clone()
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.log.0.lock().closed = true;
        self.log.0.filled.notify_one();
        if let Some(thread) = self.thread.take() {
            // A writer that panicked has nothing more to say.
            let _ = thread.join();
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn run(&self, format: Format, mut sink: Box<dyn Write + Send>) {
        let mut text = String::new();
        loop {
            let (records, dropped, closed) = self.take();
            text.clear();
            for record in &records {
                record.render(format, &mut text);
            }
            if dropped > 0 {
                record::render_dropped(format, dropped, &mut text);
            }
            // The sink is gone (a closed pipe): there is nobody left to tell.
            if sink.write_all(text.as_bytes()).and_then(|()| sink.flush()).is_err() {
                self.lock().closed = true;
                return;
            }
            if closed {
                return;
            }
        }
    }

    fn take(&self) -> (Vec<Record>, u64, bool) {
        let mut queue = self.lock();
        while queue.records.is_empty() && !queue.closed {
            queue = self.filled.wait(queue).unwrap_or_else(PoisonError::into_inner);
        }
        if !queue.closed {
            drop(queue);
            std::thread::sleep(GATHER);
            queue = self.lock();
        }
        (std::mem::take(&mut queue.records), std::mem::take(&mut queue.dropped), queue.closed)
    }
}

#[cfg(test)]
mod tests;
