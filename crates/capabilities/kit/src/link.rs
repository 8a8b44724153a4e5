//! The connection of one core to one server, shared by all calls there: made with the first call, made again when it is lost, in the
//! background and ever less often. While the server is away, calls fail at once.
//!
//! In: a call of a backend. Out: its answer, or why there is no connection. Next: the server.

use crate::{Kind, PerThread};
use futures_util::FutureExt;
use std::convert::Infallible;
use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};
use tokio::sync::watch;
use wharf_telemetry::clock;

/// The time before the second attempt to connect, doubled with each further one.
const BACK_OFF: Duration = Duration::from_millis(50);

/// The longest time between two attempts: at most so late a server that is back is noticed.
const BACK_OFF_MAX: Duration = Duration::from_secs(2);

/// A call that was given up after so long makes its connection suspicious: it may lead to a machine that is gone.
const SUSPICIOUS: Duration = Duration::from_millis(500);

/// How connections to one server are made.
pub trait Dial: Send + Sync + Sized + 'static {
    /// A connection, which many calls use at a time.
    type Connection: Clone + Send + Sync;

    /// The capability, for the log.
    fn capability(&self) -> &'static str;

    /// Where to, without a password.
    fn place(&self) -> &str;

    /// Makes a connection, in bounded time. `lost` may be told when it breaks.
    fn connect(&self, lost: Lost<Self>) -> impl Future<Output = Result<Self::Connection, NoConnection>> + Send;
}

/// Why there is no connection.
#[derive(Debug)]
pub struct NoConnection {
    /// [`Kind::Unavailable`], or [`Kind::Backend`] for a server that is there and refuses.
    pub kind: Kind,
    /// What happened, in words for the guest.
    pub why: &'static str,
    /// Why, for the log.
    pub source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

/// Why a call failed.
#[derive(Debug)]
pub struct Trouble<E> {
    /// The call's error.
    pub error: E,
    /// Whether the connection is of no use any more.
    pub is_lost: bool,
}

impl<E> From<E> for Trouble<E> {
    fn from(error: E) -> Self {
        Self { error, is_lost: false }
    }
}

/// The links of all cores to one server.
pub struct Links<D: Dial> {
    dial: Arc<D>,
    links: PerThread<Arc<Link<D>>>,
}

impl<D: Dial> Links<D> {
    /// Connects to nothing.
    pub fn new(dial: D) -> Self {
        Self { dial: Arc::new(dial), links: PerThread::default() }
    }

    /// Returns how connections are made.
    pub fn dial(&self) -> &D {
        &self.dial
    }

    /// Returns the link of the calling core.
    pub fn here(&self) -> Arc<Link<D>> {
        let Ok(link) = self.links.get_or_try_make(|| Ok::<_, Infallible>(Link::new(Arc::clone(&self.dial))));
        link
    }
}

/// The connection of one core.
pub struct Link<D: Dial> {
    dial: Arc<D>,
    state: Mutex<State<D::Connection>>,
}

enum State<C> {
    /// Nobody called yet.
    New,
    /// The first attempt since there was a connection; calls wait for it.
    Connecting(watch::Receiver<()>),
    Up {
        connection: C,
        /// Another one for each connection, so that a late error of a former one does no harm.
        number: u64,
    },
    /// The last attempt failed, further ones follow.
    Down(Reason),
}

/// An error that is given to many callers.
struct Reason {
    kind: Kind,
    why: &'static str,
    cause: String,
}

/// Tells a link that one of its connections is lost.
pub struct Lost<D: Dial> {
    link: Weak<Link<D>>,
    number: u64,
}

impl<D: Dial> Link<D> {
    /// Returns a link that connects to nothing yet.
    pub fn new(dial: Arc<D>) -> Arc<Self> {
        Arc::new(Self { dial, state: Mutex::new(State::New) })
    }

    /// Makes a call. One that is dropped after half a second makes the link connect anew: what waits for longer than a healthy server
    /// takes is not a part of the call.
    ///
    /// # Errors
    /// The call's own, or one made of [`NoConnection`].
    pub async fn call<T, E, F>(self: &Arc<Self>, call: impl FnOnce(D::Connection) -> F) -> Result<T, E>
    where
        E: From<NoConnection>,
        F: Future<Output = Result<T, Trouble<E>>>,
    {
        self.attempt(call).await.map_err(|trouble| trouble.error)
    }

    /// Makes a call that changes nothing, a second time if its connection is lost meanwhile.
    ///
    /// # Errors
    /// See [`call`](Self::call).
    pub async fn call_again<T, E, F>(self: &Arc<Self>, call: impl Fn(D::Connection) -> F) -> Result<T, E>
    where
        E: From<NoConnection>,
        F: Future<Output = Result<T, Trouble<E>>>,
    {
        match self.attempt(&call).await {
            Err(trouble) if trouble.is_lost => self.call(call).await,
            result => result.map_err(|trouble| trouble.error),
        }
    }

    async fn attempt<T, E, F>(self: &Arc<Self>, call: impl FnOnce(D::Connection) -> F) -> Result<T, Trouble<E>>
    where
        E: From<NoConnection>,
        F: Future<Output = Result<T, Trouble<E>>>,
    {
        let (connection, number) = self.connection().await.map_err(E::from)?;
        let mut pending = Pending { link: self, number, since: clock::now(), is_over: false };
        let result = call(connection).await;
        pending.is_over = true;
        if matches!(&result, Err(trouble) if trouble.is_lost) {
            self.lose(number);
        }
        result
    }

    /// Returns the connection. Waits only where there is hope.
    async fn connection(self: &Arc<Self>) -> Result<(D::Connection, u64), NoConnection> {
        loop {
            let mut attempt = {
                let mut state = self.state();
                match &*state {
                    State::Up { connection, number } => return Ok((connection.clone(), *number)),
                    State::Down(reason) => return Err(reason.error()),
                    State::Connecting(attempt) => attempt.clone(),
                    State::New => self.start(&mut state),
                }
            };
            // Its end is told by its other half being dropped.
            let _ = attempt.changed().await;
        }
    }

    /// Begins to connect. The state is another one when the receiver notices the end.
    fn start(self: &Arc<Self>, state: &mut State<D::Connection>) -> watch::Receiver<()> {
        let (end, attempt) = watch::channel(());
        *state = State::Connecting(attempt.clone());
        #[expect(clippy::disallowed_methods, reason = "ends when there is a connection, or no link any more")]
        tokio::spawn(connect(Arc::downgrade(self), Arc::clone(&self.dial), end));
        attempt
    }

    /// Takes note that a connection is of no use any more, and begins to make another one.
    fn lose(self: &Arc<Self>, number: u64) {
        let mut state = self.state();
        if matches!(&*state, State::Up { number: current, .. } if *current == number) {
            tracing::info!(capability = self.dial.capability(), place = self.dial.place(), "a connection is lost");
            self.start(&mut state);
        }
    }

    fn state(&self) -> MutexGuard<'_, State<D::Connection>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes note of what came of an attempt, and tells whether it was the last one.
    fn conclude(&self, attempt: Result<D::Connection, NoConnection>, number: u64) -> bool {
        let mut state = self.state();
        let was_down = matches!(*state, State::Down(_));
        let (capability, place) = (self.dial.capability(), self.dial.place());
        match attempt {
            Ok(connection) => {
                if was_down {
                    tracing::info!(capability, place, "connected again");
                }
                *state = State::Up { connection, number };
                true
            }
            Err(error) => {
                let reason = Reason::from(error);
                if !was_down {
                    let Reason { why, cause, .. } = &reason;
                    tracing::warn!(capability, place, cause, "cannot connect and tries again until it can: {why}");
                }
                *state = State::Down(reason);
                false
            }
        }
    }
}

/// Connects, however long it takes; after the first attempt, calls fail meanwhile.
async fn connect<D: Dial>(link: Weak<Link<D>>, dial: Arc<D>, end: watch::Sender<()>) {
    let mut end = Some(end);
    let mut pause = BACK_OFF;
    let random = RandomState::new();
    loop {
        let number = random.hash_one(clock::now());
        // A panic in a library is no reason to leave all calls waiting.
        let attempt = AssertUnwindSafe(dial.connect(Lost { link: link.clone(), number })).catch_unwind().await;
        let panicked = |_| Err(NoConnection { kind: Kind::Backend, why: "connecting failed", source: None });
        let Some(link) = link.upgrade() else { return };
        if link.conclude(attempt.unwrap_or_else(panicked), number) {
            return;
        }
        drop(link);
        end.take();
        // Between half of it and all of it, so that the cores do not come all at once.
        let part = 0.5 + f64::from(u8::try_from(random.hash_one(number) % 250).unwrap_or(0)) / 500.0;
        tokio::time::sleep(pause.mul_f64(part)).await;
        pause = (pause * 2).min(BACK_OFF_MAX);
    }
}

impl<D: Dial> Lost<D> {
    /// Tells it. Only on the thread of the link.
    pub fn tell(&self) {
        if let Some(link) = self.link.upgrade() {
            link.lose(self.number);
        }
    }
}

impl Reason {
    fn error(&self) -> NoConnection {
        NoConnection { kind: self.kind, why: self.why, source: Some(self.cause.clone().into()) }
    }
}

impl From<NoConnection> for Reason {
    fn from(error: NoConnection) -> Self {
        let NoConnection { kind, why, source } = error;
        Self { kind, why, cause: source.map(|source| source.to_string()).unwrap_or_default() }
    }
}

/// A call under way.
struct Pending<'a, D: Dial> {
    link: &'a Arc<Link<D>>,
    number: u64,
    since: Instant,
    is_over: bool,
}

impl<D: Dial> Drop for Pending<'_, D> {
    fn drop(&mut self) {
        if !self.is_over && clock::since(self.since) >= SUSPICIOUS {
            self.link.lose(self.number);
        }
    }
}

impl<D: Dial> fmt::Debug for Lost<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lost").field("number", &self.number).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
